#include "core/ipam/calico/block_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "core/ipam/calico/errors.h"

namespace cnisim {
namespace {

// The part of an affinity's object name that follows the host.
std::string ObjectName(Ipv4Cidr cidr) {
  const uint32_t bits = cidr.network().bits();
  return fmt::format("{}-{}-{}-{}-{}", bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255,
                     cidr.length());
}

auto FindAffinity(auto& affinities, Ipv4Cidr cidr) {
  return std::find_if(affinities.begin(), affinities.end(),
                      [cidr](const BlockAffinity& a) { return a.cidr == cidr; });
}

const Labels& LabelsOf(const std::map<std::string, Labels, std::less<>>& all,
                       std::string_view name) {
  static const Labels kNone;
  const auto it = all.find(name);
  return it == all.end() ? kNone : it->second;
}

Status InvalidPool(std::string text) {
  return Fail(std::string(calico_error::kInvalidPool), std::move(text));
}

}  // namespace

BlockStore::BlockStore(std::vector<Ipv4Cidr> reservations)
    : reservations_(std::move(reservations)) {}

void BlockStore::CountList(int64_t items) {
  ++cost_.lists;
  cost_.listed_items += items;
}

Status BlockStore::AddPool(IpPool pool) {
  if (Status valid = ValidatePool(pool); !valid) return valid;
  for (const auto& [name, state] : pools_) {
    if (name == pool.name) return InvalidPool(fmt::format("pool \"{}\" exists", name));
    if (state.pool.cidr.Overlaps(pool.cidr)) {
      return InvalidPool(fmt::format("pool \"{}\" ({}) overlaps pool \"{}\" ({})", pool.name,
                                     pool.cidr.ToString(), name, state.pool.cidr.ToString()));
    }
  }
  const uint32_t count = pool.block_count();
  const std::string name = pool.name;
  PoolState& state = pools_.try_emplace(name, std::move(pool), count).first->second;
  by_network_[state.pool.cidr.network()] = &state;
  IndexSet reserved(count);
  for (const Ipv4Cidr reservation : reservations_) {
    if (!reservation.Overlaps(state.pool.cidr)) continue;
    // Of two CIDRs that overlap one contains the other.
    const bool covers_pool = reservation.Contains(state.pool.cidr);
    if (!covers_pool && reservation.length() > state.pool.block_size) continue;
    const uint32_t first = covers_pool ? 0 : state.pool.BlockIndexOf(reservation.network());
    const uint32_t last = covers_pool ? count - 1 : state.pool.BlockIndexOf(reservation.last());
    for (uint32_t i = first; i <= last; ++i) reserved.Insert(i);
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (!reserved.Contains(i)) {
      state.absent.Insert(i);
    } else if (!state.reserved.empty() && state.reserved.back().second + 1 == i) {
      state.reserved.back().second = i;
    } else {
      state.reserved.emplace_back(i, i);
    }
  }
  return {};
}

Status BlockStore::UpdatePool(IpPool pool) {
  if (Status valid = ValidatePool(pool); !valid) return valid;
  const auto it = pools_.find(pool.name);
  if (it == pools_.end()) {
    return Fail(std::string(calico_error::kUnknownPool), fmt::format("no pool \"{}\"", pool.name));
  }
  IpPool& current = it->second.pool;
  if (pool.cidr != current.cidr || pool.block_size != current.block_size) {
    return InvalidPool(fmt::format("range and blockSize of pool \"{}\" never change", pool.name));
  }
  current = std::move(pool);
  return {};
}

const IpPool* BlockStore::FindPool(std::string_view name) const {
  const auto it = pools_.find(name);
  return it == pools_.end() ? nullptr : &it->second.pool;
}

const IpPool* BlockStore::PoolOf(Ipv4Address address) const {
  auto it = by_network_.upper_bound(address);
  if (it == by_network_.begin()) return nullptr;
  const IpPool& pool = (--it)->second->pool;
  return pool.cidr.Contains(address) ? &pool : nullptr;
}

std::vector<const IpPool*> BlockStore::Pools() const {
  std::vector<const IpPool*> pools;
  for (const auto& [name, state] : pools_) pools.push_back(&state.pool);
  return pools;
}

void BlockStore::SetNodeLabels(std::string_view node, Labels labels) {
  node_labels_[std::string(node)] = std::move(labels);
}

void BlockStore::SetNamespaceLabels(std::string_view pod_namespace, Labels labels) {
  namespace_labels_[std::string(pod_namespace)] = std::move(labels);
}

bool BlockStore::SelectsNode(const IpPool& pool, std::string_view node) const {
  return pool.node_selector.Matches(LabelsOf(node_labels_, node));
}

bool BlockStore::SelectsNamespace(const IpPool& pool, std::string_view pod_namespace) const {
  return pool.namespace_selector.Matches(LabelsOf(namespace_labels_, pod_namespace));
}

void BlockStore::Advance(TimePoint now) {
  while (!cooling_.empty() && cooling_.front().ends <= now) {
    const CoolingAddress address = cooling_.front();
    cooling_.pop_front();
    Mutate(address.block, [&](AllocationBlock& block) {
      block.Reclaim(address.ordinal);
      block.CountWrite();
    });
  }
  mature_until_ = now - kReclaimMinAge;
  while (!young_.empty() && young_.front().first <= mature_until_) {
    const Ipv4Cidr cidr = young_.front().second;
    young_.pop_front();
    PoolState& state = *StateOf(cidr);
    const uint32_t index = state.pool.BlockIndexOf(cidr.network());
    const auto it = state.blocks.find(index);
    if (it != state.blocks.end()) Index(state, index, it->second);
  }
}

std::vector<BlockAffinity> BlockStore::ListAffinities(std::string_view host) {
  const std::vector<BlockAffinity>& affinities = AffinitiesOf(host);
  CountList(static_cast<int64_t>(affinities.size()));
  return affinities;
}

std::optional<BlockAffinity> BlockStore::ReadAffinity(std::string_view host, Ipv4Cidr cidr) {
  ++cost_.reads;
  const std::vector<BlockAffinity>& affinities = AffinitiesOf(host);
  const auto it = FindAffinity(affinities, cidr);
  if (it == affinities.end()) return std::nullopt;
  return *it;
}

void BlockStore::WriteAffinity(std::string_view host, Ipv4Cidr cidr, AffinityState state) {
  ++cost_.writes;
  std::vector<BlockAffinity>& affinities = HostOf(host).affinities;
  const auto it = FindAffinity(affinities, cidr);
  if (it != affinities.end()) {
    it->state = state;
    return;
  }
  const std::string name = ObjectName(cidr);
  const auto place =
      std::find_if(affinities.begin(), affinities.end(),
                   [&name](const BlockAffinity& a) { return name < ObjectName(a.cidr); });
  affinities.insert(place, BlockAffinity{cidr, state});
}

void BlockStore::DeleteAffinity(std::string_view host, Ipv4Cidr cidr) {
  ++cost_.writes;
  const auto it = hosts_.find(host);
  if (it == hosts_.end()) return;
  const auto affinity = FindAffinity(it->second.affinities, cidr);
  if (affinity != it->second.affinities.end()) it->second.affinities.erase(affinity);
  ForgetHostIfUnused(it);
}

const AllocationBlock* BlockStore::ReadBlock(Ipv4Cidr cidr) {
  ++cost_.reads;
  return PeekBlock(cidr);
}

bool BlockStore::CreateBlock(Ipv4Cidr cidr, std::string_view host, TimePoint now) {
  ++cost_.writes;
  PoolState& state = *StateOf(cidr);
  assert(state.pool.block_size == cidr.length());
  const uint32_t index = state.pool.BlockIndexOf(cidr.network());
  const auto [it, created] =
      state.blocks.try_emplace(index, cidr, std::string(host), now, ReservedOrdinals(cidr));
  if (!created) return false;
  Account(it->second, 1);
  Index(state, index, it->second);
  state.absent.Erase(index);
  young_.emplace_back(now, cidr);
  std::vector<Ipv4Cidr>& blocks = HostOf(host).blocks;
  blocks.insert(std::lower_bound(blocks.begin(), blocks.end(), cidr), cidr);
  return true;
}

void BlockStore::TouchBlock(Ipv4Cidr cidr) {
  ++cost_.writes;
  Mutate(cidr, [](AllocationBlock& block) { block.CountWrite(); });
}

std::vector<Ipv4Address> BlockStore::Assign(Ipv4Cidr cidr, const AllocationOwner& owner,
                                            int count) {
  std::vector<Ipv4Address> addresses;
  Mutate(cidr, [&](AllocationBlock& block) {
    while (static_cast<int>(addresses.size()) < count) {
      const std::optional<int> ordinal = block.Assign(owner);
      if (!ordinal) break;
      addresses.push_back(block.AddressOf(*ordinal));
    }
    if (!addresses.empty()) block.CountWrite();
  });
  if (!addresses.empty()) ++cost_.writes;
  return addresses;
}

bool BlockStore::AssignAddress(Ipv4Cidr cidr, Ipv4Address address, const AllocationOwner& owner) {
  bool assigned = false;
  Mutate(cidr, [&](AllocationBlock& block) {
    assigned = block.AssignOrdinal(block.OrdinalOf(address), owner);
    if (assigned) block.CountWrite();
  });
  if (assigned) ++cost_.writes;
  return assigned;
}

void BlockStore::Release(Ipv4Cidr cidr, const std::vector<int>& ordinals, TimePoint now,
                         Duration cooldown) {
  ++cost_.writes;
  const bool cool = cooldown > Duration::zero();
  Mutate(cidr, [&](AllocationBlock& block) {
    for (const int ordinal : ordinals) {
      block.Release(ordinal, now, cool);
      if (cool) cooling_.push_back({now + cooldown, cidr, ordinal});
    }
    block.CountWrite();
  });
}

void BlockStore::ReleaseBlock(Ipv4Cidr cidr) {
  ++cost_.writes;
  Mutate(cidr, [&](AllocationBlock& block) {
    if (block.host()) RemoveBlockFromHost(*block.host(), cidr);
    block.DropAffinity();
    block.CountWrite();
  });
}

std::optional<Ipv4Cidr> BlockStore::FindClaimable(const IpPool& pool, uint32_t start,
                                                  std::string_view host) const {
  const PoolState& state = StateOf(pool);
  const uint32_t mask = pool.block_count() - 1;  // the count is a power of two
  std::optional<uint32_t> best = state.absent.NextRound(start);
  for (const Ipv4Cidr cidr : BlocksOf(host)) {
    if (!pool.cidr.Contains(cidr)) continue;
    const uint32_t index = pool.BlockIndexOf(cidr.network());
    if (!state.with_space.Contains(index)) continue;
    if (!best || ((index - start) & mask) < ((*best - start) & mask)) best = index;
  }
  if (!best) return std::nullopt;
  return pool.BlockAt(*best);
}

const AllocationBlock* BlockStore::FindReclaimable(const IpPool& pool, uint32_t start,
                                                   std::string_view host) const {
  const PoolState& state = StateOf(pool);
  const std::optional<uint32_t> first = state.reclaimable.NextRound(start);
  if (!first) return nullptr;
  uint32_t index = *first;
  do {
    const AllocationBlock& block = state.blocks.at(index);
    if (!block.BelongsTo(host)) return &block;
    index = *state.reclaimable.NextRound(index + 1);
  } while (index != *first);
  return nullptr;
}

std::optional<Ipv4Cidr> BlockStore::FindBorrowable(const IpPool& pool, uint32_t start,
                                                   uint32_t& walked) {
  const PoolState& state = StateOf(pool);
  const uint32_t count = pool.block_count();
  const uint32_t from_here = (start + walked) & (count - 1);
  const std::optional<uint32_t> found = state.with_space.NextRound(from_here);
  const uint32_t steps = found ? ((*found - from_here) & (count - 1)) + 1 : count - walked;
  walked += steps;
  // The walk visits [from_here, end), where end may lie beyond the pool's last block.
  const uint64_t end = uint64_t{from_here} + steps;
  int64_t reads = steps;
  for (const auto& [first, last] : state.reserved) {
    for (const uint64_t lap : {uint64_t{0}, uint64_t{count}}) {
      const uint64_t from = std::max<uint64_t>(from_here, first + lap);
      const uint64_t to = std::min<uint64_t>(end, last + lap + 1);
      if (from < to) reads -= static_cast<int64_t>(to - from);
    }
  }
  cost_.reads += reads;
  if (!found) return std::nullopt;
  return pool.BlockAt(*found);
}

std::vector<HandleCount> BlockStore::ReadHandle(std::string_view handle) {
  ++cost_.reads;
  const auto it = handles_.find(handle);
  return it == handles_.end() ? std::vector<HandleCount>{} : it->second;
}

void BlockStore::IncrementHandle(std::string_view handle, Ipv4Cidr block, int wanted,
                                 int obtained) {
  ++cost_.reads;
  ++cost_.writes;
  unobtained_ += wanted - obtained;
  auto it = handles_.find(handle);
  if (it == handles_.end()) it = handles_.try_emplace(std::string(handle)).first;
  std::vector<HandleCount>& counts = it->second;
  const auto place =
      std::lower_bound(counts.begin(), counts.end(), block,
                       [](const HandleCount& c, Ipv4Cidr cidr) { return c.block < cidr; });
  if (place != counts.end() && place->block == block) {
    place->count += wanted;
  } else {
    counts.insert(place, HandleCount{block, wanted});
  }
}

void BlockStore::DecrementHandle(std::string_view handle, Ipv4Cidr block, int count,
                                 bool already_read) {
  if (!already_read) ++cost_.reads;
  ++cost_.writes;
  const auto it = handles_.find(handle);
  if (it == handles_.end()) return;
  std::vector<HandleCount>& counts = it->second;
  const auto place = std::find_if(counts.begin(), counts.end(),
                                  [block](const HandleCount& c) { return c.block == block; });
  if (place == counts.end()) return;
  place->count -= count;
  if (place->count <= 0) counts.erase(place);
  if (counts.empty()) handles_.erase(it);
}

const AllocationBlock* BlockStore::PeekBlock(Ipv4Cidr cidr) const {
  const AllocationBlock* block = PeekBlockOf(cidr.network());
  return block != nullptr && block->cidr() == cidr ? block : nullptr;
}

const AllocationBlock* BlockStore::PeekBlockOf(Ipv4Address address) const {
  const PoolState* state = StateOf(Ipv4Cidr(address));
  if (state == nullptr) return nullptr;
  const auto it = state->blocks.find(state->pool.BlockIndexOf(address));
  return it == state->blocks.end() ? nullptr : &it->second;
}

const std::vector<Ipv4Cidr>& BlockStore::BlocksOf(std::string_view host) const {
  static const std::vector<Ipv4Cidr> kNothing;
  const auto it = hosts_.find(host);
  return it == hosts_.end() ? kNothing : it->second.blocks;
}

const std::vector<BlockAffinity>& BlockStore::AffinitiesOf(std::string_view host) const {
  static const std::vector<BlockAffinity> kNothing;
  const auto it = hosts_.find(host);
  return it == hosts_.end() ? kNothing : it->second.affinities;
}

std::vector<Ipv4Cidr> BlockStore::ConfirmedBlocksOf(std::string_view host) const {
  std::vector<Ipv4Cidr> blocks;
  for (const BlockAffinity& affinity : AffinitiesOf(host)) {
    if (affinity.state == AffinityState::kConfirmed) blocks.push_back(affinity.cidr);
  }
  std::sort(blocks.begin(), blocks.end());
  return blocks;
}

std::vector<std::string> BlockStore::Hosts() const {
  std::vector<std::string> hosts;
  for (const auto& [name, host] : hosts_) {
    if (!host.affinities.empty()) hosts.push_back(name);
  }
  return hosts;
}

std::vector<Ipv4Address> BlockStore::AddressesOf(std::string_view handle) const {
  std::vector<Ipv4Address> addresses;
  const auto it = handles_.find(handle);
  if (it == handles_.end()) return addresses;
  for (const HandleCount& count : it->second) {
    const AllocationBlock* block = PeekBlock(count.block);
    if (block == nullptr) continue;
    for (const int ordinal : block->OrdinalsOf(handle)) {
      addresses.push_back(block->AddressOf(ordinal));
    }
  }
  return addresses;
}

void BlockStore::ForEachBlock(const std::function<void(const AllocationBlock&)>& visit) const {
  for (const auto& [name, state] : pools_) {
    for (const auto& [index, block] : state.blocks) visit(block);
  }
}

BlockStore::PoolState* BlockStore::StateOf(Ipv4Cidr cidr) const {
  auto it = by_network_.upper_bound(cidr.network());
  if (it == by_network_.begin()) return nullptr;
  PoolState* state = (--it)->second;
  return state->pool.cidr.Contains(cidr) ? state : nullptr;
}

const BlockStore::PoolState& BlockStore::StateOf(const IpPool& pool) const {
  return *by_network_.at(pool.cidr.network());
}

BlockStore::HostState& BlockStore::HostOf(std::string_view host) {
  const auto it = hosts_.find(host);
  return it != hosts_.end() ? it->second : hosts_[std::string(host)];
}

void BlockStore::ForgetHostIfUnused(HostMap::iterator host) {
  if (host->second.affinities.empty() && host->second.blocks.empty()) hosts_.erase(host);
}

void BlockStore::RemoveBlockFromHost(const std::string& host, Ipv4Cidr cidr) {
  const auto it = hosts_.find(host);
  std::erase(it->second.blocks, cidr);
  ForgetHostIfUnused(it);
}

std::vector<bool> BlockStore::ReservedOrdinals(Ipv4Cidr cidr) const {
  std::vector<bool> reserved;
  for (const Ipv4Cidr reservation : reservations_) {
    if (!reservation.Overlaps(cidr)) continue;
    reserved.resize(cidr.size());
    for (uint32_t i = 0; i < cidr.size(); ++i) {
      if (reservation.Contains(cidr.network().Offset(i))) reserved[i] = true;
    }
  }
  return reserved;
}

void BlockStore::Account(const AllocationBlock& block, int64_t sign) {
  statistics_.blocks += sign;
  statistics_.affine_blocks += block.host() ? sign : 0;
  statistics_.allocated += sign * block.allocated();
  statistics_.borrowed += sign * block.borrowed();
  statistics_.cooling += sign * block.cooling();
}

bool BlockStore::IsReclaimable(const AllocationBlock& block) const {
  return block.host() && block.empty() && block.available() > 0 &&
         block.claimed_at() <= mature_until_;
}

void BlockStore::Index(PoolState& state, uint32_t index, const AllocationBlock& block) {
  state.with_space.Set(index, block.available() > 0);
  state.reclaimable.Set(index, IsReclaimable(block));
}

template <typename Change>
void BlockStore::Mutate(Ipv4Cidr cidr, Change change) {
  PoolState& state = *StateOf(cidr);
  const uint32_t index = state.pool.BlockIndexOf(cidr.network());
  const auto it = state.blocks.find(index);
  assert(it != state.blocks.end());
  AllocationBlock& block = it->second;
  Account(block, -1);
  change(block);
  if (block.host() || !block.empty()) {
    Account(block, 1);
    Index(state, index, block);
    return;
  }
  state.blocks.erase(it);
  state.with_space.Erase(index);
  state.reclaimable.Erase(index);
  const bool reserved = std::ranges::any_of(
      state.reserved, [index](auto run) { return run.first <= index && index <= run.second; });
  if (!reserved) state.absent.Insert(index);
}

std::vector<std::string> BlockStore::CheckInvariants() const {
  std::vector<std::string> violations;
  IpamStatistics found;
  for (const auto& [name, state] : pools_) {
    for (const auto& [index, block] : state.blocks) {
      const std::string cidr = block.cidr().ToString();
      for (std::string& text : block.CheckInvariants()) violations.push_back(std::move(text));
      if (block.cidr() != state.pool.BlockAt(index)) {
        violations.push_back(fmt::format("block {} is not block {} of its pool", cidr, index));
      }
      ++found.blocks;
      found.allocated += block.allocated();
      found.cooling += block.cooling();
      found.borrowed += block.borrowed();
      if (block.host()) {
        ++found.affine_blocks;
        const std::vector<BlockAffinity>& affinities = AffinitiesOf(*block.host());
        if (FindAffinity(affinities, block.cidr()) == affinities.end()) {
          violations.push_back(fmt::format("block {} has no affinity of {}", cidr, *block.host()));
        }
        if (!std::ranges::binary_search(BlocksOf(*block.host()), block.cidr())) {
          violations.push_back(fmt::format("block {} is not listed for its host", cidr));
        }
      } else if (block.empty()) {
        violations.push_back(fmt::format("block {} is empty and has no host", cidr));
      }
      if (state.absent.Contains(index) ||
          state.with_space.Contains(index) != (block.available() > 0) ||
          state.reclaimable.Contains(index) != IsReclaimable(block)) {
        violations.push_back(fmt::format("block {} is indexed wrongly", cidr));
      }
    }
  }
  int64_t listed = 0;
  for (const auto& [name, host] : hosts_) {
    listed += static_cast<int64_t>(host.blocks.size());
    for (const BlockAffinity& affinity : host.affinities) {
      if (affinity.state != AffinityState::kConfirmed) continue;
      const AllocationBlock* block = PeekBlock(affinity.cidr);
      if (block == nullptr || !block->BelongsTo(name)) {
        violations.push_back(fmt::format("affinity of {} for {} is confirmed, but the block {}",
                                         name, affinity.cidr.ToString(),
                                         block == nullptr ? "is absent" : "is not its"));
      }
    }
  }
  if (listed != found.affine_blocks) violations.push_back("hosts list blocks that are not theirs");
  CheckHandles(violations);
  if (static_cast<int64_t>(cooling_.size()) != found.cooling) {
    violations.push_back("the cooling queue and the blocks disagree");
  }
  if (found != statistics_) violations.push_back("the statistics do not match the blocks");
  return violations;
}

void BlockStore::CheckHandles(std::vector<std::string>& violations) const {
  std::map<std::pair<std::string_view, Ipv4Cidr>, int> held;
  ForEachBlock([&](const AllocationBlock& block) {
    for (int i = 0; i < block.size(); ++i) {
      if (const AllocationOwner* owner = block.OwnerOf(i)) ++held[{owner->handle, block.cidr()}];
    }
  });
  int64_t unobtained = 0;
  for (const auto& [handle, counts] : handles_) {
    if (counts.empty()) violations.push_back(fmt::format("handle {} counts nothing", handle));
    for (const HandleCount& count : counts) {
      const auto it = held.find({handle, count.block});
      const int holds = it == held.end() ? 0 : it->second;
      if (it != held.end()) held.erase(it);
      unobtained += count.count - holds;
      if (count.count < holds) {
        violations.push_back(fmt::format("handle {} counts {} in {}, holds {}", handle, count.count,
                                         count.block.ToString(), holds));
      }
    }
  }
  for (const auto& [where, holds] : held) {
    violations.push_back(fmt::format("handle {} holds {} in {} uncounted", where.first, holds,
                                     where.second.ToString()));
  }
  if (unobtained != unobtained_) {
    violations.push_back(fmt::format("handles count {} addresses that they do not hold, not {}",
                                     unobtained, unobtained_));
  }
}

}  // namespace cnisim
