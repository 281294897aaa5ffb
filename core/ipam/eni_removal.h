// When and how an ENI leaves (RM-1 to RM-4 and section 4.4 of the rules; amazon-vpc-cni-k8s
// v1.23.1, pkg/ipamd and pkg/awsutils).
//
// An ENI leaves when the pool can spare it: it is a secondary one without pods, at least a minute
// old, with no address cooling, and the others alone meet the targets (Datastore::RemoveUnusedEni
// has the exact tests). It is out of the datastore before EC2 hears of it.
#ifndef CNISIM_CORE_IPAM_ENI_REMOVAL_H_
#define CNISIM_CORE_IPAM_ENI_REMOVAL_H_

#include <string>

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// RM-1: whether to look for one, by statistics of the beginning of a pool update.
bool WouldTryEniRemoval(const AgentState& agent, const Datastore& pool, const PoolStats& stats);

// Removes at most one ENI of the pool, unless the agent may not (RM-2).
Task<void> TryRemoveEni(AgentState& agent, Datastore& pool);

// Detaches and deletes an ENI that has left the datastore, then removes its host rule (4.4, RM-4).
Task<void> FreeEni(AgentState& agent, std::string eni_id);

// What EC2 has to be told for that, with all retries. Error code kDeleteFailed if only the last
// step failed.
inline constexpr std::string_view kDeleteFailed = "DeleteFailed";
Task<Status> DetachAndDeleteEni(AgentState& agent, std::string eni_id);

// DeleteNetworkInterface, tried up to 12 times; an ENI that is gone already counts as deleted.
Task<Status> DeleteEniWithRetries(AgentState& agent, std::string eni_id);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_ENI_REMOVAL_H_
