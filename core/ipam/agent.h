// The L-IPAM agent of one node: what runs in the aws-node container.
//
//   Agent agent(ports, settings, limits, choice, listener);
//   Status ready = co_await agent.Init();   // an error is fatal; make a new Agent and try again
//   co_await agent.RunPoolLoop();           // for ever
//   agent.AddPod(key, metadata);            // any time after Init, also while the loop waits
//
// Behaviour: amazon-vpc-cni-k8s v1.23.1, IPv4 on the default network card. Destroying the agent
// while its flows wait is a kill: memory is gone, the checkpoint and EC2 stay as they are.
#ifndef CNISIM_CORE_IPAM_AGENT_H_
#define CNISIM_CORE_IPAM_AGENT_H_

#include "core/ipam/agent_state.h"
#include "core/ipam/node_init.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

class Agent {
 public:
  // `listener` is told of every change of the pool and may be null.
  Agent(AgentPorts ports, AgentSettings settings, InstanceLimits limits, Choice choice,
        PoolListener* listener)
      : state_(ports, std::move(settings), limits, choice, listener) {}

  Task<Status> Init() { return InitNode(state_); }
  Task<void> RunPoolLoop();

  // CNI ADD and DEL: never wait, whatever the pool loop is doing.
  Result<PodAddress> AddPod(const IpamKey& key, const IpamMetadata& metadata) {
    return state_.datastore.Assign(key, metadata, state_.Now());
  }
  Result<ReleasedAddress> DelPod(const IpamKey& key) {
    return state_.datastore.Unassign(key, state_.Now());
  }

  AgentState& state() { return state_; }

 private:
  AgentState state_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_AGENT_H_
