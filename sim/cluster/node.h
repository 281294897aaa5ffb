// A node: an instance that boots, joins, runs pods and goes.
//
// Pods are told apart by Pod*, which stay valid while they are on the node. The order of pods() is
// an accident of removal but the same in every run.
#ifndef CNISIM_SIM_CLUSTER_NODE_H_
#define CNISIM_SIM_CLUSTER_NODE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/ec2.h"
#include "sim/cloud/instance_types.h"
#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node_network.h"
#include "sim/cluster/pod.h"
#include "sim/cluster/rate_limiter.h"

namespace cnisim {

// aws-node (or calico-node) and kube-proxy.
inline constexpr int kSystemPods = 2;

struct NodeConfig {
  uint32_t index = 0;  // over all nodes that ever were
  EntityId entity = kNoEntity;
  int node_group = 0;
  std::string name;
  const InstanceType* type = nullptr;
  int64_t cpu_milli = 0;
  int64_t memory_mib = 0;
  int max_pods = 0;
  size_t subnet = 0;
};

class Node {
 public:
  Node(ClusterContext& context, NodeConfig config);

  uint32_t index() const { return config_.index; }
  EntityId entity() const { return config_.entity; }
  const std::string& name() const { return config_.name; }
  const InstanceType& type() const { return *config_.type; }
  const NodeConfig& config() const { return config_; }
  void set_subnet(size_t subnet) { config_.subnet = subnet; }

  // --- Capacity ---
  int pod_slots_used() const { return system_pods_ + static_cast<int>(pods_.size()); }
  bool Fits(const Pod& pod) const {
    return pod_slots_used() < config_.max_pods && cpu_used_ + pod.cpu_milli <= config_.cpu_milli &&
           memory_used_ + pod.memory_mib <= config_.memory_mib &&
           (!pod.wants_branch_eni || branch_enis_used_ < branch_enis_);
  }
  // How much of the extended resource vpc.amazonaws.com/pod-eni it has.
  void set_branch_enis(int branch_enis) { branch_enis_ = branch_enis; }
  void AddPod(Pod& pod);
  void RemovePod(Pod& pod);
  const std::vector<Pod*>& pods() const { return pods_; }
  const std::string& NamespaceOf(const Pod& pod) const {
    return context_.scenario.workloads[static_cast<size_t>(pod.workload)].pod.ns;
  }

  // --- Draws of this node; each purpose has a stream of its own ---
  Duration Sample(const Distribution& distribution, std::string_view purpose);
  uint64_t ChoiceSeed() const;

  // --- What pod set-up contends for ---
  // rtnl_lock, held in order of asking; returns when a hold of `duration` that is asked for now
  // ends.
  TimePoint HoldRtnl(Duration duration);
  RateLimiter& kubelet_api() { return kubelet_api_; }

  std::optional<InstanceIndex> instance;  // at EC2, once launched
  std::unique_ptr<NodeNetwork> network;
  bool booted = false;  // its kernel runs
  TimePoint joined;
  std::optional<TimePoint> ready;
  bool schedulable = false;
  bool draining = false;
  Task<void> flow;  // booting

 private:
  ClusterContext& context_;
  NodeConfig config_;
  uint64_t entity_hash_;
  int system_pods_;
  std::vector<Pod*> pods_;
  int64_t cpu_used_ = 0;
  int64_t memory_used_ = 0;
  int branch_enis_ = 0;
  int branch_enis_used_ = 0;
  uint64_t samples_ = 0;
  TimePoint rtnl_free_ = kLongAgo;
  RateLimiter kubelet_api_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_NODE_H_
