#include "core/cni/interface_names.h"

#include <fmt/format.h>

#include "core/net/veth_name.h"

namespace cnisim {

std::string HostInterfaceName(std::string_view prefix, const PodArgs& pod, size_t index) {
  const std::string name = index == 0 ? pod.pod_name : fmt::format("{}.{}", pod.pod_name, index);
  return fmt::format("{}{}", prefix, VethSuffix(pod.pod_namespace, name));
}

std::string PodInterfaceName(std::string_view first, size_t index) {
  return index == 0 ? std::string(first) : fmt::format("mNicIf{}", index);
}

std::string_view BranchHostPrefix(const NetworkConfig& config) {
  if (config.enforcing_mode == EnforcingMode::kStrict) return "vlan";
  return config.veth_prefix;
}

std::string DummyInterfaceName(const PodArgs& pod) { return HostInterfaceName("dummy", pod, 0); }

}  // namespace cnisim
