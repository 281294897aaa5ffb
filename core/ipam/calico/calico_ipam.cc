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
  if (request.pools.empty()) {
    Pools pools = store_.Pools();
    std::erase_if(pools, [](const IpPool* pool) { return !pool->enabled; });
    if (pools.empty()) {
      return Failure(calico_error::kNoPools,
                     fmt::format("no enabled IP pool for node {}", request.host));
    }
    return pools;
  }
  Pools pools;
  for (const std::string& name : request.pools) {
    const IpPool* pool = store_.FindPool(name);
    if (pool == nullptr || !pool->enabled) {
      return Failure(calico_error::kUnknownPool,
                     fmt::format("IP pool \"{}\" does not exist or is disabled", name));
    }
    pools.push_back(pool);
  }
  return pools;
}

AssignReply CalicoIpam::AutoAssign(const AssignRequest& request, TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  if (request.host.empty() || request.handle.empty()) {
    return {Failure(calico_error::kInvalidRequest, "an assignment needs a host and a handle"), {}};
  }
  store_.CountReads(2);                                           // configuration, node
  store_.CountList(static_cast<int64_t>(store_.Pools().size()));  // pools
  store_.CountList(store_.reservation_count());                   // reservations
  Result<AssignedAddress> address = SelectPools(request).and_then(
      [&](const Pools& pools) { return AssignFrom(pools, request, now); });
  return {std::move(address), CostSince(before)};
}

AssignReply CalicoIpam::AssignTunnelAddress(std::string_view host, CalicoTunnel tunnel,
                                            TimePoint now) {
  const DatastoreCost before = store_.cost();
  store_.Advance(now);
  AssignRequest request;
  request.host = host;
  request.handle = TunnelHandle(tunnel, host);
  request.tunnel = tunnel;
  for (const HandleCount& held : store_.ReadHandle(request.handle)) {
    const AllocationBlock* block = store_.ReadBlock(held.block);
    if (block == nullptr) continue;
    const std::vector<int> ordinals = block->OrdinalsOf(request.handle);
    if (ordinals.empty()) continue;
    AssignedAddress address;
    address.address = block->AddressOf(ordinals.front());
    address.block = held.block;
    address.borrowed = !block->BelongsTo(host);
    return {std::move(address), CostSince(before)};
  }
  for (const IpPool* pool : store_.Pools()) {
    if (pool->enabled && (tunnel == CalicoTunnel::kWireguard || pool->tunnel == tunnel)) {
      request.pools.push_back(pool->name);
    }
  }
  if (request.pools.empty()) {
    return {Failure(calico_error::kNoPools,
                    fmt::format("no enabled IP pool of mode {}", ToString(tunnel))),
            CostSince(before)};
  }
  AssignReply reply = AutoAssign(request, now);
  reply.cost = CostSince(before);
  return reply;
}

Result<AssignedAddress> CalicoIpam::AssignFrom(const Pools& pools, const AssignRequest& request,
                                               TimePoint now) {
  const AllocationOwner owner{request.handle, request.pod_namespace, request.pod, request.host,
                              request.tunnel};
  AssignedAddress result;

  // Blocks the host owns (A1, A3).
  std::vector<BlockAffinity> affinities = store_.ListAffinities(request.host);
  std::erase_if(affinities, [&](const BlockAffinity& a) { return !Covers(pools, a.cidr); });
  for (const BlockAffinity& affinity : affinities) {
    const AllocationBlock* block = BlockOfAffinity(request.host, affinity.cidr, now);
    if (block == nullptr) continue;
    if (const auto address = AssignInBlock(affinity.cidr, owner)) {
      result.address = *address;
      result.block = affinity.cidr;
      return result;
    }
  }

  // Another block (A2, A4, A5). A block that smaller reservations fill up gives nothing, and the
  // next one is claimed.
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
    const std::optional<Ipv4Cidr> block =
        FindUsableBlock(pools, request.host, now, result.reclaimed_from);
    if (!block) break;
    store_.WriteAffinity(request.host, *block, AffinityState::kPending);
    if (const Status claimed = FinishClaim(request.host, *block, now); !claimed) {
      return tl::unexpected(claimed.error());
    }
    if (const auto address = AssignInBlock(*block, owner)) {
      result.address = *address;
      result.block = *block;
      result.block_claimed = true;
      return result;
    }
  }

  // Anybody's block (A6, B1, B3).
  if (!config_.strict_affinity) {
    for (const IpPool* pool : pools) {
      const std::optional<Ipv4Cidr> block =
          store_.FindBorrowable(*pool, WalkStart(*pool, request.host, now));
      if (!block) continue;
      result.address = *AssignInBlock(*block, owner);
      result.block = *block;
      result.borrowed = true;
      return result;
    }
  }
  return Failure(calico_error::kPoolsExhausted,
                 fmt::format("no address for node {}: {}", request.host,
                             config_.strict_affinity
                                 ? "no free block is left, and strictAffinity forbids borrowing"
                                 : "every block of every pool is full"));
}

std::optional<Ipv4Address> CalicoIpam::AssignInBlock(Ipv4Cidr block, const AllocationOwner& owner) {
  // The real client counts the handle up first (A12); nothing can come between the two here.
  const std::optional<Ipv4Address> address = store_.Assign(block, owner);
  if (address) store_.IncrementHandle(owner.handle, block);
  return address;
}

const AllocationBlock* CalicoIpam::BlockOfAffinity(std::string_view host, Ipv4Cidr cidr,
                                                   TimePoint now) {
  const AffinityState state = store_.ReadAffinity(host, cidr)->state;
  const AllocationBlock* block = store_.ReadBlock(cidr);
  if (block == nullptr) {
    store_.WriteAffinity(host, cidr, AffinityState::kPending);
    if (!FinishClaim(host, cidr, now)) return nullptr;
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

Status CalicoIpam::FinishClaim(std::string_view host, Ipv4Cidr cidr, TimePoint now) {
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
  store_.WriteAffinity(host, block, AffinityState::kPending);
  return FinishClaim(host, block, now);
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
