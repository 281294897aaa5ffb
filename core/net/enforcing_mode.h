// How a node's own traffic meets the security groups of pods that have a branch ENI
// (POD_SECURITY_GROUP_ENFORCING_MODE of amazon-vpc-cni-k8s).
#ifndef CNISIM_CORE_NET_ENFORCING_MODE_H_
#define CNISIM_CORE_NET_ENFORCING_MODE_H_

#include <cstdint>

namespace cnisim {

// Strict: all of a pod's traffic passes its branch ENI, even to its own node. Standard: traffic
// within the node does not.
enum class EnforcingMode : uint8_t { kStrict, kStandard };

}  // namespace cnisim

#endif  // CNISIM_CORE_NET_ENFORCING_MODE_H_
