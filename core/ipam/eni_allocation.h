// How an ENI comes: created, attached, waited for and set up (section 4.2 of the rules, in the call
// order of amazon-vpc-cni-k8s v1.23.1, pkg/awsutils).
#ifndef CNISIM_CORE_IPAM_ENI_ALLOCATION_H_
#define CNISIM_CORE_IPAM_ENI_ALLOCATION_H_

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// Creates an ENI with `quantity` addresses or prefixes, attaches it to the network card of `pool`,
// waits until metadata shows them, and enters it into `pool`. An ENI that metadata never shows
// stays attached, for a later reconcile to adopt.
Task<Status> AddEniToPool(AgentState& agent, Datastore& pool, int quantity);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_ENI_ALLOCATION_H_
