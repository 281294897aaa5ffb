// Node initialisation: from a fresh container to a pool that can serve (3.1, in the call order of
// amazon-vpc-cni-k8s v1.23.1).
#ifndef CNISIM_CORE_IPAM_NODE_INIT_H_
#define CNISIM_CORE_IPAM_NODE_INIT_H_

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// An error is fatal: the container exits and is started again. No pod may be served before success.
Task<Status> InitNode(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_NODE_INIT_H_
