// Keeps the pool at its targets: one step of growing or shrinking at a time.
//
// Rules UP and DN of amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd/ipamd.go); the decisions themselves are
// in pool_policy.h, how an ENI comes and leaves in eni_allocation.h and eni_removal.h.
#ifndef CNISIM_CORE_IPAM_POOL_MANAGER_H_
#define CNISIM_CORE_IPAM_POOL_MANAGER_H_

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// One scale-up step: addresses for an ENI that has room, else a new ENI. An error means that EC2
// refused in a way that ends the step; exhausted subnets are not errors (UP-8, UP-10).
Task<Status> IncreasePool(AgentState& agent, Datastore& pool);

// One pool update of every network card: low -> scale up, else high -> scale down; then perhaps
// remove an ENI, judged by the statistics from before. Returns true if it did or tried anything.
Task<bool> UpdatePool(AgentState& agent);

// The earliest time at which an update may decide otherwise than the one that just did nothing,
// provided that no datastore changes. kForever if never.
TimePoint NextDecisionChange(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_POOL_MANAGER_H_
