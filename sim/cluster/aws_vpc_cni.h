// The VPC CNI on one simulated node: the production agent of core/ipam, given a simulated world to
// live in.
#ifndef CNISIM_SIM_CLUSTER_AWS_VPC_CNI_H_
#define CNISIM_SIM_CLUSTER_AWS_VPC_CNI_H_

#include <map>
#include <memory>
#include <string>

#include "core/cni/plugin.h"
#include "core/ipamd/ipamd.h"
#include "core/rpc/local_channel.h"
#include "sim/cloud/ec2.h"
#include "sim/cloud/ec2_client.h"
#include "sim/cluster/cluster_context.h"
#include "sim/cluster/kubernetes_sim.h"
#include "sim/cluster/node_kernel.h"
#include "sim/cluster/node_logs.h"
#include "sim/cluster/node_network.h"
#include "sim/cluster/pool_loop_pacer_sim.h"
#include "sim/cluster/quirk_tally.h"
#include "sim/cluster/vpc_cni_ports.h"

namespace cnisim {

class Node;

// What a pool, or the pools of a node group together, hold.
struct PoolLevels {
  int64_t enis = 0;
  int64_t prefixes = 0;
  int64_t total_ips = 0;
  int64_t assigned_ips = 0;
};

// What a container that starts now has to know.
class AgentSettingsSource {
 public:
  virtual ~AgentSettingsSource() = default;
  virtual AgentSettings SettingsFor(const InstanceType& type) const = 0;
};

class AwsVpcCni final : public NodeNetwork, public PoolListener {
 public:
  AwsVpcCni(ClusterContext& context, Node& node, Ec2& ec2, InstanceIndex instance,
            VpcResourceController& vpc_resources, const AgentSettingsSource& settings,
            PoolLevels& group_levels, QuirkTally& quirks);
  ~AwsVpcCni() override;

  void Start(std::function<void()> on_ready) override;
  void Restart() override;
  bool Serving() const override { return serving_; }
  void Stop() override;
  Task<Result<PodNetwork>> Add(Pod& pod) override;
  WaitReason ExplainFailure(const Pod& pod) override;
  Task<void> Del(Pod& pod) override;
  void Tell() override;
  void TellPages() override;
  std::string AgentPage(NodeLogFile file) override;
  std::vector<PoolSnapshot> Pools() const override;
  Duration IpCooldown() const override { return settings_.ip_cooldown; }
  const HostState* Kernel() override { return kernel_ == nullptr ? nullptr : &kernel_->state(); }
  std::vector<std::string> CheckInvariants() override;
  bool ForgotAddresses() const override { return forgot_addresses_; }
  void OnPoolChanged() override;
  void OnQuirk(Quirk quirk) override;

 private:
  struct Logs {
    NodeLogSink ipamd;
    NodeLogSink plugin;
  };

  std::unique_ptr<Logs> MakeLogs() const;
  void WriteConflist();
  HostNetwork& Host();
  PodNetworkDriver& Driver();
  PodAttachment AttachmentOf(const Pod& pod) const;
  Task<void> RunContainer(Duration start_delay);
  void KillContainer();
  void FindLeaks();
  void SetLevels(const PoolLevels& levels);
  void FlushPoolChange();

  ClusterContext& context_;
  Node& node_;
  Ec2& ec2_;
  InstanceIndex instance_;
  const AgentSettingsSource& settings_source_;
  AgentSettings settings_;  // of the running container
  PoolLevels& group_levels_;
  QuirkTally& quirks_;
  std::unique_ptr<NodeKernel> kernel_;  // null unless kernels are tracked
  SimNodeHost host_;                    // otherwise
  SimKubernetes kubernetes_;
  SimCheckpoints checkpoints_;
  // What a CNI ADD or DEL goes through: the plugin, and the messages to the agent and to the
  // network policy agent.
  NetworkConfig cni_config_;
  // What the container runtime hands back with the DEL of a pod on a branch ENI, by sandbox.
  // Without its result, other pods' DELs go the same way.
  std::map<std::string, NetworkConfig> branch_configs_;
  LocalChannel channel_;
  AllowingPolicyAgent policy_agent_;
  InstantDriver driver_;
  std::unique_ptr<Logs> logs_;  // null if nobody wants them
  CniPlugin plugin_;
  SimPoolLoopPacer pacer_;
  std::function<void()> on_ready_;

  // The running container; `flow_` is its process and goes first.
  std::unique_ptr<Ec2Client> ec2_client_;
  std::unique_ptr<Ipamd> ipamd_;
  bool serving_ = false;
  Task<void> flow_;

  // Attachments whose DEL found no agent. Some are still in its book after the restart.
  std::vector<IpamKey> missed_dels_;
  size_t leaks_told_ = 0;
  bool forgot_addresses_ = false;

  // The last change of the pool, told when time has moved on so that a burst of changes is one.
  PoolChange change_;
  bool change_pending_ = false;
  PoolLevels levels_;  // this node's share of the group's
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_AWS_VPC_CNI_H_
