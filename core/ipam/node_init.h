// Node initialisation: from a fresh container to a pool that can serve (section 3.1 of the rules,
// in the call order of amazon-vpc-cni-k8s v1.23.1).
//
// Every error is fatal: the container exits and is started again. No pod may be served before the
// last step has succeeded. The agent runs the steps, and starts its other flows between them.
#ifndef CNISIM_CORE_IPAM_NODE_INIT_H_
#define CNISIM_CORE_IPAM_NODE_INIT_H_

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// Who and where the node is; limits of an instance type that is not built in.
Task<Status> BeginNodeInit(AgentState& agent);

// The host's network; every attached ENI of the agent's, tagged, set up and in the pool of its
// network card; pods from the checkpoint; what is of no use any more given back.
Task<Status> EnterAttachedEnis(AgentState& agent);

// Max pods, what the node announces of itself, and one step towards a warm pool.
Task<Status> FinishNodeInit(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_NODE_INIT_H_
