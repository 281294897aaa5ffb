// Keeps every workload as its spec wants it: creates pods, at the rate of the controllers' API
// client, and deletes them.
//
// The n-th pod of a workload has the same name and draws the same lifetime under every policy and
// network, so runs of one seed can be compared pair by pair.
#ifndef CNISIM_SIM_CLUSTER_WORKLOAD_CONTROLLER_H_
#define CNISIM_SIM_CLUSTER_WORKLOAD_CONTROLLER_H_

#include <memory>
#include <string>
#include <vector>

#include "sim/cluster/cluster_context.h"
#include "sim/cluster/kubelet.h"
#include "sim/cluster/pod_store.h"
#include "sim/cluster/rate_limiter.h"
#include "sim/cluster/scheduler.h"
#include "sim/cluster/vpc_resource_controller.h"

namespace cnisim {

class WorkloadController final : private PodEvents {
 public:
  WorkloadController(ClusterContext& context, PodStore& pods, VpcResourceController& vpc_resources);

  // Starts what is there from the start, and plans the rest. `now` is the start of the warm-up or
  // time zero.
  void Start();
  // Whatever comes in measured time: planned when the warm-up is over.
  void StartMeasured();

  void Scale(int workload, int replicas);
  // DaemonSets put their pods on a node that has become ready.
  void OnNodeReady(Node& node);
  // Ends a pod. Its workload replaces it if it is of that kind.
  void Delete(Pod& pod);

  Scheduler& scheduler() { return scheduler_; }

 private:
  struct Workload {
    int desired = 0;   // of a Deployment
    int creating = 0;  // asked for, not created yet
    int deleting = 0;  // of those alive: asked for, not deleted yet
    int64_t created = 0;
    int64_t batches = 0;
    std::vector<Pod*> alive;  // not terminating
    size_t next_trace_pod = 0;
    size_t next_place = 0;  // of DeploymentSpec::placed_on
    int pods_at_place = 0;  // that had their turn there
    int misplaced = 0;      // that did not fit there
    std::unique_ptr<RandomStream> arrivals;
  };

  void OnPodFinished(Pod& pod) override;
  void OnPodGone(Pod& pod) override;

  void Reconcile(int workload);
  // Creates one pod when the API client's rate allows, if it is still wanted.
  void CreateLater(int workload, std::string name);
  Pod& Create(int workload, std::string name);
  // Binds it to the node that the scenario gives it at time zero; false if there is none, or no
  // room.
  bool PlaceAtStart(Pod& pod);
  void Leave(Pod& pod);  // no longer alive
  void RunBatch(int workload);
  void NextBatch(int workload);
  void NextTracePod(int workload);
  void DrawLifetime(Pod& pod);
  const WorkloadSpec& Spec(int workload) const {
    return context_.scenario.workloads[static_cast<size_t>(workload)];
  }
  TimePoint NextCreation();

  ClusterContext& context_;
  PodStore& pods_;
  VpcResourceController& vpc_resources_;
  Kubelet kubelet_;
  Scheduler scheduler_;
  RateLimiter rate_;
  std::vector<Workload> workloads_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_WORKLOAD_CONTROLLER_H_
