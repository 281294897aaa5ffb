#include "core/ipam/calico/calico_ipam.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>

#include "core/ipam/calico/errors.h"
#include "core/ipam/calico/fnv.h"
#include "core/net/hash.h"

namespace cnisim {
namespace {

tl::unexpected<Error> Failure(std::string_view code, std::string message) {
  return Fail(std::string(code), std::move(message));
}

bool Covers(const std::vector<const IpPool*>& pools, Ipv4Cidr cidr) {
  return std::any_of(pools.begin(), pools.end(),
                     [cidr](const IpPool* pool) { return pool->cidr.Contains(cidr); });
}

}  // namespace

Status ValidateConfig(const CalicoIpamConfig& config) {
  const auto fail = [](const char* why) -> Status {
    return Failure(calico_error::kInvalidConfig, why);
  };
  if (!config.strict_affinity && !config.auto_allocate_blocks) {
    return fail("autoAllocateBlocks: false requires strictAffinity: true");
  }
  if (config.max_blocks_per_host < 0) return fail("maxBlocksPerHost must not be negative");
  if (config.max_blocks_per_host > 0 && !config.strict_affinity) {
    return fail("maxBlocksPerHost requires strictAffinity: true");
  }
  if (config.ip_cooldown < Duration::zero() || config.ip_cooldown > kMaxIpCooldown) {
    return fail("ipCooldownSeconds must be between 0 and 1200");
  }
  return {};
}

std::string SandboxHandle(std::string_view container_id) {
  return fmt::format("k8s-pod-network.{}", container_id);
}

std::string WorkloadHandle(std::string_view pod_namespace, std::string_view pod) {
  return fmt::format("{}.{}", pod_namespace, pod);
}

std::string TunnelHandle(CalicoTunnel tunnel, std::string_view node) {
  return fmt::format("{}-tunnel-addr-{}", ToString(tunnel), node);
}

std::vector<std::string> RequestedPools(std::vector<std::string> pod_annotation,
                                        std::vector<std::string> namespace_annotation,
                                        std::vector<std::string> cni_configuration) {
  if (!pod_annotation.empty()) return pod_annotation;
  return namespace_annotation.empty() ? cni_configuration : namespace_annotation;
}

CalicoIpam::CalicoIpam(BlockStore& store, CalicoIpamConfig config)
    : store_(store), config_(config) {
  assert(ValidateConfig(config));
}

uint32_t CalicoIpam::WalkStart(const IpPool& pool, std::string_view host, TimePoint now) {
  const uint64_t seed = pool.block_size == kMaxBlockSize
                            ? static_cast<uint64_t>(now.time_since_epoch().count())
                            : Fnv1(host);
  return static_cast<uint32_t>(HashMix(seed) % pool.block_count());
}

DatastoreCost CalicoIpam::CostSince(const DatastoreCost& before) const {
  const DatastoreCost& after = store_.cost();
  return DatastoreCost{after.reads - before.reads, after.writes - before.writes,
                       after.lists - before.lists, after.listed_items - before.listed_items};
}

Result<CalicoIpam::Pools> CalicoIpam::SelectPools(const AssignRequest& request) const {
  const auto usable = [&request](const IpPool& pool) {
    return pool.enabled && pool.block_size <= request.finest_block;
  };
  Pools pools;
  for (const std::string& name : request.pools) {
    const IpPool* pool = store_.FindPool(name);
    if (pool == nullptr || !usable(*pool)) {
      return Failure(calico_error::kUnknownPool,
                     fmt::format("IP pool \"{}\" does not exist or is disabled", name));
    }
    pools.push_back(pool);
  }
  if (request.pools.empty()) {
    for (const IpPool* pool : store_.Pools()) {
      if (usable(*pool) && pool->automatic && store_.SelectsNode(*pool, request.host) &&
          store_.SelectsNamespace(*pool, request.pod_namespace)) {
        pools.push_back(pool);
      }
    }
  }
  std::erase_if(pools, [&](const IpPool* p) { return !p->allowed_uses.contains(request.use); });
  if (pools.empty()) {
    return Failure(calico_error::kNoPools, fmt::format("no IP pool for node {}", request.host));
  }
  return pools;
}

AssignReply CalicoIpam::AutoAssign(const AssignRequest& request, TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  AssignReply reply;
  if (request.host.empty() || request.handle.empty() || request.count < 1) {
    reply.status = Failure(calico_error::kInvalidRequest,
                           "an assignment needs a host, a handle and a number of addresses");
    return reply;
  }
  store_.CountReads(2);                                           // configuration, node
  store_.CountList(static_cast<int64_t>(store_.Pools().size()));  // pools
  store_.CountList(store_.reservation_count());                   // reservations
  const Result<Pools> pools = SelectPools(request);
  reply.status = pools ? AssignFrom(*pools, request, now, reply.addresses)
                       : Status(tl::unexpected(pools.error()));
  reply.cost = CostSince(before);
  return reply;
}

AssignReply CalicoIpam::AssignAddress(const AssignAddressRequest& request, TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  AssignReply reply;
  if (const Result<AssignedAddress> address = AssignOne(request, now)) {
    reply.addresses.push_back(*address);
  } else {
    reply.status = tl::unexpected(address.error());
  }
  reply.cost = CostSince(before);
  return reply;
}

Result<AssignedAddress> CalicoIpam::AssignOne(const AssignAddressRequest& request, TimePoint now) {
  const AllocationOwner& owner = request.owner;
  const std::string text = request.address.ToString();
  if (owner.node.empty() || owner.handle.empty()) {
    return Failure(calico_error::kInvalidRequest, "an assignment needs a host and a handle");
  }
  store_.CountReads(1);                                           // configuration
  store_.CountList(static_cast<int64_t>(store_.Pools().size()));  // pools
  const IpPool* pool = store_.PoolOf(request.address);
  if (pool == nullptr || !pool->enabled) {
    return Failure(calico_error::kUnknownPool, fmt::format("no enabled IP pool has {}", text));
  }
  if (request.use && !pool->allowed_uses.contains(*request.use)) {
    return Failure(calico_error::kNoPools,
                   fmt::format("IP pool \"{}\" of {} is not for this use", pool->name, text));
  }
  AssignedAddress result;
  result.address = request.address;
  result.block = Ipv4Cidr(request.address, pool->block_size);
  const AllocationBlock* block = store_.ReadBlock(result.block);
  if (block == nullptr) {
    if (const Status claimed = Claim(owner.node, result.block, now); !claimed) {
      return tl::unexpected(claimed.error());
    }
    block = store_.PeekBlock(result.block);
    result.block_claimed = true;
  }
  result.borrowed = !block->BelongsTo(owner.node);
  if (result.borrowed && config_.strict_affinity) {
    return Failure(calico_error::kBlockClaimed,
                   fmt::format("block {} is not node {}'s", result.block.ToString(), owner.node));
  }
  const AllocationOwner* holder = block->OwnerOf(block->OrdinalOf(request.address));
  if (request.capped && holder != nullptr && holder->handle == owner.handle) return result;
  if (!store_.AssignAddress(result.block, request.address, owner)) {
    return Failure(calico_error::kAlreadyExists, fmt::format("{} is held or cooling", text));
  }
  store_.IncrementHandle(owner.handle, result.block, 1, 1);
  return result;
}

AssignReply CalicoIpam::AssignTunnelAddress(std::string_view host, CalicoTunnel tunnel,
                                            TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  AssignReply reply;
  AssignRequest request;
  request.host = host;
  request.handle = TunnelHandle(tunnel, host);
  request.tunnel = tunnel;
  request.use = PoolUse::kTunnel;
  for (const HandleCount& held : store_.ReadHandle(request.handle)) {
    const AllocationBlock* block = store_.ReadBlock(held.block);
    if (block == nullptr) continue;
    const std::vector<int> ordinals = block->OrdinalsOf(request.handle);
    if (ordinals.empty()) continue;
    AssignedAddress address;
    address.address = block->AddressOf(ordinals.front());
    address.block = held.block;
    address.borrowed = !block->BelongsTo(host);
    reply.addresses.push_back(std::move(address));
    reply.cost = CostSince(before);
    return reply;
  }
  for (const IpPool* pool : store_.Pools()) {
    if (pool->enabled && (tunnel == CalicoTunnel::kWireguard || pool->tunnel == tunnel) &&
        store_.SelectsNode(*pool, host)) {
      request.pools.push_back(pool->name);
    }
  }
  if (request.pools.empty()) {
    reply.status = Failure(calico_error::kNoPools, fmt::format("no IP pool of mode {} for node {}",
                                                               ToString(tunnel), host));
  } else {
    reply = AutoAssign(request, now);
  }
  reply.cost = CostSince(before);
  return reply;
}

Status CalicoIpam::AssignFrom(const Pools& pools, const AssignRequest& request, TimePoint now,
                              std::vector<AssignedAddress>& addresses) {
  const AllocationOwner owner{request.handle, request.pod_namespace, request.pod, request.host,
                              request.tunnel};
  const auto wanted = [&] { return request.count - static_cast<int>(addresses.size()); };
  // What the block has, as far as it is wanted. The real client counts the handle up first (A12);
  // nothing can come between the two here.
  const auto take_from = [&](Ipv4Cidr block, AssignedAddress assigned) {
    assigned.block = block;
    const int before = wanted();
    for (const Ipv4Address address : store_.Assign(block, owner, before)) {
      assigned.address = address;
      addresses.push_back(assigned);
    }
    if (wanted() < before) {
      store_.IncrementHandle(owner.handle, block, before, before - wanted());
    }
    return wanted() == 0;
  };

  // Blocks the host owns (A1, A3).
  std::vector<BlockAffinity> affinities = store_.ListAffinities(request.host);
  for (const BlockAffinity& affinity : affinities) {
    if (!Covers(pools, affinity.cidr)) ReleaseUnlessSelected(request.host, affinity.cidr);  // P6
  }
  std::erase_if(affinities, [&](const BlockAffinity& a) { return !Covers(pools, a.cidr); });
  for (const BlockAffinity& affinity : affinities) {
    const AllocationBlock* block = BlockOfAffinity(request.host, affinity.cidr, now);
    if (block != nullptr && take_from(affinity.cidr, {})) return {};
  }

  // More blocks (A2, A4, A5). One that smaller reservations fill up gives nothing, and the next is
  // claimed.
  int limit = config_.max_blocks_per_host;
  if (request.max_blocks > 0) {
    limit = limit > 0 ? std::min(limit, request.max_blocks) : request.max_blocks;
  }
  if (limit == 0) limit = kDefaultMaxBlocksPerHost;
  for (auto owned = static_cast<int>(affinities.size());; ++owned) {
    if (owned >= limit) {
      return Failure(calico_error::kBlockLimit,
                     fmt::format("node {} owns {} blocks of at most {}, all full", request.host,
                                 owned, limit));
    }
    if (!config_.auto_allocate_blocks) {
      return Failure(calico_error::kAutoAllocateOff,
                     fmt::format("the blocks of node {} are full, and none is claimed "
                                 "automatically",
                                 request.host));
    }
    AssignedAddress assigned;
    assigned.block_claimed = true;
    const std::optional<Ipv4Cidr> block =
        FindUsableBlock(pools, request.host, now, assigned.reclaimed_from);
    if (!block) break;
    if (const Status claimed = Claim(request.host, *block, now); !claimed) return claimed;
    if (take_from(*block, assigned)) return {};
  }

  // Anybody's blocks (A6, B1, B3).
  if (!config_.strict_affinity) {
    for (const IpPool* pool : pools) {
      const uint32_t start = WalkStart(*pool, request.host, now);
      uint32_t walked = 0;
      while (const auto block = store_.FindBorrowable(*pool, start, walked)) {
        AssignedAddress assigned;
        assigned.borrowed = true;
        if (take_from(*block, assigned)) return {};
      }
    }
  }
  return Failure(calico_error::kPoolsExhausted,
                 fmt::format("{} of {} addresses for node {}: {}", addresses.size(), request.count,
                             request.host,
                             config_.strict_affinity
                                 ? "no free block is left, and strictAffinity forbids borrowing"
                                 : "every block of every pool is full"));
}

const AllocationBlock* CalicoIpam::BlockOfAffinity(std::string_view host, Ipv4Cidr cidr,
                                                   TimePoint now) {
  const AffinityState state = store_.ReadAffinity(host, cidr)->state;
  const AllocationBlock* block = store_.ReadBlock(cidr);
  if (block == nullptr) {
    if (!Claim(host, cidr, now)) return nullptr;
    return store_.PeekBlock(cidr);
  }
  if (!block->BelongsTo(host)) {
    store_.DeleteAffinity(host, cidr);
    return nullptr;
  }
  if (state != AffinityState::kConfirmed) {
    store_.WriteAffinity(host, cidr, AffinityState::kPending);
    store_.TouchBlock(cidr);
    store_.WriteAffinity(host, cidr, AffinityState::kConfirmed);
  }
  return block;
}

Status CalicoIpam::Claim(std::string_view host, Ipv4Cidr cidr, TimePoint now) {
  store_.WriteAffinity(host, cidr, AffinityState::kPending);
  if (!store_.CreateBlock(cidr, host, now)) {
    if (!store_.ReadBlock(cidr)->BelongsTo(host)) {
      store_.DeleteAffinity(host, cidr);
      return Failure(calico_error::kBlockClaimed,
                     fmt::format("block {} is not node {}'s", cidr.ToString(), host));
    }
  }
  store_.WriteAffinity(host, cidr, AffinityState::kConfirmed);
  return {};
}

Status CalicoIpam::ClaimBlock(std::string_view host, Ipv4Cidr block, TimePoint now) {
  store_.Advance(now);
  const IpPool* pool = store_.PoolOf(block.network());
  if (pool == nullptr || pool->block_size != block.length()) {
    return Failure(calico_error::kInvalidPool,
                   fmt::format("{} is not a block of a pool", block.ToString()));
  }
  return Claim(host, block, now);
}

std::optional<Ipv4Cidr> CalicoIpam::FindUsableBlock(const Pools& pools, std::string_view host,
                                                    TimePoint now, std::string& reclaimed_from) {
  store_.ListBlocks();
  for (const IpPool* pool : pools) {
    const auto block = store_.FindClaimable(*pool, WalkStart(*pool, host, now), host);
    if (block) return block;
  }
  if (!config_.reclaim_empty_blocks) return std::nullopt;
  for (const IpPool* pool : pools) {
    const AllocationBlock* block = store_.FindReclaimable(*pool, WalkStart(*pool, host, now), host);
    if (block == nullptr) continue;
    const Ipv4Cidr cidr = block->cidr();
    reclaimed_from = *block->host();
    AffinityReleaseReply released;
    ReleaseOneAffinity(reclaimed_from, cidr, true, released);
    return cidr;
  }
  return std::nullopt;
}

void CalicoIpam::ReleaseUnlessSelected(std::string_view host, Ipv4Cidr cidr) {
  const IpPool* pool = store_.PoolOf(cidr.network());
  if (pool == nullptr || store_.SelectsNode(*pool, host)) return;
  AffinityReleaseReply reply;
  ReleaseOneAffinity(host, cidr, true, reply);
}

void CalicoIpam::ReleaseUnlessSelected(Ipv4Cidr cidr) {
  const AllocationBlock* block = store_.PeekBlock(cidr);
  if (block == nullptr || !block->host()) return;
  const std::string host = *block->host();  // the block may go
  ReleaseUnlessSelected(host, cidr);
}

ReleaseReply CalicoIpam::Release(std::string_view handle, TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  ReleaseReply reply;
  ReleaseHandle(handle, now, reply);
  reply.cost = CostSince(before);
  return reply;
}

ReleaseReply CalicoIpam::ReleasePod(std::string_view container_id, std::string_view pod_namespace,
                                    std::string_view pod, TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  ReleaseReply reply;
  ReleaseHandle(SandboxHandle(container_id), now, reply);
  ReleaseHandle(WorkloadHandle(pod_namespace, pod), now, reply);
  reply.cost = CostSince(before);
  return reply;
}

void CalicoIpam::ReleaseHandle(std::string_view handle, TimePoint now, ReleaseReply& reply) {
  for (const HandleCount& held : store_.ReadHandle(handle)) {
    const AllocationBlock* block = store_.ReadBlock(held.block);
    const std::vector<int> ordinals =
        block == nullptr ? std::vector<int>{} : block->OrdinalsOf(handle);
    if (ordinals.empty()) continue;
    for (const int ordinal : ordinals) reply.released.push_back(block->AddressOf(ordinal));
    store_.Release(held.block, ordinals, now, config_.ip_cooldown);
    store_.DecrementHandle(handle, held.block, static_cast<int>(ordinals.size()), false);
    ReleaseUnlessSelected(held.block);
  }
}

ReleaseReply CalicoIpam::ReleaseAddresses(const std::vector<ReleaseAddressRequest>& requests,
                                          TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  ReleaseReply reply;
  // More than two addresses: all handles are listed at once instead of read one by one (R10).
  const bool handles_listed = requests.size() > 2;
  if (handles_listed) store_.CountList(store_.handle_count());

  std::map<Ipv4Cidr, std::vector<const ReleaseAddressRequest*>> by_block;
  for (const ReleaseAddressRequest& request : requests) {
    const IpPool* pool = store_.PoolOf(request.address);
    const int length = pool == nullptr ? 32 : pool->block_size;
    by_block[Ipv4Cidr(request.address, length)].push_back(&request);
  }
  for (const auto& [cidr, wanted] : by_block) {
    const AllocationBlock* block = store_.ReadBlock(cidr);
    std::vector<int> ordinals;
    std::vector<Ipv4Address> unallocated;
    std::optional<Error> mismatch;
    for (const ReleaseAddressRequest* request : wanted) {
      const int ordinal = block == nullptr ? 0 : block->OrdinalOf(request->address);
      const AllocationOwner* owner = block == nullptr ? nullptr : block->OwnerOf(ordinal);
      if (owner == nullptr) {
        unallocated.push_back(request->address);
      } else if ((request->handle && *request->handle != owner->handle) ||
                 (request->sequence && *request->sequence != block->SequenceOf(ordinal))) {
        mismatch = Error{
            std::string(calico_error::kReleaseMismatch),
            fmt::format("{} is held as {} with sequence number {}", request->address.ToString(),
                        owner->handle, block->SequenceOf(ordinal))};
        break;
      } else if (std::find(ordinals.begin(), ordinals.end(), ordinal) == ordinals.end()) {
        ordinals.push_back(ordinal);
      }
    }
    if (mismatch) {
      reply.errors.push_back(std::move(*mismatch));
      continue;
    }
    reply.unallocated.insert(reply.unallocated.end(), unallocated.begin(), unallocated.end());
    if (ordinals.empty()) continue;
    std::map<std::string, int> handles;
    for (const int ordinal : ordinals) {
      ++handles[block->OwnerOf(ordinal)->handle];
      reply.released.push_back(block->AddressOf(ordinal));
    }
    store_.Release(cidr, ordinals, now, config_.ip_cooldown);
    for (const auto& [handle, count] : handles) {
      store_.DecrementHandle(handle, cidr, count, handles_listed);
    }
    ReleaseUnlessSelected(cidr);
  }
  reply.cost = CostSince(before);
  return reply;
}

AffinityReleaseReply CalicoIpam::ReleaseAffinity(std::string_view host, Ipv4Cidr block,
                                                 bool require_empty, TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  AffinityReleaseReply reply;
  ReleaseOneAffinity(host, block, require_empty, reply);
  reply.cost = CostSince(before);
  return reply;
}

AffinityReleaseReply CalicoIpam::ReleaseHostAffinities(std::string_view host, TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  AffinityReleaseReply reply;
  for (const BlockAffinity& affinity : store_.ListAffinities(host)) {
    ReleaseOneAffinity(host, affinity.cidr, false, reply);
  }
  reply.cost = CostSince(before);
  return reply;
}

void CalicoIpam::ReleaseOneAffinity(std::string_view host, Ipv4Cidr cidr, bool require_empty,
                                    AffinityReleaseReply& reply) {
  if (!store_.ReadAffinity(host, cidr)) {
    reply.status = Failure(calico_error::kNoAffinity,
                           fmt::format("node {} has no affinity for {}", host, cidr.ToString()));
    return;
  }
  const AllocationBlock* block = store_.ReadBlock(cidr);
  const bool owned = block != nullptr && block->BelongsTo(host);
  if (owned && require_empty && !block->empty()) {
    reply.status =
        Failure(calico_error::kBlockNotEmpty, fmt::format("block {} is in use", cidr.ToString()));
    return;
  }
  store_.WriteAffinity(host, cidr, AffinityState::kPendingDeletion);
  if (owned) {
    (block->empty() ? reply.deleted : reply.orphaned).push_back(cidr);
    store_.ReleaseBlock(cidr);
  }
  store_.DeleteAffinity(host, cidr);
}

}  // namespace cnisim
