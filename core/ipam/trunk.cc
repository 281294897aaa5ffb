#include "core/ipam/trunk.h"

#include <algorithm>

#include "core/ipam/eni_config.h"
#include "core/ipam/eni_setup.h"

namespace cnisim {

Task<void> RequestTrunk(AgentState& agent) {
  const Datastore& pool = agent.default_pool();
  const auto enis = static_cast<int>(pool.enis().size());
  if (enis >= agent.ManageableEnis()) co_return;
  std::vector<CniNodeFeature> features(1);
  features[0].name = "SecurityGroupsForPods";
  const Status patched = co_await agent.ports.kubernetes.PatchCniNode(features);
  if (patched) co_return;
  ++agent.metrics.pod_eni_errors[PodEniError::kEnableSecurityGroups];
  agent.log().Error("Failed to patch the CNINode: {}", patched.error().message);
}

Task<void> AdoptTrunk(AgentState& agent) {
  Result<std::vector<AttachedEni>> enis = co_await DescribeAllEnis(agent);
  if (!enis) co_return;
  const auto trunk =
      std::ranges::find_if(*enis, [](const AttachedEni& eni) { return eni.described.is_trunk; });
  if (trunk == enis->end()) co_return;
  const Status up = co_await SetupEni(agent, std::move(*trunk));
  static_cast<void>(up);  // tried again at the next poll
}

Task<Status> AnnounceCustomNetworking(AgentState& agent) {
  const Result<std::string> name = co_await MyEniConfigName(agent);
  if (!name) co_return tl::unexpected(name.error());
  std::vector<CniNodeFeature> features(1);
  features[0].name = "CustomNetworking";
  features[0].value = *name;
  co_return co_await agent.ports.kubernetes.PatchCniNode(features);
}

}  // namespace cnisim
