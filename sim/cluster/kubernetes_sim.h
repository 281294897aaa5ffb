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
#include "sim/cluster/vpc_resource_controller.h"

namespace cnisim {

class SimKubernetes final : public KubernetesApi {
 public:
  SimKubernetes(const ClusterContext& context, Node& node, const Ec2& ec2,
                VpcResourceController& vpc_resources)
      : context_(context), node_(node), ec2_(ec2), vpc_resources_(vpc_resources) {}

  static std::string UidOf(const Pod& pod);

  Task<Result<PodObject>> GetPod(std::string pod_namespace, std::string name) override;
  Task<Status> PatchPodAnnotation(std::string pod_namespace, std::string name, std::string key,
                                  std::string value) override;
  Task<Result<NodeObject>> GetNode() override;
  Task<Result<EniConfig>> GetEniConfig(std::string name) override;
  Task<Status> PatchCniNode(std::vector<CniNodeFeature> features) override;

 private:
  Pod* FindPod(const std::string& pod_namespace, const std::string& name) const;

  const ClusterContext& context_;
  Node& node_;
  const Ec2& ec2_;
  VpcResourceController& vpc_resources_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_KUBERNETES_SIM_H_
