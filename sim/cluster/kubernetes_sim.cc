#include "sim/cluster/kubernetes_sim.h"

#include <algorithm>

namespace cnisim {
namespace {

tl::unexpected<Error> NotFound(std::string what) {
  return Fail(std::string(kubernetes_error::kNotFound), std::move(what));
}

}  // namespace

const Pod* SimKubernetes::FindPod(const std::string& pod_namespace, const std::string& name) const {
  const auto it = std::ranges::find_if(node_.pods(), [&](const Pod* pod) {
    return pod->name == name && node_.NamespaceOf(*pod) == pod_namespace;
  });
  return it == node_.pods().end() ? nullptr : *it;
}

Task<Result<PodObject>> SimKubernetes::GetPod(std::string pod_namespace, std::string name) {
  const Pod* pod = FindPod(pod_namespace, name);
  if (pod == nullptr) co_return NotFound("pods \"" + name + "\" not found");
  PodObject object;
  object.uid = pod->sandbox_id;
  co_return object;
}

// Nothing in the world reads a pod's annotations.
Task<Status> SimKubernetes::PatchPodAnnotation(std::string pod_namespace, std::string name,
                                               std::string, std::string) {
  if (FindPod(pod_namespace, name) == nullptr) {
    co_return NotFound("pods \"" + name + "\" not found");
  }
  co_return Status();
}

Task<Result<NodeObject>> SimKubernetes::GetNode() {
  NodeObject object;
  object.capacity_pods = node_.config().max_pods;
  const auto group = static_cast<size_t>(node_.config().node_group);
  const NodeGroupSpec& spec = context_.scenario.node_groups[group];
  object.labels = spec.labels;
  object.labels["eks.amazonaws.com/nodegroup"] = spec.name;
  object.labels["node.kubernetes.io/instance-type"] = node_.type().name;
  object.labels["topology.kubernetes.io/zone"] =
      context_.scenario.vpc.subnets[node_.config().subnet].availability_zone;
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

// No VPC resource controller runs in this world.
Task<Status> SimKubernetes::PatchCniNode(std::vector<CniNodeFeature>) { co_return Status(); }

}  // namespace cnisim
