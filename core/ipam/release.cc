#include "core/ipam/release.h"

#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

constexpr Duration kReleasedCidrCooldown = std::chrono::seconds(60);  // RC-5
constexpr Duration kExcludedCidrDelay = std::chrono::seconds(5);      // EX-4

// Failures are only logged by the real agent; reconcile finds what EC2 still holds.
Task<void> Unassign(AgentState& agent, std::string eni_id, std::vector<IpCidr> cidrs) {
  std::vector<IpCidr> ips;
  std::vector<IpCidr> prefixes;
  UnassignPrivateIpAddressesRequest of_prefixes;
  UnassignPrivateIpAddressesRequest of_ips;
  of_prefixes.network_interface_id = of_ips.network_interface_id = eni_id;
  std::vector<Ipv6Cidr> ipv6_prefixes;
  for (const IpCidr& cidr : cidrs) {
    if (!cidr.is_v4()) {
      ipv6_prefixes.push_back(cidr.v6());
    } else if (cidr.size() == 1) {
      of_ips.ips.push_back(cidr.network().v4());
      ips.push_back(cidr);
    } else {
      of_prefixes.prefixes.push_back(cidr.v4());
      prefixes.push_back(cidr);
    }
  }
  if (!prefixes.empty()) {
    agent_log::UnassigningPrefixes(agent.log(), eni_id, prefixes);
    const Status released = co_await agent.ports.ec2.UnassignPrivateIpAddresses(of_prefixes);
    static_cast<void>(released);
  }
  if (!ips.empty()) {
    agent_log::UnassigningIps(agent.log(), eni_id, ips);
    const Status released = co_await agent.ports.ec2.UnassignPrivateIpAddresses(of_ips);
    static_cast<void>(released);
  }
  if (!ipv6_prefixes.empty()) {
    const Status released = co_await agent.ports.ec2.UnassignIpv6Prefixes(eni_id, ipv6_prefixes);
    static_cast<void>(released);
  }
}

std::vector<std::string> EniIds(const Datastore& pool) {
  std::vector<std::string> ids;
  for (const auto& eni : pool.enis()) ids.push_back(eni->attributes.id);
  return ids;
}

}  // namespace

Task<void> ReleaseCidrs(AgentState& agent, Datastore& pool, std::string eni_id,
                        std::vector<IpCidr> cidrs, RememberRelease remember) {
  std::vector<IpCidr> taken_out;
  for (const IpCidr& cidr : cidrs) {
    const bool cools = pool.HasCooling(eni_id, cidr, agent.Now());
    if (!pool.DeleteCidr(eni_id, cidr, false)) continue;
    if (cools) agent.Strikes(&Quirks::releasesCooling);
    agent_log::CidrDeleted(agent.log(), eni_id, cidr);
    if (remember == RememberRelease::kYes) {
      agent.released_cidrs[cidr] = agent.Now() + kReleasedCidrCooldown;
    }
    taken_out.push_back(cidr);
  }
  co_await Unassign(agent, std::move(eni_id), std::move(taken_out));
}

Task<void> ReleaseLeftoversOfOtherMode(AgentState& agent) {
  for (const auto& pool : agent.pools) {
    if (pool->mode() == PoolMode::kIpv6) continue;
    const PoolMode leftover =
        pool->mode() == PoolMode::kPrefixes ? PoolMode::kSecondaryIps : PoolMode::kPrefixes;
    for (const std::string& eni_id : EniIds(*pool)) {
      std::vector<IpCidr> cidrs = pool->FreeableCidrs(eni_id, leftover, agent.Now());
      co_await ReleaseCidrs(agent, *pool, eni_id, std::move(cidrs), RememberRelease::kNo);
    }
  }
}

Task<void> ReleaseUnusedOfExcludedEnis(AgentState& agent) {
  for (const auto& pool : agent.pools) {
    for (const std::string& eni_id : EniIds(*pool)) {
      if (!pool->FindEni(eni_id)->excluded) continue;
      if (pool->network_card() > 0 && agent.Strikes(&Quirks::excludedCleanupFirstCardOnly))
        continue;
      std::vector<IpCidr> cidrs = pool->FreeableCidrs(eni_id, pool->mode(), agent.Now());
      co_await ReleaseCidrs(agent, *pool, eni_id, std::move(cidrs), RememberRelease::kNo);
    }
  }
}

Task<void> ReleaseAfterDel(AgentState& agent, Datastore& pool, ReleasedAddress released) {
  const std::string& eni_id = released.address.eni_id;
  std::vector<IpCidr> cidrs;
  if (pool.mode() == PoolMode::kSecondaryIps && released.cidr_is_prefix) {
    cidrs = pool.FreeableCidrs(eni_id, PoolMode::kPrefixes, agent.Now());
  } else if (pool.mode() == PoolMode::kPrefixes && !released.cidr_is_prefix &&
             !agent.Strikes(&Quirks::leftoverAddressesStayOnDel)) {
    cidrs = pool.FreeableCidrs(eni_id, PoolMode::kSecondaryIps, agent.Now());
  }
  co_await ReleaseCidrs(agent, pool, eni_id, std::move(cidrs), RememberRelease::kNo);
}

Task<void> ForgetCidrOfExcludedEni(AgentState& agent, int network_card, std::string eni_id,
                                   IpCidr cidr) {
  co_await agent.ports.clock.Sleep(kExcludedCidrDelay);
  Datastore* pool = agent.PoolOfCard(network_card);
  if (pool == nullptr || !pool->DeleteUnusedCidrOfExcluded(eni_id, cidr)) co_return;
  agent_log::CidrDeleted(agent.log(), eni_id, cidr);
  if (agent.settings.quirks.excludedCidrForgottenUncounted) co_return;
  std::vector<IpCidr> cidrs{cidr};
  co_await Unassign(agent, std::move(eni_id), std::move(cidrs));
}

}  // namespace cnisim
