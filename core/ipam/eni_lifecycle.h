// The life of an ENI on a node: created and attached, set up, freed.
//
// The sequences of EC2 calls, their retries and waits are those of amazon-vpc-cni-k8s v1.23.1
// (spec 4.2 to 4.4). A freed ENI is out of the datastore before EC2 hears of it.
#ifndef CNISIM_CORE_IPAM_ENI_LIFECYCLE_H_
#define CNISIM_CORE_IPAM_ENI_LIFECYCLE_H_

#include <string>
#include <vector>

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// Creates an ENI with `quantity` addresses or prefixes, attaches it, waits until metadata shows
// them, and sets it up. An ENI that metadata never shows stays attached for a later reconcile to
// adopt.
Task<Status> AddEniToPool(AgentState& agent, int quantity);

// Enters an attached ENI and its addresses into the datastore; a secondary one is brought up on the
// host first, and taken out again if that fails (SU-1).
Task<Status> SetupEni(AgentState& agent, MetadataEni eni);

// Enters what EC2 says an ENI holds into the datastore; what is there already is left alone.
void AddAddresses(AgentState& agent, const std::string& eni_id, const std::vector<Ipv4Address>& ips,
                  const std::vector<Ipv4Cidr>& prefixes);

// Tags an ENI of this node that lacks them (CA-6).
Task<Status> TagEni(AgentState& agent, std::string eni_id, Tags present);

// Detaches and deletes an ENI that has left the datastore, then removes its host rule (4.4, RM-4).
Task<void> FreeEni(AgentState& agent, std::string eni_id);

// Every attached ENI, from metadata and EC2 (CA-2).
struct AttachedEni {
  MetadataEni metadata;
  NetworkInterface described;
};
Task<Result<std::vector<AttachedEni>>> DescribeAllEnis(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_ENI_LIFECYCLE_H_
