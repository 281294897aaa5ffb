#include "core/ipam/pod_addresses.h"

#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

// NC-5: the real agent compares the card's number with the number of cards.
bool IsLast(const AgentState& agent, size_t place) {
  const size_t last = agent.pools.size() - 1;
  if (!agent.settings.quirks.lastCardByIndex) return place == last;
  return agent.pools[place]->network_card() == static_cast<int>(last);
}

Result<PodAddress> AssignFrom(AgentState& agent, Datastore& pool, const IpamKey& key,
                              const IpamMetadata& metadata) {
  const bool duplicate = agent.log().enabled(LogLevel::kInfo) && pool.Find(key).has_value();
  Result<PodAddress> assigned = pool.Assign(key, metadata, agent.Now());
  if (assigned && duplicate) {
    agent_log::AddIsDuplicate(agent.log(), key, assigned->ip);
  } else if (assigned) {
    agent_log::AddressAssigned(agent.log(), key, assigned->ip);
  } else if (assigned.error().code == datastore_error::kNoAddress) {
    agent_log::NoAddress(agent.log());
    ++agent.metrics.no_available_addresses;
    // The pool did not grow in time because these count as available.
    if (pool.Stats(agent.Now()).cooling_ips > 0) agent.Strikes(&Quirks::coolingCountsAsAvailable);
  }
  return assigned;
}

}  // namespace

Result<std::vector<PodAddress>> AssignPodAddresses(AgentState& agent, const IpamKey& key,
                                                   IpamMetadata metadata, bool every_card) {
  std::vector<PodAddress> result;
  metadata.interfaces_count = every_card ? static_cast<int>(agent.pools.size()) : 1;
  for (size_t i = 0; i < agent.pools.size(); ++i) {
    Result<PodAddress> assigned = AssignFrom(agent, *agent.pools[i], key, metadata);
    if (assigned) {
      result.push_back(*std::move(assigned));
      if (!every_card) break;
      continue;
    }
    const bool try_next =
        !every_card && assigned.error().code == datastore_error::kNoAddress && !IsLast(agent, i);
    if (!try_next) return tl::unexpected(assigned.error());
  }
  if (result.empty()) agent.Strikes(&Quirks::lastCardByIndex);
  return result;
}

Result<std::vector<ReleasedOnCard>> UnassignPodAddresses(AgentState& agent, const IpamKey& key) {
  std::vector<ReleasedOnCard> result;
  int wanted = 1;
  for (size_t i = 0; i < agent.pools.size() && static_cast<int>(result.size()) < wanted; ++i) {
    Datastore& pool = *agent.pools[i];
    Result<ReleasedAddress> released = pool.Unassign(key, agent.Now());
    if (released) {
      agent_log::AddressReleased(agent.log(), key, released->address.ip);
      agent_log::AddressCools(agent.log(), released->address.ip);
      wanted = released->interfaces_count;
      result.push_back({&pool, *std::move(released)});
      continue;
    }
    const bool try_next =
        released.error().code == datastore_error::kUnknownPod && !IsLast(agent, i);
    if (try_next) continue;
    if (released.error().code == datastore_error::kUnknownPod) {
      agent_log::DelOfUnknown(agent.log(), key);
    }
    return tl::unexpected(released.error());
  }
  return result;
}

}  // namespace cnisim
