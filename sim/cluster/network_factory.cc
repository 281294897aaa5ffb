#include "sim/cluster/network_factory.h"

#include "sim/cluster/aws_vpc_cni_factory.h"
#include "sim/cluster/calico_network.h"

namespace cnisim {

std::unique_ptr<NetworkFactory> MakeNetworkFactory(ClusterContext& context, Ec2& ec2,
                                                   VpcResourceController& vpc_resources) {
  if (context.scenario.network.plugin == Plugin::kCalico) {
    return std::make_unique<CalicoFactory>(context, ec2);
  }
  return std::make_unique<AwsVpcCniFactory>(context, ec2, vpc_resources);
}

}  // namespace cnisim
