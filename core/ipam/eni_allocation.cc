#include "core/ipam/eni_allocation.h"

#include <algorithm>

#include "core/ipam/backoff.h"
#include "core/ipam/eni_config.h"
#include "core/ipam/eni_removal.h"
#include "core/ipam/eni_setup.h"
#include "core/ipam/eni_tags.h"
#include "core/ipam/subnet_choice.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BackoffRule kWaitForMetadata{milliseconds(100), seconds(60), 15, 2, 12};
constexpr int kDeviceIndices = 100;
constexpr uint64_t kSaltWait = 11;

// Where a new ENI may go: subnets to try, best first, and its security groups.
struct Placement {
  std::vector<std::string> subnets;
  std::vector<std::string> security_groups;
};

// Subnets of the zone by their tags (EX-1), or the primary ENI's.
Task<Result<std::vector<std::string>>> ChooseSubnets(AgentState& agent) {
  const std::string& primary = agent.identity.primary_subnet_id;
  if (agent.settings.subnet_discovery) {
    Result<std::vector<Subnet>> subnets = co_await agent.ports.ec2.DescribeSubnets(
        agent.identity.vpc_id, agent.identity.availability_zone);
    if (subnets) {
      std::vector<std::string> ids;
      for (Subnet& subnet :
           SubnetsForNewEni(*std::move(subnets), primary, agent.settings.cluster_name)) {
        ids.push_back(std::move(subnet.id));
      }
      if (ids.empty()) co_return Fail("NoSubnet", "no valid subnets for a new ENI");
      co_return ids;
    }
  }
  // Without discovery, or where it failed: the primary subnet, unless it turns out to be excluded.
  const Result<bool> excluded = co_await SubnetIsExcluded(agent, primary);
  if (!excluded && agent.settings.subnet_discovery) co_return tl::unexpected(excluded.error());
  if (excluded && *excluded) {
    co_return Fail("NoSubnet", "the primary subnet is excluded by kubernetes.io/role/cni=0");
  }
  std::vector<std::string> ids{primary};
  co_return ids;
}

Task<Result<Placement>> ChoosePlacement(AgentState& agent) {
  Placement placement;
  placement.security_groups = agent.security_groups;
  if (agent.settings.custom_networking) {
    const Result<EniConfig> config = co_await MyEniConfig(agent);
    if (!config) co_return tl::unexpected(config.error());
    placement.subnets = {config->subnet_id};
    if (!config->security_group_ids.empty()) {
      placement.security_groups = config->security_group_ids;
      std::ranges::sort(placement.security_groups);
    }
    co_return placement;
  }
  Result<std::vector<std::string>> subnets = co_await ChooseSubnets(agent);
  if (!subnets) co_return tl::unexpected(subnets.error());
  placement.subnets = *std::move(subnets);
  co_return placement;
}

Task<Result<NetworkInterface>> CreateEni(AgentState& agent, int quantity) {
  Result<Placement> placement = co_await ChoosePlacement(agent);
  if (!placement) co_return tl::unexpected(placement.error());
  CreateNetworkInterfaceRequest request;
  request.description = "aws-K8S-" + agent.identity.instance_id;
  request.security_group_ids = std::move(placement->security_groups);
  const int capped = std::min(quantity, agent.SlotsPerEni());
  if (agent.settings.enable_ipv6) {
    request.ipv6_address_count = quantity;
  } else if (agent.settings.prefix_delegation) {
    request.ipv4_prefix_count = capped;
  } else {
    request.secondary_private_ip_address_count = capped;
  }
  request.connection_tracking = agent.connection_tracking;
  request.tags = TagsForNewEni(agent);
  Result<NetworkInterface> created;
  for (const std::string& subnet : placement->subnets) {
    request.subnet_id = subnet;
    created = co_await agent.ports.ec2.CreateNetworkInterface(request);
    if (created) break;
  }
  if (created) agent_log::EniCreated(agent.log(), created->id);
  co_return created;
}

// To the lowest free device index of the card.
Task<Result<std::string>> AttachEni(AgentState& agent, std::string eni_id, int network_card) {
  const Result<std::vector<int>> used =
      co_await agent.ports.ec2.DescribeInstanceDevices(agent.identity.instance_id, network_card);
  if (!used) co_return tl::unexpected(used.error());
  AttachNetworkInterfaceRequest request;
  request.network_interface_id = eni_id;
  request.instance_id = agent.identity.instance_id;
  request.network_card_index = network_card;
  while (request.device_index < kDeviceIndices &&
         std::ranges::find(*used, request.device_index) != used->end()) {
    ++request.device_index;
  }
  if (request.device_index == kDeviceIndices) {
    co_return Fail("NoDeviceIndex", "no free device index below 100");
  }
  Result<std::string> attached = co_await agent.ports.ec2.AttachNetworkInterface(request);
  if (attached) agent_log::EniAttached(agent.log(), eni_id, request.device_index);
  co_return attached;
}

