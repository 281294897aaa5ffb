// Owns the pods that exist, and tells the observer about them.
#ifndef CNISIM_SIM_CLUSTER_POD_STORE_H_
#define CNISIM_SIM_CLUSTER_POD_STORE_H_

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/routing/reachability.h"
#include "sim/cluster/cluster_context.h"
#include "sim/cluster/pod.h"

namespace cnisim {

// A pod with an address, as the network model knows it.
ClusterPod ClusterPodOf(const Pod& pod);

class PodStore {
 public:
  explicit PodStore(ClusterContext& context) : context_(context) {}

  // A pending pod of a workload, created now.
  Pod& Create(int workload, std::string name);
  // nullptr once it is gone.
  Pod* Find(PodId id);
  // Takes a pod whose sandbox is gone out of the world. Not to be called from the pod's own flow.
  void Remove(Pod& pod);

  void SetPhase(Pod& pod, PodPhase phase);
  // The pod has got, or given back, its address.
  void TakeAddress(Pod& pod, IpAddress ip, const std::string& eni);
  void ReturnAddress(Pod& pod);
  // A pod fits on no node, or does after all.
  void CountUnschedulable(int change);

  int running() const { return running_; }
  // Tells the levels of all gauges.
  void TellLevels();
  // Tells all pods that are left when the run ends, and the addresses they hold, oldest pod first.
  void TellRemaining();
  // All pods, oldest first. O(n log n).
  std::vector<Pod*> All() const;
  // Ends everything that pods are doing.
  void StopFlows();

 private:
  void TellGauge(Metric metric, int level);
  void TellTenure(const Pod& pod, bool ended);
  void TellPod(const Pod& pod, bool ended);

  ClusterContext& context_;
  std::unordered_map<PodId, std::unique_ptr<Pod>> pods_;
  PodId next_id_ = 1;
  int running_ = 0;
  int pending_ = 0;
  int unschedulable_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_POD_STORE_H_
