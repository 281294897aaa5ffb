// The Kubernetes network model, judged on the tables that nodes' kernels hold: every pod has one
// address, every pod reaches every pod without address translation, a node's agents reach its pods.
//
// Each pod that comes or goes is judged with its node at once, the whole cluster now and then (see
// core/routing/reachability.h for what both cost). Calico's kernels are planned anew for that,
// every node's, so of more than kMostReplannedNodes only the whole is judged.
//
// What a configuration cannot do is a finding (no encapsulation across subnets, ENIs that drop
// pods' addresses, ...), told once a sort; what an agent did wrong is a violation.
#ifndef CNISIM_SIM_CLUSTER_NETWORK_MODEL_H_
#define CNISIM_SIM_CLUSTER_NETWORK_MODEL_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/routing/reachability.h"
#include "core/routing/vpc_fabric.h"
#include "sim/cluster/world_view.h"

namespace cnisim {

struct NetworkFinding {
  std::string code;
  TimePoint time;  // when it was seen first
  std::string text;
};

inline constexpr size_t kMostReplannedNodes = 32;

class NetworkModel {
 public:
  explicit NetworkModel(const WorldView& world);
  NetworkModel(const NetworkModel&) = delete;
  NetworkModel& operator=(const NetworkModel&) = delete;

  // A pod has got its address, or has given it back; `netns` is that of its sandbox.
  void OnPodConnected(const ClusterPod& pod);
  void OnPodGone(const ClusterPod& pod);
  void OnNodeGone(const std::string& node);
  // The instance's ENIs or their addresses are changing.
  void OnInterfacesChanged(InstanceIndex instance) { changed_.insert(instance); }
  void DecideAll();

  // Violations since the last call, in words.
  std::vector<std::string> TakeViolations();
  const std::vector<NetworkFinding>& findings() const { return findings_; }

 private:
  // Brings everything that a pod's judgement needs up to date; false if it is not judged by itself.
  bool ReadyFor(const ClusterPod& pod);
  // The fabric follows the ENIs that have changed.
  void FollowChanges();
  // Where the node's kernel is now.
  void FindKernel(const std::string& node);
  void DetachAll(const std::string& node);
  void Judge(const std::vector<ReachabilityFinding>& found);
  // AWS_EXTERNAL_SERVICE_CIDRS sends what is for a pod of the finding to the primary ENI.
  bool IsExternalService(const ReachabilityFinding& finding) const;

  const WorldView& world_;
  const bool keeps_kernels_;  // unlike Calico's
  std::set<InstanceIndex> changed_;
  std::map<std::string, const HostState*> kernels_;
  VpcFabric fabric_;
  Reachability reachability_;
  std::vector<std::string> violations_;
  std::vector<NetworkFinding> findings_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_NETWORK_MODEL_H_
