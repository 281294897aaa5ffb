#include "sim/cluster/network_factory.h"

#include "sim/cluster/aws_vpc_cni_factory.h"

namespace cnisim {

std::unique_ptr<NetworkFactory> MakeNetworkFactory(ClusterContext& context, Ec2& ec2) {
  return std::make_unique<AwsVpcCniFactory>(context, ec2);
}

}  // namespace cnisim
