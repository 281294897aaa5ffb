// Which ENIs are attached to the instance, and which of them are the agent's (CA-1, CA-2, UM, NC-1
// of the rules; amazon-vpc-cni-k8s v1.23.1, pkg/awsutils and pkg/ipamd).
#ifndef CNISIM_CORE_IPAM_ENI_ENUMERATION_H_
#define CNISIM_CORE_IPAM_ENI_ENUMERATION_H_

#include <vector>

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

struct AttachedEni {
  MetadataEni metadata;
  NetworkInterface described;  // only the id in IMDS-only mode
};

// Every attached ENI, from metadata and EC2, oldest attachment first. Takes note of which are not
// the agent's, and of the primary one's connection tracking.
Task<Result<std::vector<AttachedEni>>> DescribeAllEnis(AgentState& agent);

// By what was noted last.
bool IsManaged(const AgentState& agent, const MetadataEni& eni);

// One ENI as EC2 knows it.
Task<Result<NetworkInterface>> DescribeEni(AgentState& agent, std::string eni_id);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_ENI_ENUMERATION_H_
