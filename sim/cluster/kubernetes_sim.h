// The Kubernetes API as one node's agent sees it: its node object, the cluster's ENIConfigs, its
// pods. Answers come at once, as from an informer's cache.
#ifndef CNISIM_SIM_CLUSTER_KUBERNETES_SIM_H_
#define CNISIM_SIM_CLUSTER_KUBERNETES_SIM_H_

#include <string>
#include <vector>

#include "core/ports/kubernetes_api.h"
#include "sim/cloud/ec2.h"
#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node.h"

namespace cnisim {

class SimKubernetes final : public KubernetesApi {
 public:
  SimKubernetes(const ClusterContext& context, const Node& node, const Ec2& ec2)
      : context_(context), node_(node), ec2_(ec2) {}

  Task<Result<PodObject>> GetPod(std::string pod_namespace, std::string name) override;
  Task<Status> PatchPodAnnotation(std::string pod_namespace, std::string name, std::string key,
                                  std::string value) override;
  Task<Result<NodeObject>> GetNode() override;
  Task<Result<EniConfig>> GetEniConfig(std::string name) override;
  Task<Status> PatchCniNode(std::vector<CniNodeFeature> features) override;

 private:
  const Pod* FindPod(const std::string& pod_namespace, const std::string& name) const;

  const ClusterContext& context_;
  const Node& node_;
  const Ec2& ec2_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_KUBERNETES_SIM_H_