// Creates and attaches. An empty id is the real agent's answer when setting DeleteOnTermination
// failed and the ENI could be freed again.
Task<Result<std::string>> AllocateEni(AgentState& agent, int network_card, int quantity) {
  const Result<NetworkInterface> created = co_await CreateEni(agent, quantity);
  if (!created) co_return tl::unexpected(created.error());
  const std::string& eni_id = created->id;

  const Result<std::string> attachment = co_await AttachEni(agent, eni_id, network_card);
  if (!attachment) {
    const Status deleted = co_await DeleteEniWithRetries(agent, eni_id);
    // Else the ENI is left for the leaked-ENI clean-up.
    if (!deleted)
      agent.metrics.CountAwsUtilsError(AwsUtilsError::kAllocEniDelete, deleted.error().code);
    co_return tl::unexpected(attachment.error());
  }

  ModifyNetworkInterfaceAttributeRequest modify;
  modify.network_interface_id = eni_id;
  modify.delete_on_termination_of = *attachment;
  const Status modified = co_await agent.ports.ec2.ModifyNetworkInterfaceAttribute(modify);
  if (!modified) {
    const Status freed = co_await DetachAndDeleteEni(agent, eni_id);
    if (!freed) {
      agent.metrics.CountAwsUtilsError(AwsUtilsError::kCleanupAfterModify, freed.error().code);
    }
    if (!freed || !agent.Strikes(&Quirks::waitsForNamelessEni)) {
      co_return tl::unexpected(modified.error());
    }
    co_return std::string();
  }
  co_return eni_id;
}

size_t ItemsShown(const AgentState& agent, const MetadataEni& eni) {
  if (agent.settings.enable_ipv6) return eni.ipv6_addresses.size();
  return agent.settings.prefix_delegation ? eni.ipv4_prefixes.size() : eni.secondary_ips.size();
}

// Until metadata shows the ENI with at least `wanted` items.
Task<Result<MetadataEni>> WaitForEni(AgentState& agent, std::string eni_id, size_t wanted) {
  Backoff backoff(kWaitForMetadata, agent.choice, kSaltWait);
  AgentMetrics& metrics = agent.metrics;
  const TimePoint begun = agent.Now();
  MetadataEni seen;
  while (backoff.Next()) {
    Result<std::vector<MetadataEni>> enis = co_await agent.ports.metadata.GetAttachedEnis();
    if (enis) {
      const auto it = std::ranges::find(*enis, eni_id, &MetadataEni::id);
      if (it != enis->end()) {
        seen = std::move(*it);
        if (ItemsShown(agent, seen) >= wanted) {
          metrics.ObserveLatency(AwsApi::kWaitForEniAndIps, agent.Now() - begun, 200, false);
          co_return seen;
        }
      }
    }
    if (backoff.MoreToCome()) co_await agent.ports.clock.Sleep(backoff.Pause(agent.Now()));
  }
  metrics.ObserveLatency(AwsApi::kWaitForEniAndIps, agent.Now() - begun, 0, true);
  // Some addresses will do; of prefixes it takes two, as in the real agent
  // (partialNeedsTwoPrefixes).
  const AgentSettings& settings = agent.settings;
  const bool two = settings.prefix_delegation && settings.quirks.partialNeedsTwoPrefixes;
  const bool enough = !settings.enable_ipv6 && ItemsShown(agent, seen) >= (two ? 2u : 1u);
  if (!seen.id.empty() && enough) co_return seen;
  ++metrics.api_errors[{"waitENIAttachedFailedToAssignIPs", "MetadataTimeout"}];
  co_return Fail("MetadataTimeout", "metadata never showed " + eni_id + " with its addresses");
}

}  // namespace

Task<Status> AddEniToPool(AgentState& agent, Datastore& pool, int quantity) {
  PerLabel<IpamdError>& errors = agent.metrics.ipamd_errors;
  agent.activity = PoolActivity::kCreatingEni;
  const Result<std::string> eni_id = co_await AllocateEni(agent, pool.network_card(), quantity);
  if (!eni_id) {
    ++errors[IpamdError::kIncreaseAllocEni];
    co_return tl::unexpected(eni_id.error());
  }
  agent.last_pool_action = agent.Now();

  agent.activity = PoolActivity::kWaitingForMetadata;
  AttachedEni attached;
  Result<MetadataEni> eni = co_await WaitForEni(agent, *eni_id, static_cast<size_t>(quantity));
  if (!eni) {
    ++errors[IpamdError::kIncreaseWaitAttached];
    co_return tl::unexpected(eni.error());
  }
  attached.metadata = *std::move(eni);
  attached.described.id = *eni_id;
  const Status up = co_await SetupEni(agent, std::move(attached));
  if (!up) ++errors[IpamdError::kIncreaseSetupEni];
  co_return up;
}

}  // namespace cnisim
