// Giving addresses and prefixes back to EC2: by scale-down (DN-3), and where the mode was switched
// or a subnet excluded (PX-3, PX-4, EX-3, EX-4 of the rules; amazon-vpc-cni-k8s v1.23.1,
// pkg/ipamd).
#ifndef CNISIM_CORE_IPAM_RELEASE_H_
#define CNISIM_CORE_IPAM_RELEASE_H_

#include <string>
#include <vector>

#include "core/ipam/agent_state.h"
#include "core/ports/task.h"

namespace cnisim {

// Whether reconcile shall leave them out for 60 s although metadata may still show them (RC-5).
enum class RememberRelease : bool { kNo, kYes };

// Takes CIDRs of one ENI out of the pool, then releases them at EC2: prefixes first, then
// addresses, then IPv6 prefixes. Those with pods are left alone.
Task<void> ReleaseCidrs(AgentState& agent, Datastore& pool, std::string eni_id,
                        std::vector<IpCidr> cidrs, RememberRelease remember);

// At start: whatever the current mode has no use for (PX-3) ...
Task<void> ReleaseLeftoversOfOtherMode(AgentState& agent);
// ... and what lies unused on excluded ENIs (EX-3).
Task<void> ReleaseUnusedOfExcludedEnis(AgentState& agent);

// After a DEL: what the pod's address leaves behind that nobody can use (PX-4).
Task<void> ReleaseAfterDel(AgentState& agent, Datastore& pool, ReleasedAddress released);

// EX-4: five seconds after the last pod has left a CIDR of an excluded ENI.
Task<void> ForgetCidrOfExcludedEni(AgentState& agent, int network_card, std::string eni_id,
                                   IpCidr cidr);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_RELEASE_H_
