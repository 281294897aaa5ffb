// What the agent reads anew every 30 s: the VPC's blocks, for the host's SNAT rules (PW-1), and the
// primary ENI's security groups, which all managed ENIs shall have (PW-2; amazon-vpc-cni-k8s
// v1.23.1, pkg/ipamd and pkg/awsutils).
#ifndef CNISIM_CORE_IPAM_REFRESH_H_
#define CNISIM_CORE_IPAM_REFRESH_H_

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// Each once. After an error, the next time does all of it again.
Task<Status> RefreshVpcCidrs(AgentState& agent);
Task<Status> RefreshSecurityGroups(AgentState& agent);

// Each for ever.
Task<void> KeepVpcCidrsFresh(AgentState& agent);
Task<void> KeepSecurityGroupsFresh(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_REFRESH_H_
