// A pod's metadata as the real agent writes it, in checkpoints and introspection: without members
// that are empty.
#ifndef CNISIM_CORE_IPAM_METADATA_JSON_H_
#define CNISIM_CORE_IPAM_METADATA_JSON_H_

#include <nlohmann/json.hpp>

#include "core/ports/checkpoint_store.h"

namespace cnisim {

inline nlohmann::ordered_json MetadataJson(const IpamMetadata& pod) {
  auto json = nlohmann::ordered_json::object();
  if (!pod.pod_namespace.empty()) json["k8sPodNamespace"] = pod.pod_namespace;
  if (!pod.pod_name.empty()) json["k8sPodName"] = pod.pod_name;
  if (pod.interfaces_count != 0) json["interfacesCount"] = pod.interfaces_count;
  return json;
}

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_METADATA_JSON_H_
