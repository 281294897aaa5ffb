// The Kubernetes API as the agent uses it. Names are those of the objects' own fields.
#ifndef CNISIM_CORE_PORTS_KUBERNETES_API_H_
#define CNISIM_CORE_PORTS_KUBERNETES_API_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// Error codes are the API's reasons (k8s.io/apimachinery, metav1.StatusReason).
namespace kubernetes_error {
inline constexpr std::string_view kNotFound = "NotFound";
inline constexpr std::string_view kConflict = "Conflict";
}  // namespace kubernetes_error

struct PodObject {
  std::string uid;
  std::map<std::string, std::string> annotations;
  std::map<std::string, std::string> first_container_limits;  // resource name to quantity
};

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // "NoSchedule", ...
};

struct NodeObject {
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<Taint> taints;
  int capacity_pods = 0;
};

// crd.k8s.amazonaws.com/v1alpha1 ENIConfig: where custom networking puts new ENIs.
struct EniConfig {
  std::string subnet_id;
  std::vector<std::string> security_group_ids;  // empty: those of the primary ENI
};

// An entry of the spec.features of vpcresources.k8s.aws/v1alpha1 CNINode.
struct CniNodeFeature {
  std::string name;
  std::string value;
};

class KubernetesApi {
 public:
  virtual ~KubernetesApi() = default;

  virtual Task<Result<PodObject>> GetPod(std::string pod_namespace, std::string name) = 0;
  // Sets one annotation; kConflict if the pod changed meanwhile.
  virtual Task<Status> PatchPodAnnotation(std::string pod_namespace, std::string name,
                                          std::string key, std::string value) = 0;
  // The caller's own node.
  virtual Task<Result<NodeObject>> GetNode() = 0;
  virtual Task<Result<EniConfig>> GetEniConfig(std::string name) = 0;
  // Adds features to the CNINode of the caller's own node.
  virtual Task<Status> PatchCniNode(std::vector<CniNodeFeature> features) = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_KUBERNETES_API_H_
