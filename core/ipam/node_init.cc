#include "core/ipam/node_init.h"

#include <algorithm>

#include "core/ipam/checkpoint_recovery.h"
#include "core/ipam/eni_allocation.h"
#include "core/ipam/eni_enumeration.h"
#include "core/ipam/eni_setup.h"
#include "core/ipam/eni_tags.h"
#include "core/ipam/pool_manager.h"
#include "core/ipam/release.h"
#include "core/ipam/trunk.h"

namespace cnisim {
namespace {

constexpr int kSetupTries = 6;
constexpr Duration kSetupPause = std::chrono::seconds(10);

// Setting up an ENI is tried six times; then init goes on without it.
Task<void> SetupEniWithRetries(AgentState& agent, AttachedEni eni) {
  for (int tried = 1; tried <= kSetupTries; ++tried) {
    const Status up = co_await SetupEni(agent, eni);
    if (up || up.error().code == kLinkNotFound) co_return;
    if (tried < kSetupTries) co_await agent.ports.clock.Sleep(kSetupPause);
  }
}

// A type without built-in limits is asked for.
Task<Status> LookUpLimits(AgentState& agent) {
  if (agent.limits.max_enis > 0) co_return Status();
  const Result<InstanceTypeNetwork> type =
      co_await agent.ports.ec2.DescribeInstanceType(agent.identity.instance_type);
  if (!type) co_return tl::unexpected(type.error());
  agent.limits.max_enis = agent.settings.quirks.unknownTypeCountsAllCards
                              ? type->max_enis
                              : type->default_card_max_enis;
  agent.limits.ipv4_per_eni = type->ipv4_per_eni;
  agent.limits.supports_prefixes = type->is_nitro || type->is_bare_metal;  // PX-1
  co_return Status();
}

// EX-2: in IPv6, an ENI of an excluded subnet is left out altogether.
Task<Result<bool>> IsLeftOut(AgentState& agent, std::string subnet_id) {
  if (!agent.settings.enable_ipv6 || !agent.settings.subnet_discovery) co_return false;
  co_return co_await SubnetIsExcluded(agent, std::move(subnet_id));
}

// V6-4: ENIs for network cards that have none, once and if possible; and one on the default card
// if the primary's subnet is excluded, which must succeed.
Task<Status> AddMissingIpv6Enis(AgentState& agent) {
  for (const auto& pool : agent.pools) {
    if (!pool->enis().empty()) continue;
    const Status added = co_await AddEniToPool(agent, *pool, 1);
    agent.activity = PoolActivity::kIdle;
    if (!added && pool->network_card() == 0) co_return added;
  }
  co_return Status();
}

// Exactly one step for each network card whose pool is low.
Task<Status> PreScale(AgentState& agent) {
  for (const auto& pool : agent.pools) {
    if (!IsTooLow(pool->Stats(agent.Now()), agent.Policy(*pool))) continue;
    const Status increased = co_await IncreasePool(agent, *pool);
    agent.activity = PoolActivity::kIdle;
    if (!increased) co_return increased;
    if (agent.settings.custom_networking && pool->Stats(agent.Now()).total_ips == 0) {
      co_return Fail("NoPool", "custom networking: no address could be had");  // UP-12
    }
  }
  co_return Status();
}

}  // namespace

Task<Status> BeginNodeInit(AgentState& agent) {
  Result<InstanceIdentity> identity = co_await agent.ports.metadata.GetIdentity();
  if (!identity) co_return tl::unexpected(identity.error());
  agent.identity = *std::move(identity);
  co_return co_await LookUpLimits(agent);
}

Task<Status> EnterAttachedEnis(AgentState& agent) {
  const bool ipv6 = agent.settings.enable_ipv6;
  Result<std::vector<IpCidr>> vpc = co_await agent.ports.metadata.GetVpcCidrs(ipv6);
  if (!vpc) co_return tl::unexpected(vpc.error());
  agent.vpc_cidrs = *std::move(vpc);
  std::ranges::sort(agent.vpc_cidrs);
  const Status host =
      co_await agent.ports.host.SetupHost(agent.identity.primary_ip, agent.vpc_cidrs);
  if (!host) co_return host;
  const Status chains = co_await agent.ports.host.CleanUpStaleChains();
  static_cast<void>(chains);  // ignored by the real agent

  Result<std::vector<AttachedEni>> enis = co_await DescribeAllEnis(agent);
  if (!enis) co_return tl::unexpected(enis.error());
  for (int card = 1; card < agent.limits.network_cards; ++card) {
    if (!agent.unmanaged.cards.contains(card)) agent.AddPool(card);
  }
  for (AttachedEni& eni : *enis) {
    if (!IsManaged(agent, eni.metadata)) continue;
    const Result<bool> left_out = co_await IsLeftOut(agent, eni.metadata.subnet_id);
    if (left_out && *left_out) continue;
    if (!agent.settings.provisioning_disabled() && !eni.described.is_trunk) {
      const Status tagged = co_await TagEni(agent, eni.metadata.id, eni.described.tags);
      if (!tagged) co_return tagged;
    }
    co_await SetupEniWithRetries(agent, std::move(eni));
  }
  const Status recovered = co_await RecoverFromCheckpoint(agent);
  if (!recovered) co_return recovered;
  co_await ReleaseUnusedOfExcludedEnis(agent);
  co_await ReleaseLeftoversOfOtherMode(agent);

  std::vector<IpAddress> pods;
  for (const auto& pool : agent.pools) {
    for (const Allocation& allocation : pool->AllAllocations()) pods.push_back(allocation.ip);
  }
  const Status rules = co_await agent.ports.host.RefreshPodRules(std::move(pods));
  co_return rules;
}

Task<Status> FinishNodeInit(AgentState& agent) {
  const AgentSettings& settings = agent.settings;
  const Result<NodeObject> node = co_await agent.ports.kubernetes.GetNode();
  if (!node) co_return tl::unexpected(node.error());
  agent.max_pods = node->capacity_pods;
  if (settings.enable_pod_eni && settings.custom_networking) {
    const Status announced = co_await AnnounceCustomNetworking(agent);
    if (!announced) {
      ++agent.metrics.pod_eni_errors[PodEniError::kNodeInit];
      co_return announced;
    }
  }
  if (agent.WaitsForTrunk()) co_await RequestTrunk(agent);
  if (!settings.provisioning_disabled()) {
    // Not with ?: around the co_awaits, which GCC 12 gets wrong (task.h).
    Status scaled;
    if (settings.enable_ipv6) {
      scaled = co_await AddMissingIpv6Enis(agent);
    } else {
      scaled = co_await PreScale(agent);
    }
    if (!scaled) co_return scaled;
  }
  co_return Status();
}

}  // namespace cnisim
