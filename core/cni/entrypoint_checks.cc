#include "core/cni/entrypoint_checks.h"

#include <fmt/format.h>

#include "core/cni/mtu.h"
#include "core/cni/network_config.h"
#include "core/net/numbers.h"

namespace cnisim {
namespace {

bool IsGoodMtu(const std::string& text, bool ipv6) {
  const std::optional<int> mtu = ParseInt(text);
  return mtu && *mtu >= (ipv6 ? kMinimumMtuIpv6 : kMinimumMtuIpv4) && *mtu <= kMaximumMtu;
}

bool IsGoodVethPrefix(const std::string& prefix) {
  return prefix.size() <= kLongestVethPrefix && prefix != "eth" && prefix != "lo" &&
         prefix != "vlan";
}

}  // namespace

Status CheckPluginVariables(const std::map<std::string, std::string>& environment, bool ipv6,
                            bool pod_eni) {
  const auto is_good = [&](const std::string& name, const std::string& value) {
    if (name == "AWS_VPC_ENI_MTU" || name == "POD_MTU") return IsGoodMtu(value, ipv6);
    if (name == "AWS_VPC_K8S_CNI_VETHPREFIX") return IsGoodVethPrefix(value);
    if (name == "AWS_VPC_K8S_PLUGIN_LOG_FILE") return value != "stdout";
    if (name == "POD_SECURITY_GROUP_ENFORCING_MODE" && pod_eni) {
      return value == "strict" || value == "standard";
    }
    return true;
  };
  for (const auto& [name, value] : environment) {
    if (!is_good(name, value)) {
      return Fail("environment", fmt::format("{} cannot be '{}'", name, value));
    }
  }
  return {};
}

}  // namespace cnisim
