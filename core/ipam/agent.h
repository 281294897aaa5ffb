// The L-IPAM agent of one node: what runs in the aws-node container.
//
//   Agent agent(ports, settings, limits, choice, listener);
//   Status ready = co_await agent.Init();   // an error is fatal; make a new Agent and try again
//   co_await agent.Run();                   // for ever
//   agent.AddPod(key, metadata);            // any time after Init, also while the loop waits
//
// Behaviour: amazon-vpc-cni-k8s v1.23.1. Destroying the agent while its flows wait is a kill:
// memory is gone, the checkpoint and EC2 stay as they are. The tasks that it gave out go before it.
// What it tells about itself: metrics() and agent_pages.h.
#ifndef CNISIM_CORE_IPAM_AGENT_H_
#define CNISIM_CORE_IPAM_AGENT_H_

#include <list>
#include <vector>

#include "core/ipam/agent_state.h"
#include "core/ipam/pod_addresses.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

class Agent {
 public:
  // `listener` is told of every change of the pools and may be null.
  Agent(AgentPorts ports, AgentSettings settings, InstanceLimits limits, Choice choice,
        PoolListener* listener)
      : state_(ports, std::move(settings), limits, choice, listener) {}

  // Node initialisation. No pod may be served before it has succeeded.
  Task<Status> Init();
  // The pool loop. IPv6 has none; then it only waits for a trunk, if one is wanted.
  Task<void> Run();

  // CNI ADD: never waits, whatever the pool loop is doing.
  Result<std::vector<PodAddress>> AddPod(const IpamKey& key, const IpamMetadata& metadata,
                                         bool every_card = false) {
    return AssignPodAddresses(state_, key, metadata, every_card);
  }
  // CNI DEL: never waits either. (The real agent answers only when what PX-4 has it give back to
  // EC2 is given back; here the answer does not depend on it.)
  Task<Result<std::vector<PodAddress>>> DelPod(IpamKey key);

  // SIGTERM: no pool grows and no ENI leaves any more; pods are still served (SU-3).
  void Terminate() { state_.terminating = true; }

  AgentState& state() { return state_; }
  const AgentState& state() const { return state_; }
  const AgentMetrics& metrics() const { return state_.metrics; }

 private:
  Task<Status> InitNode();
  // Runs beside the pool loop until it is done, or the agent ends.
  void StartFlow(Task<void> flow);

  AgentState state_;
  std::list<Task<void>> flows_;  // destroyed before the state
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_AGENT_H_
