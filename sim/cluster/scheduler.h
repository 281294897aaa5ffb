// Binds pods to nodes: one at a time, at the scheduler's rate, to a node that has room.
//
// spread takes the node with the fewest pods, pack the one with the most; ties go to the older
// node. A pod that fits nowhere waits until capacity appears and is then tried again, oldest first.
// Binding costs O(log nodes) when the first candidate fits; candidates that lack CPU or memory are
// passed over one by one.
#ifndef CNISIM_SIM_CLUSTER_SCHEDULER_H_
#define CNISIM_SIM_CLUSTER_SCHEDULER_H_

#include <deque>
#include <functional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node.h"
#include "sim/cluster/pod_store.h"
#include "sim/cluster/rate_limiter.h"

namespace cnisim {

class Scheduler {
 public:
  // `bind` is called with a pod that is on its node already.
  Scheduler(ClusterContext& context, PodStore& pods, std::function<void(Pod&)> bind);

  void AddNode(Node& node);
  void RemoveNode(Node& node);
  // Queues a pending pod.
  void Submit(Pod& pod);
  // Puts a pod on a given node, as a DaemonSet's is. False if it does not fit.
  bool BindTo(Pod& pod, Node& node);
  // nullptr if it is not there. O(nodes).
  Node* FindNode(int node_group, std::string_view name) const;
  // A pod has left its node.
  void Release(Pod& pod);
  // A pod is being deleted before it was bound.
  void Forget(Pod& pod);
  // Every unschedulable pod goes back to the queue, soon after the capacity that has appeared.
  void RetryLater();

 private:
  void PumpLater();
  void Pump();
  void Place(Pod& pod);
  const std::vector<int>& GroupsOf(const Pod& pod) const;
  Node* Choose(const Pod& pod) const;
  Node* ChooseIn(int node_group, const Pod& pod) const;
  void Index(Node& node);
  void Unindex(Node& node);

  ClusterContext& context_;
  PodStore& pods_;
  std::function<void(Pod&)> bind_;
  RateLimiter rate_;
  bool pumping_ = false;
  bool retrying_ = false;
  std::deque<PodId> queue_;
  std::deque<PodId> unschedulable_;
  // Nodes with a free pod slot, by (pods, index), for each node group.
  std::vector<std::set<std::pair<int, uint32_t>>> by_pods_;
  std::vector<int> all_groups_;
  std::vector<Node*> nodes_;  // by index; nullptr when not in use
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_SCHEDULER_H_
