// A simulated cluster at one moment, for whoever looks into it: what kubectl, the AWS CLI and a
// shell on a node would show. Plain copies, but for kernels and networks, which live until the next
// event.
#ifndef CNISIM_SIM_CLUSTER_WORLD_VIEW_H_
#define CNISIM_SIM_CLUSTER_WORLD_VIEW_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/ip.h"
#include "core/routing/kube_proxy.h"
#include "core/routing/vpc_fabric.h"
#include "sim/cloud/ec2.h"
#include "sim/cluster/node_network.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

struct NodeView {
  EntityId entity = kNoEntity;
  std::string name;
  std::string instance_id;
  std::string instance_type;
  int node_group = 0;  // an index into Scenario::node_groups
  size_t subnet = 0;   // an index into VpcSpec::subnets
  IpAddress ip;
  std::string status;  // as `kubectl get nodes` words it
  int max_pods = 0;
  std::vector<AttachedInterface> enis;
};

struct PodView {
  std::string ns;
  std::string name;
  std::string status;  // as `kubectl get pods` words it
  std::string node;    // empty: not scheduled
  std::string netns;   // of its sandbox; empty: none, or the node's
  std::string eni;     // empty: none, or none of its own
  std::optional<IpAddress> ip;
  int workload = 0;  // an index into Scenario::workloads
};

struct SubnetView {
  std::string id;
  int64_t free = 0;  // AvailableIpAddressCount
};

class WorldView {
 public:
  virtual ~WorldView() = default;
  virtual const Scenario& scenario() const = 0;
  virtual TimePoint Now() const = 0;
  virtual std::vector<NodeView> Nodes() const = 0;  // oldest first, booting ones included
  virtual std::vector<PodView> Pods() const = 0;    // oldest first
  // Null if there is no such node, or it has none yet.
  virtual NodeNetwork* NetworkOf(std::string_view node) const = 0;
  virtual std::string VpcId() const = 0;
  virtual std::vector<SubnetView> Subnets() const = 0;  // in the order of VpcSpec::subnets
  // Every ENI of the account, attached or not, oldest first.
  virtual std::vector<NetworkInterface> Interfaces() const = 0;
  // The scenario's services as kube-proxy sees them: each with the addresses of its running pods.
  virtual std::vector<KubeServicePort> Services() const = 0;
  // Nothing once the node is gone.
  virtual std::optional<std::string> NodeOf(InstanceIndex instance) const = 0;
  // Nodes with an instance, oldest first.
  virtual std::vector<std::string> NodeNames() const = 0;
  // A node's ENIs as the VPC sees them.
  virtual std::vector<VpcInterface> InterfacesOf(std::string_view node) const = 0;
};

// The VPC as it is now: every node's ENIs and their addresses.
VpcFabric FabricOf(const WorldView& world);
// What the node's kernel holds now; null if there is no such node, or it has not booted.
const HostState* FindNodeKernel(const WorldView& world, std::string_view node);

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_WORLD_VIEW_H_
