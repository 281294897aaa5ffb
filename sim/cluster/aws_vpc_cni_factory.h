// The VPC CNI for a whole cluster: one agent a node, one environment for all.
#ifndef CNISIM_SIM_CLUSTER_AWS_VPC_CNI_FACTORY_H_
#define CNISIM_SIM_CLUSTER_AWS_VPC_CNI_FACTORY_H_

#include "core/ipam/settings.h"
#include "sim/cluster/aws_vpc_cni.h"
#include "sim/cluster/network_factory.h"
#include "sim/cluster/quirk_tally.h"

namespace cnisim {

class AwsVpcCniFactory final : public NetworkFactory, public AgentSettingsSource {
 public:
  // Requires an environment that the agent accepts; the scenario loader has seen to that.
  AwsVpcCniFactory(ClusterContext& context, Ec2& ec2, VpcResourceController& vpc_resources);

  int MaxPods(const InstanceType& type) const override;
  std::unique_ptr<NodeNetwork> MakeNetwork(Node& node) override;
  void SetEnv(const std::map<std::string, std::optional<std::string>>& env) override;
  void OnNodeGone(Node& node) override { vpc_resources_.OnNodeGone(node); }
  void TellLevels() override;
  void TellFindings() override { quirks_.TellFindings(); }
  std::vector<std::string> CheckInvariants() override;
  AgentSettings SettingsFor(const InstanceType& type) const override;

 private:
  ClusterContext& context_;
  Ec2& ec2_;
  VpcResourceController& vpc_resources_;
  std::map<std::string, std::optional<std::string>> env_;  // over the manifest's, as of now
  AgentSettings settings_;
  std::vector<PoolLevels> levels_;  // by node group
  QuirkTally quirks_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_AWS_VPC_CNI_FACTORY_H_
