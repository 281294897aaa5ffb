#include "sim/observe/observer.h"

namespace cnisim {

std::string_view NameOf(WaitReason reason) {
  switch (reason) {
    case WaitReason::kNone:
      return "none";
    case WaitReason::kCooling:
      return "cooling";
    case WaitReason::kPoolEmpty:
      return "pool_empty";
    case WaitReason::kThrottled:
      return "throttled";
    case WaitReason::kSubnetExhausted:
      return "subnet_exhausted";
    case WaitReason::kFragmented:
      return "fragmented";
    case WaitReason::kEniLimit:
      return "eni_limit";
    case WaitReason::kImdsLag:
      return "imds_lag";
    case WaitReason::kAgentDown:
      return "agent_down";
    case WaitReason::kIpamError:
      return "ipam_error";
    case WaitReason::kBranchEni:
      return "branch_eni";
  }
  return "";
}

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "";
}

}  // namespace cnisim
