// The annotation that tells a pod's address (ANNOTATE_POD_IP).
//
// Source: rule GA-7 of amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd); the pauses are client-go's
// retry.DefaultBackoff: 4 tries, 10 ms, five times longer each, jitter 10 %.
#ifndef CNISIM_CORE_RPC_POD_IP_ANNOTATION_H_
#define CNISIM_CORE_RPC_POD_IP_ANNOTATION_H_

#include <string>
#include <string_view>

#include "core/ports/choice.h"
#include "core/ports/clock.h"
#include "core/ports/kubernetes_api.h"

namespace cnisim {

inline constexpr std::string_view kPodIpsKey = "vpc.amazonaws.com/pod-ips";

class PodIpAnnotation {
 public:
  PodIpAnnotation(KubernetesApi& kubernetes, Clock& clock, Choice choice)
      : kubernetes_(kubernetes), clock_(clock), choice_(choice) {}

  // Sets it to `ips`; no call that changes anything if it is there already.
  Task<Status> Set(std::string pod_namespace, std::string pod, std::string ips);
  // Empties it if it tells `released_ips`, else an error; a pod that is gone is fine.
  Task<Status> Clear(std::string pod_namespace, std::string pod, std::string released_ips);

 private:
  // Makes the annotation `wanted`; if `released` is not null, only where it is `*released`.
  Task<Status> Change(std::string pod_namespace, std::string pod, std::string wanted,
                      const std::string* released);
  Task<Status> ChangeOnce(const std::string& pod_namespace, const std::string& pod,
                          const std::string& wanted, const std::string* released);

  KubernetesApi& kubernetes_;
  Clock& clock_;
  Choice choice_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_RPC_POD_IP_ANNOTATION_H_
