// The network configuration that a container runtime hands the plugin on its standard input.
//
// Fields and defaults: amazon-vpc-cni-k8s v1.23.1 (cmd/routed-eni-cni-plugin, rule GA-8). Parsed as
// Go does: unknown members are ignored, names match whatever their case.
#ifndef CNISIM_CORE_CNI_NETWORK_CONFIG_H_
#define CNISIM_CORE_CNI_NETWORK_CONFIG_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/cni/cni_error.h"
#include "core/cni/pod_result.h"
#include "core/net/enforcing_mode.h"

namespace cnisim {

inline constexpr size_t kLongestVethPrefix = 4;

struct NetworkConfig {
  std::string cni_version;
  std::string name;
  std::string veth_prefix = "eni";  // at most kLongestVethPrefix
  std::string mtu = "9001";         // see PodMtu
  EnforcingMode enforcing_mode = EnforcingMode::kStrict;
  bool multi_nic = false;  // the pod's annotation k8s.amazonaws.com/nicConfig asks for it
  std::optional<PodResult> previous_result;
};

// Refuses what is no JSON object, has no proper name, or has a field of a wrong type or value. Does
// not look at the version.
CniResult<NetworkConfig> ParseNetworkConfig(std::string_view text);

// The pod interface's MTU, in bytes: 9001 if `text` is no number from 576 to 9001.
int PodMtu(std::string_view text);

// What the reference library allows as names of networks and containers: letters, digits, and, but
// for the first character, any of "_.-".
bool IsCniName(std::string_view name);

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_NETWORK_CONFIG_H_
