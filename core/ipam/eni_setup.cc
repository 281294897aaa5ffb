#include "core/ipam/eni_setup.h"

#include <algorithm>

#include "core/ipam/subnet_choice.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

void Enter(AgentState& agent, Datastore& pool, const std::string& eni_id, IpCidr cidr) {
  const Status added = pool.AddCidr(eni_id, cidr);
  if (added) {
    agent_log::CidrAdded(agent.log(), eni_id, cidr);
  } else if (added.error().code != datastore_error::kDuplicateCidr) {
    ++agent.metrics.ipamd_errors[!cidr.is_v4()      ? IpamdError::kAddIpv6Prefixes
                                 : cidr.size() == 1 ? IpamdError::kAddSecondaryIps
                                                    : IpamdError::kAddIpv4Prefixes];
  }
}

// DM-10: on further network cards, rules that are there already say which table it is.
Task<int> ChooseRouteTable(AgentState& agent, MetadataEni eni) {
  const int by_number = RouteTableOf(eni.device_number, eni.network_card);
  if (eni.network_card == 0) co_return by_number;
  const Result<std::vector<int>> tables = co_await agent.ports.host.TablesOfSource(eni.primary_ip);
  if (!tables || tables->empty()) co_return by_number;
  if (tables->size() == 1) co_return tables->front();
  const int old_scheme = eni.device_number + 1 + eni.network_card * agent.limits.max_enis;
  const bool known = std::ranges::find(*tables, old_scheme) != tables->end();
  co_return known ? old_scheme : by_number;
}

// V6-2: one /80, which is asked for if the ENI has none.
Task<Status> EnterIpv6Prefix(AgentState& agent, Datastore& pool, std::string eni_id) {
  const Result<NetworkInterface> described = co_await DescribeEni(agent, eni_id);
  if (!described) co_return tl::unexpected(described.error());
  if (!described->ipv6_prefixes.empty()) {
    Enter(agent, pool, eni_id, described->ipv6_prefixes.front());
    co_return Status();
  }
  const Result<std::vector<Ipv6Cidr>> assigned =
      co_await agent.ports.ec2.AssignIpv6Prefixes(eni_id, 1);
  if (!assigned) co_return tl::unexpected(assigned.error());
  if (!assigned->empty()) Enter(agent, pool, eni_id, assigned->front());
  co_return Status();
}

}  // namespace

void EnterAddresses(AgentState& agent, Datastore& pool, const std::string& eni_id,
                    const std::vector<Ipv4Address>& ips, const std::vector<Ipv4Cidr>& prefixes) {
  for (const Ipv4Address ip : ips) Enter(agent, pool, eni_id, Ipv4Cidr(ip));
  for (const Ipv4Cidr& prefix : prefixes) Enter(agent, pool, eni_id, prefix);
}

Task<Result<bool>> SubnetIsExcluded(AgentState& agent, std::string subnet_id) {
  const Result<std::vector<Subnet>> subnets = co_await agent.ports.ec2.DescribeSubnets(
      agent.identity.vpc_id, agent.identity.availability_zone);
  if (!subnets) co_return tl::unexpected(subnets.error());
  const auto it = std::ranges::find(*subnets, subnet_id, &Subnet::id);
  co_return it != subnets->end() && SubnetExcluded(it->tags, agent.settings.cluster_name);
}

Task<Status> SetupEni(AgentState& agent, AttachedEni attached) {
  const MetadataEni& eni = attached.metadata;
  const bool ipv6 = agent.settings.enable_ipv6;
  Datastore& pool = *agent.PoolOfCard(eni.network_card);
  EniAttributes attributes;
  attributes.id = eni.id;
  attributes.is_primary = eni.id == agent.identity.primary_eni_id;
  attributes.is_trunk = attached.described.is_trunk;
  attributes.is_efa = attached.described.is_efa;
  attributes.device_number = eni.device_number;
  attributes.route_table = co_await ChooseRouteTable(agent, eni);
  attributes.subnet_id = eni.subnet_id;
  const bool is_primary = attributes.is_primary;
  const int route_table = attributes.route_table;
  // An ENI that is there already is set up again.
  static_cast<void>(pool.AddEni(std::move(attributes), agent.Now()));
  agent.metrics.card_written_last = eni.network_card;
  agent.primary_ips[eni.id] = eni.primary_ip;

  if (agent.settings.subnet_discovery) {
    const Result<bool> excluded = co_await SubnetIsExcluded(agent, eni.subnet_id);
    if (!excluded && agent.Strikes(&Quirks::subnetLookupBlocksSetup)) {
      co_return tl::unexpected(excluded.error());
    }
    // In IPv6, ENIs of excluded subnets are not even set up (EX-2).
    if (excluded && *excluded && !ipv6) static_cast<void>(pool.SetExcluded(eni.id, true));
  }
  if (ipv6) {
    const Status entered = co_await EnterIpv6Prefix(agent, pool, eni.id);
    if (!entered) co_return entered;
  }
  if (!is_primary) {
    const Status up = co_await agent.ports.host.SetupEni(eni.primary_ip, eni.device_number,
                                                         eni.network_card, route_table);
    if (!up) {
      static_cast<void>(pool.RemoveEni(eni.id, true));
      agent.metrics.card_written_last = eni.network_card;
      agent.primary_ips.erase(eni.id);
      co_return up;
    }
  }
  if (!ipv6) EnterAddresses(agent, pool, eni.id, eni.secondary_ips, eni.ipv4_prefixes);
  co_return Status();
}

}  // namespace cnisim
