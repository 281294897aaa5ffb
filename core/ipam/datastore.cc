#include "core/ipam/datastore.h"

#include <algorithm>
#include <cassert>

#include "core/ipam/pool_digest.h"

namespace cnisim {
namespace {

// Salts that keep the walks of one instant apart.
constexpr uint64_t kWalkEnis = 1;
constexpr uint64_t kWalkCidrs = 2;
constexpr uint64_t kWalkAddresses = 3;
constexpr uint64_t kWalkRemoval = 4;

constexpr Duration kMinimumEniAge = std::chrono::seconds(60);  // RM-3

tl::unexpected<Error> FailWith(std::string_view code) {
  return Fail(std::string(code), std::string(code));
}

PodAddress AddressOn(const EniAttributes& eni, IpAddress ip) {
  return {eni.id, ip, eni.device_number, eni.route_table};
}

// Index of a CIDR's kind in an ENI's counters.
PoolMode KindOf(const IpCidr& cidr) {
  if (!cidr.is_v4()) return PoolMode::kIpv6;
  return cidr.size() == 1 ? PoolMode::kSecondaryIps : PoolMode::kPrefixes;
}

int Kind(const Datastore::Cidr& cidr) { return static_cast<int>(cidr.kind); }

// Prefixes of a few addresses have all their slots at once.
constexpr int64_t kFewAddresses = 16;

Datastore::Cidr* FindCidr(Datastore::Eni& eni, IpCidr cidr) {
  const auto it = std::ranges::find(eni.cidrs, cidr, &Datastore::Cidr::cidr);
  return it == eni.cidrs.end() ? nullptr : &*it;
}

Datastore::Cidr* FindCidrOf(Datastore::Eni& eni, IpAddress ip) {
  const auto it = std::ranges::find_if(
      eni.cidrs, [ip](const Datastore::Cidr& cidr) { return cidr.cidr.Contains(ip); });
  return it == eni.cidrs.end() ? nullptr : &*it;
}

Datastore::Cidr::Slot& SlotOf(Datastore::Cidr& cidr, IpAddress ip) {
  const auto at = static_cast<size_t>(cidr.cidr.OffsetOf(ip));
  if (at >= cidr.slots.size()) cidr.slots.resize(at + 1);
  return cidr.slots[at];
}

}  // namespace

Datastore::Datastore(Config config, CheckpointStore& checkpoint, Choice choice,
                     PoolListener* listener)
    : config_(config), checkpoint_(checkpoint), choice_(choice), listener_(listener) {}

Datastore::~Datastore() = default;

void Datastore::Changed() {
  ++version_;
  if (listener_ != nullptr) listener_->OnPoolChanged();
}

bool Datastore::Strikes(Quirk quirk) {
  if (!(config_.quirks.*quirk)) return false;
  if (listener_ != nullptr) listener_->OnQuirk(quirk);
  return true;
}

Status Datastore::SaveCheckpoint(const AllocationChange& change) {
  if (!checkpoint_stale_) return checkpoint_.Save(change, *this);
  Status saved = checkpoint_.Rewrite(*this);
  checkpoint_stale_ = !saved;
  return saved;
}

void Datastore::RewriteCheckpoint() { checkpoint_stale_ = !checkpoint_.Rewrite(*this); }

bool Datastore::HasCooling(const Cidr& cidr, TimePoint now) const {
  return std::ranges::any_of(cidr.slots, [&](const Cidr::Slot& slot) {
    return slot.state == Cidr::State::kReleased && Cooling(slot.unassigned, now);
  });
}

TimePoint Datastore::NextCooled() const {
  if (released_.empty()) return kForever;
  return released_.front().at + config_.ip_cooldown + Duration(1);
}

bool Datastore::Cooling(TimePoint unassigned, TimePoint now) const {
  return now - unassigned <= config_.ip_cooldown;
}

const Datastore::Eni* Datastore::FindEni(std::string_view eni_id) const {
  for (const auto& eni : enis_) {
    if (eni->attributes.id == eni_id) return eni.get();
  }
  return nullptr;
}

Datastore::Eni* Datastore::MutableEni(std::string_view eni_id) {
  return const_cast<Eni*>(FindEni(eni_id));
}

const Datastore::Eni* Datastore::FindTrunk() const {
  for (const auto& eni : enis_) {
    if (eni->attributes.is_trunk) return eni.get();
  }
  return nullptr;
}

std::optional<PodAddress> Datastore::Find(const IpamKey& key) const {
  const auto it = holders_.find(key);
  if (it == holders_.end()) return std::nullopt;
  return AddressOn(it->second.eni->attributes, it->second.ip);
}

bool Datastore::Holds(IpCidr cidr) const {
  return std::ranges::any_of(enis_, [&](const auto& eni) {
    return std::ranges::find(eni->cidrs, cidr, &Cidr::cidr) != eni->cidrs.end();
  });
}

// --- ENIs and CIDRs ---

Status Datastore::AddEni(EniAttributes attributes, TimePoint now) {
  if (FindEni(attributes.id) != nullptr) return FailWith(datastore_error::kDuplicateEni);
  auto eni = std::make_unique<Eni>();
  eni->digest = EniDigest(attributes.id);
  eni->attributes = std::move(attributes);
  eni->created = now;
  digest_ ^= eni->digest;
  enis_.push_back(std::move(eni));
  Changed();
  return {};
}

Status Datastore::RemoveEni(std::string_view eni_id, bool force) {
  Eni* eni = MutableEni(eni_id);
  if (eni == nullptr) return FailWith(datastore_error::kUnknownEni);
  const int pods = eni->pods();
  // Only pods with IPv4 addresses keep it (DM-9).
  if (!force && eni->pods_v4() > 0) return FailWith(datastore_error::kEniInUse);
  if (pods > 0) {
    for (Cidr& cidr : eni->cidrs) DropHolders(*eni, cidr);
    if (force) {
      ++forced_removals_of_enis_;
      forced_removals_of_ips_ += pods;
    }
    if (force && Strikes(&Quirks::forcedEniRemovalCountsTwice)) {
      for (const Cidr& cidr : eni->cidrs) {
        raw_total_ips_ -= cidr.size();
        allocated_prefixes_ -= cidr.is_prefix();
      }
    }
    RewriteCheckpoint();
  }
  EraseEni(*eni);
  Changed();
  return {};
}

void Datastore::EraseEni(const Eni& eni) {
  const auto it = std::ranges::find(enis_, &eni, &std::unique_ptr<Eni>::get);
  for (const Cidr& cidr : eni.cidrs) ForgetCidr(**it, cidr);
  digest_ ^= eni.digest;
  enis_.erase(it);
}

// Takes a CIDR without pods out of all counters.
void Datastore::ForgetCidr(Eni& eni, const Cidr& cidr) {
  assert(cidr.assigned == 0);
  const int kind = Kind(cidr);
  raw_total_ips_ -= cidr.size();
  allocated_prefixes_ -= cidr.is_prefix();
  eni.total[kind] -= cidr.size();
  --eni.unused_cidrs[kind];
  digest_ ^= PoolItemDigest(eni.digest, cidr.cidr);
  std::erase_if(released_,
                [&](const Released& r) { return r.eni == &eni && cidr.cidr.Contains(r.ip); });
}

Status Datastore::AddCidr(std::string_view eni_id, IpCidr cidr) {
  Eni* eni = MutableEni(eni_id);
  if (eni == nullptr) return FailWith(datastore_error::kUnknownEni);
  if (FindCidr(*eni, cidr) != nullptr) return FailWith(datastore_error::kDuplicateCidr);
  Cidr& added = eni->cidrs.emplace_back();
  added.cidr = cidr;
  added.kind = KindOf(cidr);
  if (cidr.size() <= kFewAddresses) added.slots.resize(static_cast<size_t>(cidr.size()));
  const int kind = Kind(added);
  eni->total[kind] += added.size();
  ++eni->unused_cidrs[kind];
  raw_total_ips_ += added.size();
  allocated_prefixes_ += added.is_prefix();
  digest_ ^= PoolItemDigest(eni->digest, cidr);
  Changed();
  return {};
}

Status Datastore::DeleteCidr(std::string_view eni_id, IpCidr cidr, bool force) {
  Eni* eni = MutableEni(eni_id);
  if (eni == nullptr) return FailWith(datastore_error::kUnknownEni);
  Cidr* found = FindCidr(*eni, cidr);
  if (found == nullptr) return FailWith(datastore_error::kUnknownCidr);
  if (found->assigned > 0) {
    if (!force) return FailWith(datastore_error::kCidrInUse);
    forced_removals_of_ips_ += DropHolders(*eni, *found);
    RewriteCheckpoint();
  }
  ForgetCidr(*eni, *found);
  eni->cidrs.erase(eni->cidrs.begin() + (found - eni->cidrs.data()));
  Changed();
  return {};
}

bool Datastore::DeleteUnusedCidrOfExcluded(std::string_view eni_id, IpCidr cidr) {
  Eni* eni = MutableEni(eni_id);
  if (eni == nullptr || !eni->excluded) return false;
  Cidr* found = FindCidr(*eni, cidr);
  if (found == nullptr || found->assigned > 0) return false;
  const bool is_prefix = found->is_prefix();
  ForgetCidr(*eni, *found);
  eni->cidrs.erase(eni->cidrs.begin() + (found - eni->cidrs.data()));
  if (Strikes(&Quirks::excludedCidrForgottenUncounted)) {
    raw_total_ips_ += cidr.size();
    allocated_prefixes_ += is_prefix;
  }
  Changed();
  return true;
}

Status Datastore::SetExcluded(std::string_view eni_id, bool excluded) {
  Eni* eni = MutableEni(eni_id);
  if (eni == nullptr) return FailWith(datastore_error::kUnknownEni);
  eni->excluded = excluded;
  Changed();
  return {};
}

void Datastore::SetMode(PoolMode mode) {
  config_.mode = mode;
  Changed();
}

// --- Pods ---

std::optional<IpAddress> Datastore::TakeAddress(Cidr& cidr, TimePoint now) const {
  const IpAddress network = cidr.cidr.network();
  std::optional<IpAddress> reused;
  const auto n = cidr.slots.size();
  const size_t start = choice_.Start(n, now, kWalkAddresses + (network.bits().low() << 8));
  for (size_t i = 0; i < n; ++i) {
    const size_t at = (start + i) % n;
    Cidr::Slot& slot = cidr.slots[at];
    if (slot.state == Cidr::State::kReleased && !Cooling(slot.unassigned, now)) {
      if (!reused) reused = network.Offset(at);
      slot.state = Cidr::State::kAbsent;
    }
  }
  if (reused) return reused;
  for (size_t at = 0; at < n; ++at) {
    if (cidr.slots[at].state == Cidr::State::kAbsent) return network.Offset(at);
  }
  if (static_cast<int64_t>(n) < cidr.size()) return network.Offset(n);
  return std::nullopt;
}

void Datastore::MarkAssigned(Eni& eni, Cidr& cidr, const Holders::value_type& holder) {
  Cidr::Slot& slot = SlotOf(cidr, holder.second.ip);
  slot.state = Cidr::State::kAssigned;
  slot.holder = &holder;
  if (cidr.assigned++ == 0) --eni.unused_cidrs[Kind(cidr)];
  ++eni.assigned[Kind(cidr)];
}

void Datastore::MarkUnassigned(Eni& eni, Cidr& cidr, IpAddress ip) {
  Cidr::Slot& slot = SlotOf(cidr, ip);
  slot.state = Cidr::State::kAbsent;
  slot.holder = nullptr;
  if (--cidr.assigned == 0) ++eni.unused_cidrs[Kind(cidr)];
  --eni.assigned[Kind(cidr)];
}

int Datastore::DropHolders(Eni& eni, Cidr& cidr) {
  int dropped = 0;
  for (Cidr::Slot& slot : cidr.slots) {
    if (slot.state != Cidr::State::kAssigned) continue;
    const auto it = holders_.find(slot.holder->first);
    MarkUnassigned(eni, cidr, it->second.ip);
    holders_.erase(it);
    ++dropped;
  }
  return dropped;
}

Result<PodAddress> Datastore::Assign(const IpamKey& key, const IpamMetadata& metadata,
                                     TimePoint now) {
  if (const auto held = Find(key)) return *held;
  const int mode = Mode();
  const size_t n = enis_.size();
  const size_t first = n == 0 ? 0 : choice_.Start(n, now, kWalkEnis);
  for (size_t i = 0; i < n; ++i) {
    Eni& eni = *enis_[(first + i) % n];
    if (eni.excluded || eni.assigned[mode] == eni.total[mode]) continue;
    const size_t cidrs = eni.cidrs.size();
    const size_t first_cidr = choice_.Start(cidrs, now, kWalkCidrs ^ eni.digest);
    for (size_t j = 0; j < cidrs; ++j) {
      Cidr& cidr = eni.cidrs[(first_cidr + j) % cidrs];
      if (Kind(cidr) != mode || cidr.assigned == cidr.size()) continue;
      const std::optional<IpAddress> ip = TakeAddress(cidr, now);
      if (!ip) continue;
      const auto [holder, inserted] = holders_.emplace(key, Holder{&eni, *ip, now, metadata});
      assert(inserted);
      MarkAssigned(eni, cidr, *holder);
      const Allocation allocation{key, *ip, now, metadata};
      AllocationChange change;
      change.added = &allocation;
      const Status saved = SaveCheckpoint(change);
      if (!saved) {
        MarkUnassigned(eni, cidr, *ip);
        holders_.erase(holder);
        return tl::unexpected(saved.error());
      }
      Changed();
      return AddressOn(eni.attributes, *ip);
    }
  }
  return FailWith(datastore_error::kNoAddress);
}

Result<ReleasedAddress> Datastore::Unassign(const IpamKey& key, TimePoint now) {
  auto it = holders_.find(key);
  if (it == holders_.end()) {
    // Left over from agents that learned their pods from the container runtime (DL-1).
    it = holders_.find({"_migrated-from-cri", key.container, "unknown"});
  }
  if (it == holders_.end()) return FailWith(datastore_error::kUnknownPod);
  Eni& eni = *it->second.eni;
  Cidr& cidr = *FindCidrOf(eni, it->second.ip);

  // Memory first, then the checkpoint, then the cooldown (ST-2).
  Holders::node_type holder = holders_.extract(it);
  const IpAddress ip = holder.mapped().ip;
  MarkUnassigned(eni, cidr, ip);
  AllocationChange change;
  change.removed = &holder.key();
  const Status saved = SaveCheckpoint(change);
  if (!saved) {
    MarkAssigned(eni, cidr, *holders_.insert(std::move(holder)).position);
    return tl::unexpected(saved.error());
  }
  Cidr::Slot& slot = SlotOf(cidr, ip);
  slot.state = Cidr::State::kReleased;
  slot.unassigned = now;
  released_.push_back({now, ip, &eni});
  ReleasedAddress released;
  released.address = AddressOn(eni.attributes, ip);
  released.interfaces_count = std::max(1, holder.mapped().metadata.interfaces_count);
  released.cidr = cidr.cidr;
  released.cidr_is_prefix = cidr.is_prefix();
  released.cidr_unused = cidr.assigned == 0;
  released.eni_excluded = eni.excluded;
  Changed();
  return released;
}

Result<std::vector<Allocation>> Datastore::Restore(const std::vector<Allocation>& allocations) {
  std::vector<Allocation> dropped;
  for (const Allocation& allocation : allocations) {
    Eni* eni = nullptr;
    Cidr* cidr = nullptr;
    for (const auto& candidate : enis_) {
      cidr = FindCidrOf(*candidate, allocation.ip);
      if (cidr != nullptr) {
        eni = candidate.get();
        break;
      }
    }
    if (eni == nullptr) {
      dropped.push_back(allocation);
      continue;
    }
    if (SlotOf(*cidr, allocation.ip).state == Cidr::State::kAssigned) {
      return Fail(std::string(datastore_error::kDuplicateAddress),
                  "checkpoint holds " + allocation.ip.ToString() + " twice");
    }
    const auto [holder, inserted] = holders_.emplace(
        allocation.key, Holder{eni, allocation.ip, allocation.allocated, allocation.metadata});
    if (!inserted) continue;
    MarkAssigned(*eni, *cidr, *holder);
  }
  Changed();
  return dropped;
}

// --- Reading ---

PoolStats Datastore::Stats(TimePoint now) {
  while (!released_.empty() && !Cooling(released_.front().at, now)) released_.pop_front();
  PoolStats stats;
  const int mode = Mode();
  bool all_count = true;
  for (const auto& eni : enis_) {
    stats.free_prefixes += eni->unused_cidrs[1] + eni->unused_cidrs[2];
    const int64_t total = eni->total[0] + eni->total[1] + eni->total[2];
    all_count = all_count && !eni->excluded && eni->total[mode] == total;
    if (eni->excluded) continue;
    stats.total_ips += eni->total[mode];
    stats.assigned_ips += eni->assigned[mode];
  }
  stats.total_prefixes = allocated_prefixes_;
  stats.cooling_is_available = config_.quirks.coolingCountsAsAvailable;
  stats.cooling_ips = static_cast<int>(released_.size());
  if (!all_count) {
    stats.cooling_ips = static_cast<int>(std::ranges::count_if(released_, [&](const Released& r) {
      return !r.eni->excluded && Kind(*FindCidrOf(*r.eni, r.ip)) == mode;
    }));
  }
  return stats;
}

std::vector<const Datastore::Eni*> Datastore::AllocatableEnis(int slots_per_eni) const {
  std::vector<const Eni*> result;
  for (const auto& eni : enis_) {
    if (!eni->attributes.is_trunk && !eni->excluded &&
        static_cast<int>(eni->cidrs.size()) < slots_per_eni) {
      result.push_back(eni.get());
    }
  }
  return result;
}

std::vector<IpCidr> Datastore::FreeableCidrs(std::string_view eni_id, TimePoint now) const {
  std::vector<IpCidr> result;
  const Eni* eni = FindEni(eni_id);
  if (eni == nullptr) return result;
  for (const Cidr& cidr : eni->cidrs) {
    if (cidr.assigned > 0) continue;
    if (!config_.quirks.releasesCooling && HasCooling(cidr, now)) continue;
    result.push_back(cidr.cidr);
  }
  return result;
}

bool Datastore::HasCooling(std::string_view eni_id, IpCidr cidr, TimePoint now) const {
  const Eni* eni = FindEni(eni_id);
  if (eni == nullptr) return false;
  const auto found = std::ranges::find(eni->cidrs, cidr, &Cidr::cidr);
  return found != eni->cidrs.end() && HasCooling(*found, now);
}

std::vector<IpCidr> Datastore::FreeableCidrs(std::string_view eni_id, PoolMode kind,
                                             TimePoint now) const {
  std::vector<IpCidr> result = FreeableCidrs(eni_id, now);
  const auto is_prefix = [](PoolMode mode) { return mode != PoolMode::kSecondaryIps; };
  std::erase_if(result,
                [&](const IpCidr& cidr) { return is_prefix(KindOf(cidr)) != is_prefix(kind); });
  return result;
}

bool Datastore::DelMayGiveUpCidrs() const {
  return std::ranges::any_of(enis_, [this](const auto& eni) {
    const int64_t all = eni->total[0] + eni->total[1] + eni->total[2];
    return all != eni->total[Mode()] || (eni->excluded && all > 0);
  });
}

bool Datastore::HasEmptyEni() const {
  return std::ranges::any_of(enis_,
                             [](const auto& eni) { return eni->removable() && eni->pods() == 0; });
}

std::vector<Allocation> Datastore::AllAllocations() const {
  std::vector<Allocation> result;
  result.reserve(holders_.size());
  for (const auto& eni : enis_) {
    for (const Cidr& cidr : eni->cidrs) {
      for (const Cidr::Slot& slot : cidr.slots) {
        if (slot.state != Cidr::State::kAssigned) continue;
        const auto& [key, holder] = *slot.holder;
        result.push_back({key, holder.ip, holder.allocated, holder.metadata});
      }
    }
  }
  return result;
}

// --- ENI removal ---

std::optional<agent_log::EniKeptBecause> Datastore::KeptBecause(const Eni& eni,
                                                                const RemovalTargets& targets,
                                                                TimePoint now) const {
  using enum agent_log::EniKeptBecause;
  if (eni.attributes.is_primary) return kPrimary;
  if (now - eni.created < kMinimumEniAge) return kTooYoung;
  const bool cooling = std::ranges::any_of(released_, [&](const Released& r) {
    return r.eni == &eni && r.ip.is_v4() && Cooling(r.at, now);
  });
  if (cooling) return kCooling;
  if (eni.pods() > 0) return kPods;
  const int mode = Mode();
  int64_t free_ips = 0;
  int64_t total_ips = 0;
  int unused_cidrs = 0;
  for (const auto& other : enis_) {
    if (other.get() == &eni) continue;
    unused_cidrs += other->unused_cidrs[1];
    if (config_.quirks.warmPrefixCountsAddresses) unused_cidrs += other->unused_cidrs[0];
    if (other->excluded) continue;
    free_ips += other->total[mode] - other->assigned[mode];
    total_ips += other->total[mode];
  }
  const bool prefix_mode = config_.mode == PoolMode::kPrefixes;
  const auto in_mode = [prefix_mode](int ips) {
    return prefix_mode ? DivideRoundingUp(ips, kAddressesPerPrefix) * kAddressesPerPrefix : ips;
  };
  if (free_ips < in_mode(targets.warm_ips)) return kWarmIpTarget;
  if (total_ips < in_mode(targets.minimum_ips)) return kMinimumIpTarget;
  if (prefix_mode && unused_cidrs < targets.warm_prefixes) return kWarmPrefixTarget;
  if (eni.attributes.is_trunk) return kTrunk;
  if (eni.attributes.is_efa) return kEfa;
  return std::nullopt;
}

std::optional<std::string> Datastore::RemoveUnusedEni(const RemovalTargets& targets, TimePoint now,
                                                      const Log& log) {
  const size_t n = enis_.size();
  if (n == 0) return std::nullopt;
  const size_t first = choice_.Start(n, now, kWalkRemoval);
  for (size_t i = 0; i < n; ++i) {
    const Eni& eni = *enis_[(first + i) % n];
    if (const auto reason = KeptBecause(eni, targets, now)) {
      agent_log::EniKept(log, eni.attributes.id, *reason);
      continue;
    }
    std::string id = eni.attributes.id;
    EraseEni(eni);
    Changed();
    return id;
  }
  return std::nullopt;
}

TimePoint Datastore::NextEniUnprotected(TimePoint now) const {
  TimePoint next = kForever;
  for (const auto& eni : enis_) {
    if (!eni->removable() || eni->pods() > 0) continue;
    TimePoint at = eni->created + kMinimumEniAge;
    for (const Cidr& cidr : eni->cidrs) {
      if (!cidr.cidr.is_v4()) continue;
      for (const Cidr::Slot& slot : cidr.slots) {
        if (slot.state != Cidr::State::kReleased) continue;
        at = std::max(at, slot.unassigned + config_.ip_cooldown + Duration(1));
      }
    }
    if (at > now) next = std::min(next, at);
  }
  return next;
}

}  // namespace cnisim
