// Asking for a trunk ENI and saying what the node can do, by features of its CNINode object
// (ENABLE_POD_ENI; LP-2 and step 5 of section 3.1 of the rules; amazon-vpc-cni-k8s v1.23.1,
// pkg/ipamd). The VPC resource controller attaches the trunk; a reconcile finds it.
#ifndef CNISIM_CORE_IPAM_TRUNK_H_
#define CNISIM_CORE_IPAM_TRUNK_H_

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// If there is a slot for it. A failure is only counted; the next pool update asks again.
Task<void> RequestTrunk(AgentState& agent);

// Enters the trunk into the default pool if it is attached by now.
Task<void> AdoptTrunk(AgentState& agent);

// With custom networking, the controller has to know which ENIConfig is the node's.
Task<Status> AnnounceCustomNetworking(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_TRUNK_H_
