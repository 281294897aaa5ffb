#include "core/ipam/refresh.h"

#include <algorithm>

namespace cnisim {

Task<Status> RefreshVpcCidrs(AgentState& agent) {
  Result<std::vector<IpCidr>> blocks =
      co_await agent.ports.metadata.GetVpcCidrs(agent.settings.enable_ipv6);
  if (!blocks) co_return tl::unexpected(blocks.error());
  std::ranges::sort(*blocks);
  if (*blocks == agent.vpc_cidrs) co_return Status();
  const Status updated = co_await agent.ports.host.UpdateVpcCidrs(*blocks);
  if (updated) agent.vpc_cidrs = *std::move(blocks);
  co_return updated;
}

Task<Status> RefreshSecurityGroups(AgentState& agent) {
  Result<std::vector<std::string>> groups = co_await agent.ports.metadata.GetSecurityGroups();
  if (!groups) co_return tl::unexpected(groups.error());
  std::ranges::sort(*groups);
  if (*groups == agent.security_groups) co_return Status();
  std::vector<std::string> enis;
  for (const auto& pool : agent.pools) {
    // Under custom networking, the ENIConfig says which groups an ENI has.
    if (agent.settings.custom_networking) break;
    for (const auto& eni : pool->enis()) enis.push_back(eni->attributes.id);
  }
  for (const std::string& eni_id : enis) {
    ModifyNetworkInterfaceAttributeRequest request;
    request.network_interface_id = eni_id;
    request.security_group_ids = *groups;
    const Status modified = co_await agent.ports.ec2.ModifyNetworkInterfaceAttribute(request);
    if (!modified) co_return modified;
  }
  agent.security_groups = *std::move(groups);
  co_return Status();
}

Task<void> KeepVpcCidrsFresh(AgentState& agent) {
  for (;;) {
    co_await agent.ports.pacer.UntilRead(PolledMetadata::kVpcCidrs);
    const Status refreshed = co_await RefreshVpcCidrs(agent);
    static_cast<void>(refreshed);  // tried again in 30 s
  }
}

Task<void> KeepSecurityGroupsFresh(AgentState& agent) {
  for (;;) {
    co_await agent.ports.pacer.UntilRead(PolledMetadata::kSecurityGroups);
    const Status refreshed = co_await RefreshSecurityGroups(agent);
    static_cast<void>(refreshed);
  }
}

}  // namespace cnisim
