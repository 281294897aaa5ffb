#include "core/ipam/testing/naive_datastore.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/ipam/pool_digest.h"

namespace cnisim {

namespace {

// Far more than any test uses of a block.
constexpr int64_t kFirstAddresses = 64;

PoolMode ModeThatUses(const IpCidr& cidr) {
  if (!cidr.is_v4()) return PoolMode::kIpv6;
  return cidr.length() == 32 ? PoolMode::kSecondaryIps : PoolMode::kPrefixes;
}

bool IsPrefix(const NaiveCidr& cidr) { return cidr.kind != PoolMode::kSecondaryIps; }

}  // namespace

int NaiveCidr::pods() const {
  int pods = 0;
  for (const auto& [ip, address] : addresses) pods += address.key ? 1 : 0;
  return pods;
}

int NaiveEni::pods() const {
  int pods = 0;
  for (const NaiveCidr& cidr : cidrs) pods += cidr.pods();
  return pods;
}

NaiveEni* NaiveDatastore::FindEni(std::string_view id) {
  for (NaiveEni& eni : enis) {
    if (eni.attributes.id == id) return &eni;
  }
  return nullptr;
}

NaiveCidr* NaiveDatastore::FindCidr(std::string_view eni, IpCidr cidr) {
  NaiveEni* found = FindEni(eni);
  if (found == nullptr) return nullptr;
  for (NaiveCidr& candidate : found->cidrs) {
    if (candidate.cidr == cidr) return &candidate;
  }
  return nullptr;
}

bool NaiveDatastore::AddEni(EniAttributes attributes, TimePoint now) {
  if (FindEni(attributes.id) != nullptr) return false;
  enis.push_back({std::move(attributes), now, false, {}});
  return true;
}

bool NaiveDatastore::RemoveEni(std::string_view id, bool force) {
  NaiveEni* eni = FindEni(id);
  if (eni == nullptr) return false;
  for (const NaiveCidr& cidr : eni->cidrs) {
    if (cidr.cidr.is_v4() && cidr.pods() > 0 && !force) return false;
  }
  if (force && eni->pods() > 0 && quirks.forcedEniRemovalCountsTwice) {
    for (const NaiveCidr& cidr : eni->cidrs) {
      lost_ips += cidr.cidr.size();
      lost_prefixes += IsPrefix(cidr) ? 1 : 0;
    }
  }
  enis.erase(enis.begin() + (eni - enis.data()));
  return true;
}

bool NaiveDatastore::AddCidr(std::string_view eni, IpCidr cidr) {
  NaiveEni* found = FindEni(eni);
  if (found == nullptr || FindCidr(eni, cidr) != nullptr) return false;
  found->cidrs.push_back({cidr, ModeThatUses(cidr), {}});
  return true;
}

bool NaiveDatastore::DeleteCidr(std::string_view eni, IpCidr cidr, bool force) {
  NaiveCidr* found = FindCidr(eni, cidr);
  if (found == nullptr || (found->pods() > 0 && !force)) return false;
  NaiveEni* owner = FindEni(eni);
  owner->cidrs.erase(owner->cidrs.begin() + (found - owner->cidrs.data()));
  return true;
}

bool NaiveDatastore::DeleteUnusedCidrOfExcluded(std::string_view eni, IpCidr cidr) {
  NaiveEni* owner = FindEni(eni);
  if (owner == nullptr || !owner->excluded || !DeleteCidr(eni, cidr, false)) return false;
  if (quirks.excludedCidrForgottenUncounted) {
    lost_ips -= cidr.size();
    lost_prefixes -= ModeThatUses(cidr) == PoolMode::kSecondaryIps ? 0 : 1;
  }
  return true;
}

std::vector<IpCidr> NaiveDatastore::Freeable(const NaiveEni& eni, TimePoint now) const {
  std::vector<IpCidr> result;
  for (const NaiveCidr& cidr : eni.cidrs) {
    bool keep = cidr.pods() > 0;
    for (const auto& [ip, address] : cidr.addresses) {
      if (!quirks.releasesCooling && Cooling(address, now)) keep = true;
    }
    if (!keep) result.push_back(cidr.cidr);
  }
  return result;
}

std::optional<PodAddress> NaiveDatastore::Find(const IpamKey& key) {
  for (NaiveEni& eni : enis) {
    for (NaiveCidr& cidr : eni.cidrs) {
      for (auto& [ip, address] : cidr.addresses) {
        if (address.key == key) {
          return PodAddress{eni.attributes.id, ip, eni.attributes.device_number,
                            eni.attributes.route_table};
        }
      }
    }
  }
  return std::nullopt;
}

bool NaiveDatastore::Cooling(const NaiveAddress& address, TimePoint now) const {
  return !address.key && now <= address.unassigned + cooldown;
}

bool NaiveDatastore::MayServe(std::string_view eni_id, IpAddress ip, TimePoint now) {
  const NaiveEni* eni = FindEni(eni_id);
  if (eni == nullptr || eni->excluded) return false;
  for (const NaiveCidr& cidr : eni->cidrs) {
    if (!cidr.cidr.Contains(ip) || cidr.kind != mode) continue;
    bool any_known = false;
    for (const auto& [known, address] : cidr.addresses) {
      if (address.key || Cooling(address, now)) continue;
      any_known = true;
      if (known == ip) return true;
    }
    if (any_known) return false;
    for (int64_t i = 0; i < std::min(cidr.cidr.size(), kFirstAddresses); ++i) {
      const IpAddress lowest = cidr.cidr.network().Offset(static_cast<uint64_t>(i));
      if (!cidr.addresses.contains(lowest)) return lowest == ip;
    }
  }
  return false;
}

std::optional<PodAddress> NaiveDatastore::Pick(TimePoint now) {
  for (const NaiveEni& eni : enis) {
    for (const NaiveCidr& cidr : eni.cidrs) {
      for (int64_t i = 0; i < std::min(cidr.cidr.size(), kFirstAddresses); ++i) {
        const IpAddress ip = cidr.cidr.network().Offset(static_cast<uint64_t>(i));
        if (MayServe(eni.attributes.id, ip, now)) {
          return PodAddress{eni.attributes.id, ip, eni.attributes.device_number,
                            eni.attributes.route_table};
        }
      }
    }
  }
  return std::nullopt;
}

void NaiveDatastore::Serve(const PodAddress& served, const IpamKey& key, TimePoint now,
                           bool saved) {
  for (NaiveCidr& cidr : FindEni(served.eni_id)->cidrs) {
    if (!cidr.cidr.Contains(served.ip)) continue;
    std::erase_if(cidr.addresses, [&](const auto& known) {
      return !known.second.key && !Cooling(known.second, now);
    });
    if (saved) cidr.addresses[served.ip] = {key, {}};
    return;
  }
}

bool NaiveDatastore::Release(const IpamKey& key, TimePoint now) {
  for (NaiveEni& eni : enis) {
    for (NaiveCidr& cidr : eni.cidrs) {
      for (auto& [ip, address] : cidr.addresses) {
        if (address.key != key) continue;
        address = {std::nullopt, now};
        return true;
      }
    }
  }
  return false;
}

PoolStats NaiveDatastore::Stats(TimePoint now) const {
  PoolStats stats;
  stats.cooling_is_available = quirks.coolingCountsAsAvailable;
  for (const NaiveEni& eni : enis) {
    for (const NaiveCidr& cidr : eni.cidrs) {
      if (IsPrefix(cidr)) {
        ++stats.total_prefixes;
        stats.free_prefixes += cidr.pods() == 0 ? 1 : 0;
      }
      if (eni.excluded || cidr.kind != mode) continue;
      stats.total_ips += cidr.cidr.size();
      stats.assigned_ips += cidr.pods();
      for (const auto& [ip, address] : cidr.addresses) {
        stats.cooling_ips += Cooling(address, now) ? 1 : 0;
      }
    }
  }
  stats.total_prefixes -= lost_prefixes;
  return stats;
}

int64_t NaiveDatastore::RawTotal() const {
  int64_t total = -lost_ips;
  for (const NaiveEni& eni : enis) {
    for (const NaiveCidr& cidr : eni.cidrs) total += cidr.cidr.size();
  }
  return total;
}

bool NaiveDatastore::MayRemove(const NaiveEni& eni, const Datastore::RemovalTargets& targets,
                               TimePoint now) const {
  const EniAttributes& role = eni.attributes;
  if (role.is_primary || role.is_trunk || role.is_efa) return false;
  if (now < eni.created + std::chrono::seconds(60) || eni.pods() > 0) return false;
  const bool prefix_mode = mode == PoolMode::kPrefixes;
  int64_t free_elsewhere = 0;
  int64_t total_elsewhere = 0;
  int unused_elsewhere = 0;
  for (const NaiveEni& other : enis) {
    for (const NaiveCidr& cidr : other.cidrs) {
      if (&other == &eni) {
        for (const auto& [ip, address] : cidr.addresses) {
          if (ip.is_v4() && Cooling(address, now)) return false;
        }
        continue;
      }
      const bool counts =
          cidr.kind == PoolMode::kPrefixes ||
          (cidr.kind == PoolMode::kSecondaryIps && quirks.warmPrefixCountsAddresses);
      unused_elsewhere += counts && cidr.pods() == 0 ? 1 : 0;
      if (other.excluded || cidr.kind != mode) continue;
      free_elsewhere += cidr.cidr.size() - cidr.pods();
      total_elsewhere += cidr.cidr.size();
    }
  }
  int warm = targets.warm_ips;
  int minimum = targets.minimum_ips;
  while (prefix_mode && warm % 16 != 0) ++warm;
  while (prefix_mode && minimum % 16 != 0) ++minimum;
  if (targets.warm_ips != 0 && free_elsewhere < warm) return false;
  if (targets.minimum_ips != 0 && total_elsewhere < minimum) return false;
  return !prefix_mode || targets.warm_prefixes == 0 || unused_elsewhere >= targets.warm_prefixes;
}

std::string CompareBooks(Datastore& real, const NaiveDatastore& naive, TimePoint now) {
  std::string out;
  const auto say = [&out](const std::string& line) { out += "  " + line + "\n"; };
  const PoolStats a = real.Stats(now);
  const PoolStats b = naive.Stats(now);
  if (a.total_ips != b.total_ips || a.assigned_ips != b.assigned_ips ||
      a.cooling_ips != b.cooling_ips || a.total_prefixes != b.total_prefixes ||
      a.free_prefixes != b.free_prefixes) {
    say(fmt::format("statistics (T A C P F): {} {} {} {} {}, expected {} {} {} {} {}", a.total_ips,
                    a.assigned_ips, a.cooling_ips, a.total_prefixes, a.free_prefixes, b.total_ips,
                    b.assigned_ips, b.cooling_ips, b.total_prefixes, b.free_prefixes));
  }
  if (real.raw_total_ips() != naive.RawTotal()) {
    say(fmt::format("raw total {}, expected {}", real.raw_total_ips(), naive.RawTotal()));
  }
  if (real.enis().size() != naive.enis.size()) {
    say(fmt::format("{} ENIs, expected {}", real.enis().size(), naive.enis.size()));
    return out;
  }
  uint64_t digest = 0;
  bool any_empty = false;
  std::set<IpamKey> keys;
  for (size_t i = 0; i < naive.enis.size(); ++i) {
    const Datastore::Eni& eni = *real.enis()[i];
    const NaiveEni& twin = naive.enis[i];
    const std::string& id = twin.attributes.id;
    if (eni.attributes.id != id || eni.created != twin.created || eni.excluded != twin.excluded ||
        eni.cidrs.size() != twin.cidrs.size()) {
      say(fmt::format("ENI {} with {} CIDRs created at {} s, expected {} with {} at {} s",
                      eni.attributes.id, eni.cidrs.size(), ToSeconds(eni.created - kTimeZero), id,
                      twin.cidrs.size(), ToSeconds(twin.created - kTimeZero)));
      continue;
    }
    digest ^= EniDigest(id);
    any_empty = any_empty || (eni.removable() && twin.pods() == 0);
    for (size_t j = 0; j < twin.cidrs.size(); ++j) {
      const Datastore::Cidr& cidr = eni.cidrs[j];
      const NaiveCidr& expected = twin.cidrs[j];
      if (cidr.cidr != expected.cidr || cidr.assigned != expected.pods()) {
        say(fmt::format("{} {} with {} pods, expected {} with {}", id, cidr.cidr.ToString(),
                        cidr.assigned, expected.cidr.ToString(), expected.pods()));
        continue;
      }
      digest ^= PoolItemDigest(EniDigest(id), cidr.cidr);
      for (size_t at = 0; at < cidr.slots.size(); ++at) {
        using State = Datastore::Cidr::State;
        const IpAddress ip = cidr.cidr.network().Offset(at);
        const auto known = expected.addresses.find(ip);
        State state = State::kAbsent;
        if (known != expected.addresses.end()) {
          state = known->second.key ? State::kAssigned : State::kReleased;
        }
        const Datastore::Cidr::Slot& slot = cidr.slots[at];
        if (slot.state != state) {
          say(fmt::format("{} is in state {}, expected {}", ip.ToString(),
                          static_cast<int>(slot.state), static_cast<int>(state)));
        } else if (state == State::kReleased && slot.unassigned != known->second.unassigned) {
          say(fmt::format("{} was released at another time", ip.ToString()));
        } else if (state == State::kAssigned) {
          const IpamKey& key = *known->second.key;
          const std::optional<PodAddress> held = real.Find(key);
          if (!held || held->ip != ip || held->eni_id != id) {
            say(fmt::format("{} is not held by {}", ip.ToString(), key.ToString()));
          }
          if (!keys.insert(key).second) say("a key holds two addresses: " + key.ToString());
        }
      }
    }
  }
  if (real.AllAllocations().size() != keys.size()) say("holders that hold nothing");
  if (real.digest() != digest) say("the digest is not that of the content");
  if (real.HasEmptyEni() != any_empty) say("HasEmptyEni is wrong");
  return out;
}

}  // namespace cnisim
