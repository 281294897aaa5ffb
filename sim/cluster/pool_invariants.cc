#include "sim/cluster/pool_invariants.h"

#include <fmt/format.h>

#include <map>

namespace cnisim {

std::vector<std::string> PoolViolations(Datastore& pool, const AgentSettings& settings,
                                        const InstanceType& type, TimePoint now, size_t& holders) {
  std::vector<std::string> violations;
  const PoolStats stats = pool.Stats(now);
  PoolStats recount;
  std::map<IpAddress, int> seen;
  for (const auto& eni : pool.enis()) {
    if (eni->cidrs.size() > static_cast<size_t>(type.slots_per_eni())) {
      violations.push_back(fmt::format("{} has {} CIDRs", eni->attributes.id, eni->cidrs.size()));
    }
    for (const Datastore::Cidr& cidr : eni->cidrs) {
      const bool counts = !eni->excluded && cidr.kind == settings.mode();
      int assigned = 0;
      for (const Datastore::Cidr::Slot& slot : cidr.slots) {
        assigned += slot.state == Datastore::Cidr::State::kAssigned;
        const bool cooling = slot.state == Datastore::Cidr::State::kReleased &&
                             now - slot.unassigned <= settings.ip_cooldown;
        recount.cooling_ips += counts && cooling;
      }
      holders += static_cast<size_t>(assigned);
      recount.free_prefixes += cidr.is_prefix() && assigned == 0;
      recount.total_prefixes += cidr.is_prefix();
      if (counts) {
        recount.total_ips += cidr.size();
        recount.assigned_ips += assigned;
      }
      if (++seen[cidr.cidr.network()] > 1) {
        violations.push_back(cidr.cidr.ToString() + " is on two ENIs");
      }
    }
  }
  // The count of prefixes is wrong by design where quirks DM-9 and EX-4 are (quirks.inc).
  const bool prefixes_exact = !settings.quirks.forcedEniRemovalCountsTwice &&
                              !settings.quirks.excludedCidrForgottenUncounted;
  if (recount.total_ips != stats.total_ips || recount.assigned_ips != stats.assigned_ips ||
      recount.cooling_ips != stats.cooling_ips || recount.free_prefixes != stats.free_prefixes ||
      (prefixes_exact && recount.total_prefixes != stats.total_prefixes)) {
    violations.emplace_back("the pool's statistics differ from a recount");
  }
  if (stats.assigned_ips + stats.cooling_ips > stats.total_ips) {
    violations.emplace_back("assigned and cooling addresses are more than all");
  }
  if (static_cast<int>(pool.enis().size()) > type.eni_limit) {
    violations.emplace_back("more ENIs than the instance type allows");
  }
  return violations;
}

}  // namespace cnisim
