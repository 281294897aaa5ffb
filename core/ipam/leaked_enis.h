// Cleaning up ENIs that nodes left behind: created but never attached, or detached and not deleted
// (LK-1 to LK-3 of the rules; amazon-vpc-cni-k8s v1.23.1, pkg/awsutils).
//
// Every node cleans for the whole VPC, or cluster if CLUSTER_NAME is set, without coordination:
// first within 5 minutes after its start, then about every hour.
#ifndef CNISIM_CORE_IPAM_LEAKED_ENIS_H_
#define CNISIM_CORE_IPAM_LEAKED_ENIS_H_

#include "core/ipam/agent_state.h"
#include "core/ports/task.h"

namespace cnisim {

// For ever. Requires the instance's identity.
Task<void> RunLeakedEniCleanup(AgentState& agent);

// Once.
Task<void> CleanUpLeakedEnis(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_LEAKED_ENIS_H_
