// Custom networking: which ENIConfig tells where this node's new ENIs go
// (AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG; amazon-vpc-cni-k8s v1.23.1, pkg/eniconfig).
#ifndef CNISIM_CORE_IPAM_ENI_CONFIG_H_
#define CNISIM_CORE_IPAM_ENI_CONFIG_H_

#include <string>

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// The external label, else the annotation, else the label of the settings, else "default".
std::string EniConfigName(const NodeObject& node, const AgentSettings& settings);

// The name as the node has it now.
Task<Result<std::string>> MyEniConfigName(AgentState& agent);
Task<Result<EniConfig>> MyEniConfig(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_ENI_CONFIG_H_
