// The kernel of a simulated node of the VPC CNI: what the production host network of core/host
// makes of it, over the ENIs that EC2 has attached.
#ifndef CNISIM_SIM_CLUSTER_NODE_KERNEL_H_
#define CNISIM_SIM_CLUSTER_NODE_KERNEL_H_

#include <optional>
#include <string>

#include "core/host/vpc_cni_host.h"
#include "core/routing/host_kernel.h"
#include "sim/cloud/ec2.h"
#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node.h"

namespace cnisim {

// The IPv6 address of an instance's first ENI, if its subnet has IPv6. EC2's choice is not
// simulated: this one, of the IPv4 address's place in the upper part of the block, is nobody
// else's.
std::optional<IpAddress> PrimaryIpv6Of(const SubnetSpec& subnet, const NetworkInterface& eni);

class NodeKernel final : private VpcCniInstance {
 public:
  // All outlive this. `settings` is what the agent's containers would start with now.
  NodeKernel(const ClusterContext& context, const Node& node, const Ec2& ec2,
             InstanceIndex instance, const AgentSettings& settings);

  VpcCniHost& host() { return host_; }
  const HostState& state() const { return kernel_.state(); }
  // A container of the agent starts.
  void set_settings(const AgentSettings& settings);

 private:
  VpcCniNode AtBoot() const override;
  std::optional<VpcCniEni> FindEni(IpAddress primary_ip) const override;
  VpcCniEni EniOf(const AttachedInterface& interface) const;

  const ClusterContext& context_;
  const Ec2& ec2_;
  const InstanceIndex instance_;
  const NodeImage image_;
  StateKernel kernel_;
  VpcCniHost host_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_NODE_KERNEL_H_
