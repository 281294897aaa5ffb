// What a restart does: the agent learns from its checkpoint which pod has which address (RS-3 to
// RS-6 of the rules; amazon-vpc-cni-k8s v1.23.1, pkg/ipamd/datastore). Cooldowns are forgotten.
#ifndef CNISIM_CORE_IPAM_CHECKPOINT_RECOVERY_H_
#define CNISIM_CORE_IPAM_CHECKPOINT_RECOVERY_H_

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// Requires that all ENIs are in the pools. Entries of pods without a host interface, and of
// addresses on no ENI, are dropped. Errors are fatal: a checkpoint that cannot be read, or that
// gives one address twice; links that cannot be listed.
Task<Status> RecoverFromCheckpoint(AgentState& agent);

// Releases the addresses of pods whose host interface is gone: they were deleted while nobody
// listened (the repair of quirk missedDelsLeak). To be started when pods begin to be served: a DEL
// that comes later is heard.
Task<void> ReleaseAddressesOfGonePods(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CHECKPOINT_RECOVERY_H_
