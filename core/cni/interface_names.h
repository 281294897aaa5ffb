// The names that the plugin gives to a pod's interfaces.
//
// Source: rule GA-8 of amazon-vpc-cni-k8s v1.23.1 (cmd/routed-eni-cni-plugin).
#ifndef CNISIM_CORE_CNI_INTERFACE_NAMES_H_
#define CNISIM_CORE_CNI_INTERFACE_NAMES_H_

#include <string>
#include <string_view>

#include "core/cni/network_config.h"
#include "core/cni/pod_args.h"

namespace cnisim {

// Of the pod's `index`-th address, from 0: on the host, and in the pod, where the runtime names the
// first.
std::string HostInterfaceName(std::string_view prefix, const PodArgs& pod, size_t index);
std::string PodInterfaceName(std::string_view first, size_t index);

// Strict enforcing keeps the host's end of a branch ENI's pod apart by a prefix of its own.
std::string_view BranchHostPrefix(const NetworkConfig& config);

// The interface that exists only in the result: what DEL must know travels in its fields, as Mac
// the VLAN id (0 without branch ENI), as Sandbox the device number.
std::string DummyInterfaceName(const PodArgs& pod);

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_INTERFACE_NAMES_H_
