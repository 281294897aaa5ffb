// Whether the agent may add or remove addresses and ENIs now (UP-1 and RM-2 of the rules): not once
// it is told to end, nor while its node takes no pods, unless AWS_MANAGE_ENIS_NON_SCHEDULABLE.
#ifndef CNISIM_CORE_IPAM_SCHEDULABLE_H_
#define CNISIM_CORE_IPAM_SCHEDULABLE_H_

#include "core/ipam/agent_state.h"
#include "core/ports/task.h"

namespace cnisim {

Task<bool> MayChangeEnis(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_SCHEDULABLE_H_
