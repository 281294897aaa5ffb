// CNI_ARGS: which pod the kubelet means.
//
// "KEY=VALUE;KEY=VALUE". Source: CNI specification 1.0.0 and its reference library (pkg/types).
#ifndef CNISIM_CORE_CNI_POD_ARGS_H_
#define CNISIM_CORE_CNI_POD_ARGS_H_

#include <string>
#include <string_view>

#include "core/cni/cni_error.h"

namespace cnisim {

struct PodArgs {
  std::string pod_namespace;       // K8S_POD_NAMESPACE
  std::string pod_name;            // K8S_POD_NAME
  std::string infra_container_id;  // K8S_POD_INFRA_CONTAINER_ID
  std::string pod_uid;             // K8S_POD_UID

  friend bool operator==(const PodArgs&, const PodArgs&) = default;
};

// An unknown key is an error unless IgnoreUnknown is 1 or true. Empty text is fine.
CniResult<PodArgs> ParsePodArgs(std::string_view text);

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_POD_ARGS_H_
