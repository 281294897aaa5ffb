// The cluster-wide side of a network plugin: gives each node its NodeNetwork.
//
// One implementation per plugin. What a plugin needs from the world (EC2, a datastore of address
// blocks) is its own business.
#ifndef CNISIM_SIM_CLUSTER_NETWORK_FACTORY_H_
#define CNISIM_SIM_CLUSTER_NETWORK_FACTORY_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node.h"
#include "sim/cluster/node_network.h"
#include "sim/cluster/vpc_resource_controller.h"

namespace cnisim {

class NetworkFactory {
 public:
  virtual ~NetworkFactory() = default;

  // How many pods the kubelet of a node of this type allows by default (`maxPods: auto`).
  virtual int MaxPods(const InstanceType& type) const = 0;
  virtual std::unique_ptr<NodeNetwork> MakeNetwork(Node& node) = 0;
  // The plugin's environment changes: for containers that start from now on.
  virtual void SetEnv(const std::map<std::string, std::optional<std::string>>& env) = 0;
  // The node is gone for good; its network has been stopped.
  virtual void OnNodeGone(Node& node) = 0;

  // At time zero: tells levels.
  virtual void TellLevels() = 0;
  // At the end: tells what is known only then.
  virtual void TellFindings() = 0;
  virtual std::vector<std::string> CheckInvariants() = 0;
};

// Makes the factory of the scenario's plugin.
std::unique_ptr<NetworkFactory> MakeNetworkFactory(ClusterContext& context, Ec2& ec2,
                                                   VpcResourceController& vpc_resources);

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_NETWORK_FACTORY_H_
