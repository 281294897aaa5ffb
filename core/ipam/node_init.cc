#include "core/ipam/node_init.h"

#include <algorithm>

#include "core/ipam/eni_lifecycle.h"
#include "core/ipam/pool_manager.h"
#include "core/net/veth_name.h"

namespace cnisim {
namespace {

constexpr int kSetupTries = 6;
constexpr Duration kSetupPause = std::chrono::seconds(10);

// Setting up an ENI is tried six times; then init goes on without it.
Task<void> SetupEniWithRetries(AgentState& agent, MetadataEni eni) {
  for (int tried = 1; tried <= kSetupTries; ++tried) {
    const Status up = co_await SetupEni(agent, eni);
    if (up) co_return;
    if (tried < kSetupTries) co_await agent.ports.clock.Sleep(kSetupPause);
  }
}

// RS-3: an entry that names its pod is stale unless the pod's host interface is there.
bool IsStale(const Allocation& allocation, const std::vector<std::string>& links) {
  const IpamMetadata& pod = allocation.metadata;
  if (pod.pod_namespace.empty() || pod.pod_name.empty()) return false;
  const std::string suffix = VethSuffix(pod.pod_namespace, pod.pod_name);
  return std::ranges::none_of(links,
                              [&](const std::string& link) { return link.ends_with(suffix); });
}

Task<Status> RestoreCheckpoint(AgentState& agent) {
  Result<std::optional<std::vector<Allocation>>> loaded = agent.ports.checkpoint.Load();
  if (!loaded) co_return tl::unexpected(loaded.error());
  if (!*loaded) co_return Status();
  Result<std::vector<std::string>> links = co_await agent.ports.host.ListLinks();
  if (!links) co_return tl::unexpected(links.error());

  std::vector<Allocation> alive;
  for (Allocation& allocation : **loaded) {
    if (!IsStale(allocation, *links)) {
      alive.push_back(std::move(allocation));
      continue;
    }
    const Status to_pod = co_await agent.ports.host.DeleteToPodRule(allocation.ip);
    const Status from_pod = co_await agent.ports.host.DeleteFromPodRule(allocation.ip);
    static_cast<void>(to_pod);  // failures are only logged by the real agent
    static_cast<void>(from_pod);
  }
  const Result<std::vector<Allocation>> dropped = agent.datastore.Restore(alive);
  if (!dropped) co_return tl::unexpected(dropped.error());
  agent.datastore.RewriteCheckpoint();
  co_return Status();
}

// Gives the ENIs the security groups of the primary one.
Task<Status> RefreshSecurityGroups(AgentState& agent) {
  Result<std::vector<std::string>> groups = co_await agent.ports.metadata.GetSecurityGroups();
  if (!groups) co_return tl::unexpected(groups.error());
  agent.security_groups = *std::move(groups);
  std::ranges::sort(agent.security_groups);
  std::vector<std::string> enis;
  for (const auto& eni : agent.datastore.enis()) enis.push_back(eni->attributes.id);
  for (const std::string& eni_id : enis) {
    ModifyNetworkInterfaceAttributeRequest request;
    request.network_interface_id = eni_id;
    request.security_group_ids = agent.security_groups;
    const Status modified = co_await agent.ports.ec2.ModifyNetworkInterfaceAttribute(request);
    if (!modified) co_return modified;
  }
  co_return Status();
}

}  // namespace

Task<Status> InitNode(AgentState& agent) {
  Result<InstanceIdentity> identity = co_await agent.ports.metadata.GetIdentity();
  if (!identity) co_return tl::unexpected(identity.error());
  agent.identity = *std::move(identity);

  Result<std::vector<Ipv4Cidr>> vpc = co_await agent.ports.metadata.GetVpcCidrs();
  if (!vpc) co_return tl::unexpected(vpc.error());
  const Status host = co_await agent.ports.host.SetupHost(agent.identity.primary_ip, *vpc);
  if (!host) co_return host;

  Result<std::vector<AttachedEni>> enis = co_await DescribeAllEnis(agent);
  if (!enis) co_return tl::unexpected(enis.error());
  for (AttachedEni& eni : *enis) {
    if (!agent.settings.disable_network_provisioning) {
      const Status tagged = co_await TagEni(agent, eni.metadata.id, eni.described.tags);
      if (!tagged) co_return tagged;
    }
    co_await SetupEniWithRetries(agent, eni.metadata);
  }
  const Status restored = co_await RestoreCheckpoint(agent);
  if (!restored) co_return restored;

  if (agent.settings.disable_network_provisioning) co_return Status();
  const Status groups = co_await RefreshSecurityGroups(agent);
  if (!groups) co_return groups;
  if (IsTooLow(agent.datastore.Stats(agent.Now()), agent.Policy())) {
    const Status increased = co_await IncreasePool(agent);
    agent.activity = PoolActivity::kIdle;
    co_return increased;
  }
  co_return Status();
}

}  // namespace cnisim
