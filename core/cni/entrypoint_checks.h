// What the container's entrypoint refuses to start with, as far as it is about the plugin.
//
// Source: rule EV-3 of amazon-vpc-cni-k8s v1.23.1 (cmd/aws-vpc-cni).
#ifndef CNISIM_CORE_CNI_ENTRYPOINT_CHECKS_H_
#define CNISIM_CORE_CNI_ENTRYPOINT_CHECKS_H_

#include <map>
#include <string>

#include "core/ports/result.h"

namespace cnisim {

// The first variable with a bad value is an error that names it. Looks at AWS_VPC_ENI_MTU, POD_MTU,
// AWS_VPC_K8S_CNI_VETHPREFIX, AWS_VPC_K8S_PLUGIN_LOG_FILE and, with `pod_eni` (ENABLE_POD_ENI), at
// POD_SECURITY_GROUP_ENFORCING_MODE; one that is not set is fine.
Status CheckPluginVariables(const std::map<std::string, std::string>& environment, bool ipv6,
                            bool pod_eni);

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_ENTRYPOINT_CHECKS_H_
