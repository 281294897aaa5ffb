// Enters an attached ENI and its addresses into the datastore of its network card (SU-1, EX-2,
// V6-2 of the rules; amazon-vpc-cni-k8s v1.23.1, pkg/ipamd).
#ifndef CNISIM_CORE_IPAM_ENI_SETUP_H_
#define CNISIM_CORE_IPAM_ENI_SETUP_H_

#include <vector>

#include "core/ipam/agent_state.h"
#include "core/ipam/eni_enumeration.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// A secondary ENI is brought up on the host first, and taken out of the datastore again if that
// fails. An ENI that is there already is set up again. Requires a pool for its network card.
Task<Status> SetupEni(AgentState& agent, AttachedEni eni);

// Enters what EC2 says an ENI holds; what is there already is left alone.
void EnterAddresses(AgentState& agent, Datastore& pool, const std::string& eni_id,
                    const std::vector<Ipv4Address>& ips, const std::vector<Ipv4Cidr>& prefixes);

// EX-1: whether pods may have no addresses of an ENI in this subnet, by a look at its tags.
Task<Result<bool>> SubnetIsExcluded(AgentState& agent, std::string subnet_id);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_ENI_SETUP_H_
