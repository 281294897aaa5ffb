// What a kubelet does with a pod that was bound to its node: sandbox, CNI ADD with retries,
// containers, and in the end CNI DEL.
#ifndef CNISIM_SIM_CLUSTER_KUBELET_H_
#define CNISIM_SIM_CLUSTER_KUBELET_H_

#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node.h"
#include "sim/cluster/pod_store.h"

namespace cnisim {

// Told of the turns in a pod's life. May not end the pod's flow from within.
class PodEvents {
 public:
  virtual ~PodEvents() = default;
  // Its lifetime is over; it is being taken down.
  virtual void OnPodFinished(Pod& pod) = 0;
  // Its sandbox is gone. Called from an event of its own; the pod may be removed.
  virtual void OnPodGone(Pod& pod) = 0;
};

class Kubelet {
 public:
  Kubelet(ClusterContext& context, PodStore& pods, PodEvents& events)
      : context_(context), pods_(pods), events_(events) {}

  // The pod is on a node: starts it. It runs until its lifetime ends or Stop.
  void Start(Pod& pod);
  // Ends a pod, however far it has come. Not to be called from the pod's own flow.
  void Stop(Pod& pod);

 private:
  Task<void> Run(Pod& pod);
  Task<void> SetUpNetwork(Pod& pod, RandomStream& stream);
  Task<void> TakeDown(Pod& pod);
  // Zero while warming up.
  Duration Sample(const Distribution& distribution, RandomStream& stream) const;
  // When the kubelet has made so many API calls, in turn and at its client's rate.
  TimePoint AfterApiCalls(Pod& pod, double calls) const;
  std::string SandboxId(const Pod& pod) const;

  ClusterContext& context_;
  PodStore& pods_;
  PodEvents& events_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_KUBELET_H_
