// The node groups: launches instances, brings them into the cluster, drains and terminates them.
#ifndef CNISIM_SIM_CLUSTER_NODE_MANAGER_H_
#define CNISIM_SIM_CLUSTER_NODE_MANAGER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cluster/cluster_context.h"
#include "sim/cluster/network_factory.h"
#include "sim/cluster/node.h"
#include "sim/cluster/workload_controller.h"

namespace cnisim {

class NodeManager {
 public:
  NodeManager(ClusterContext& context, Ec2& ec2, NetworkFactory& networks,
              WorkloadController& workloads,
              std::function<EntityId(EntityKind, std::string_view, EntityId)> new_entity);

  // Launches the nodes that are there from the start.
  void Start();
  void Scale(int node_group, int desired_capacity);
  // The agent of the named node restarts; a finding if there is no such node.
  void RestartAgent(const std::string& node);
  // Restarts the agents of all nodes, a tenth of them at a time.
  void RollOut();

  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  // Tells what the observer has to know of all nodes at time zero.
  void TellAtStart();
  // Tells the nodes that are left when the run ends.
  void TellRemaining();
  // Ends everything that nodes are doing.
  void StopFlows();

 private:
  struct Group {
    int desired = 0;
    int launched = 0;            // ever; numbers the nodes
    std::vector<Node*> members;  // oldest first, draining ones left out
  };

  void Launch(int node_group);
  bool LaunchInstance(Node& node);
  Task<void> Boot(Node& node);
  void OnNetworkReady(Node& node);
  Task<void> BecomeReady(Node& node);
  Task<void> RestartAgents();
  // The node is interrupted, as a spot instance is, and another one launched.
  void Replace(uint32_t index);
  void Drain(Node& node);
  Task<void> TerminateWhenEmpty(Node& node);
  void TellNode(const Node& node, bool removed);
  void TellReady();
  NodeConfig Configure(int node_group);

  ClusterContext& context_;
  Ec2& ec2_;
  NetworkFactory& networks_;
  WorkloadController& workloads_;
  std::function<EntityId(EntityKind, std::string_view, EntityId)> new_entity_;
  std::vector<Group> groups_;
  std::vector<std::unique_ptr<Node>> nodes_;  // by index; gone ones are null
  int ready_ = 0;
  Task<void> roll_out_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_NODE_MANAGER_H_
