// The VPC CNI on one simulated node: the production agent of core/ipam, given a simulated world to
// live in.
#ifndef CNISIM_SIM_CLUSTER_AWS_VPC_CNI_H_
#define CNISIM_SIM_CLUSTER_AWS_VPC_CNI_H_

#include <memory>
#include <unordered_map>

#include "core/ipam/agent.h"
#include "sim/cloud/ec2.h"
#include "sim/cloud/ec2_client.h"
#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node_network.h"
#include "sim/cluster/pool_loop_pacer_sim.h"

namespace cnisim {

class Node;

// Totals over all nodes, told as gauges.
struct PoolTotals {
  int64_t total_ips = 0;
  int64_t assigned_ips = 0;
};

class AwsVpcCni final : public NodeNetwork, public PoolListener {
 public:
  AwsVpcCni(ClusterContext& context, Node& node, Ec2& ec2, InstanceIndex instance,
            AgentSettings settings, PoolTotals& totals);
  ~AwsVpcCni() override;

  void Start(std::function<void()> on_ready) override;
  void Restart() override;
  void Stop() override;
  Task<Result<PodNetwork>> Add(Pod& pod) override;
  WaitReason ExplainFailure() override;
  Task<void> Del(Pod& pod) override;
  void Tell() override;
  std::vector<std::string> CheckInvariants() override;
  void OnPoolChanged() override;

 private:
  class Host;
  class Checkpoint;

  Task<void> RunContainer(Duration start_delay);
  void KillContainer();
  void FlushPoolChange();

  ClusterContext& context_;
  Node& node_;
  Ec2& ec2_;
  InstanceIndex instance_;
  AgentSettings settings_;
  PoolTotals& totals_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Checkpoint> checkpoint_;
  SimPoolLoopPacer pacer_;
  std::function<void()> on_ready_;

  // The running container; `flow_` is its process and goes first.
  std::unique_ptr<Ec2Client> ec2_client_;
  std::unique_ptr<Agent> agent_;
  bool serving_ = false;
  Task<void> flow_;

  // The last change of the pool, told when time has moved on so that a burst of changes is one.
  PoolChange change_;
  bool change_pending_ = false;
  int counted_total_ips_ = 0;  // this node's share of the totals
  int counted_assigned_ips_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_AWS_VPC_CNI_H_
