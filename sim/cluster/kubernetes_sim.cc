#include "sim/cluster/kubernetes_sim.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/rpc/branch_eni.h"
#include "sim/scenario/pod_placement.h"

namespace cnisim {
namespace {

tl::unexpected<Error> NotFound(std::string what) {
  return Fail(std::string(kubernetes_error::kNotFound), std::move(what));
}

}  // namespace

std::string SimKubernetes::UidOf(const Pod& pod) {
  return fmt::format("00000000-0000-4000-8000-{:012x}", pod.id);
}

Pod* SimKubernetes::FindPod(const std::string& pod_namespace, const std::string& name) const {
  const auto it = std::ranges::find_if(node_.pods(), [&](const Pod* pod) {
    return pod->name == name && node_.NamespaceOf(*pod) == pod_namespace;
  });
  return it == node_.pods().end() ? nullptr : *it;
}

Task<Result<PodObject>> SimKubernetes::GetPod(std::string pod_namespace, std::string name) {
  const Pod* pod = FindPod(pod_namespace, name);
  if (pod == nullptr) co_return NotFound("pods \"" + name + "\" not found");
  PodObject object;
  object.uid = UidOf(*pod);
  object.annotations = pod->annotations;
  if (pod->wants_branch_eni) object.first_container_limits[std::string(kPodEniKey)] = "1";
  co_return object;
}

Task<Status> SimKubernetes::PatchPodAnnotation(std::string pod_namespace, std::string name,
                                               std::string key, std::string value) {
  Pod* pod = FindPod(pod_namespace, name);
  if (pod == nullptr) co_return NotFound("pods \"" + name + "\" not found");
  pod->annotations[std::move(key)] = std::move(value);
  co_return Status();
}

Task<Result<NodeObject>> SimKubernetes::GetNode() {
  NodeObject object;
  object.capacity_pods = node_.config().max_pods;
  const auto group = static_cast<size_t>(node_.config().node_group);
  const NodeGroupSpec& spec = context_.scenario.node_groups[group];
  object.labels =
      NodeLabels(spec, node_.type().name,
                 context_.scenario.vpc.subnets[node_.config().subnet].availability_zone);
  object.taints = spec.taints;
  // A node is cordoned before it is drained.
  if (node_.draining) {
    object.taints.push_back({"node.kubernetes.io/unschedulable", "", "NoSchedule"});
  }
  co_return object;
}

Task<Result<EniConfig>> SimKubernetes::GetEniConfig(std::string name) {
  const auto& configs = context_.scenario.network.eni_configs;
  const auto it = std::ranges::find(configs, name, &EniConfigSpec::name);
  if (it == configs.end()) co_return NotFound("eniconfigs \"" + name + "\" not found");
  EniConfig config;
  config.subnet_id = ec2_.subnet_id(it->subnet);
  config.security_group_ids = it->security_groups;
  co_return config;
}

Task<Status> SimKubernetes::PatchCniNode(std::vector<CniNodeFeature> features) {
  vpc_resources_.PatchCniNode(node_, features);
  co_return Status();
}

}  // namespace cnisim
