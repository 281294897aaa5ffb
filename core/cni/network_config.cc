#include "core/cni/network_config.h"

#include <algorithm>

#include "core/cni/mtu.h"
#include "core/net/numbers.h"

namespace cnisim {
namespace {

constexpr std::string_view kAnnotations = "io.kubernetes.cri.pod-annotations";
constexpr std::string_view kNicConfig = "k8s.amazonaws.com/nicConfig";
constexpr std::string_view kMultiNic = "multi-nic-attachment";

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

tl::unexpected<CniError> Undecodable(const std::string& why) {
  return CniFail(CniErrorCode::kDecodingFailure, "error unmarshall network config: " + why);
}

// An object that must be one if it is there.
Result<const Json*> FindObject(const Json& object, std::string_view name) {
  const Json* found = FindField(object, name);
  if (found != nullptr && !found->is_object()) {
    return Fail("json", std::string(name) + " must be an object");
  }
  return found;
}

Result<bool> AsksForMultiNic(const Json& config) {
  const Result<const Json*> runtime = FindObject(config, "runtimeConfig");
  if (!runtime) return tl::unexpected(runtime.error());
  if (*runtime == nullptr) return false;
  const Result<const Json*> annotations = FindObject(**runtime, kAnnotations);
  if (!annotations) return tl::unexpected(annotations.error());
  if (*annotations == nullptr) return false;
  // The keys of a map, unlike those of a struct, are exact.
  const auto annotation = (*annotations)->find(kNicConfig);
  return annotation != (*annotations)->end() && *annotation == kMultiNic;
}

Status ReadTexts(const Json& json, NetworkConfig* config, std::string* enforcing_mode) {
  for (const auto& [name, field] : {std::pair("cniVersion", &config->cni_version),
                                    {"name", &config->name},
                                    {"vethPrefix", &config->veth_prefix},
                                    {"mtu", &config->mtu},
                                    {"podSGEnforcingMode", enforcing_mode}}) {
    if (Status read = ReadField(json, name, field); !read) return read;
  }
  return {};
}

}  // namespace

bool IsCniName(std::string_view name) {
  return !name.empty() && IsAlphanumeric(name.front()) && std::ranges::all_of(name, [](char c) {
    return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-';
  });
}

int PodMtu(std::string_view text) {
  const std::optional<int> mtu = ParseInt(text);
  return mtu && *mtu >= kMinimumMtuIpv4 && *mtu <= kMaximumMtu ? *mtu : kMaximumMtu;
}

CniResult<NetworkConfig> ParseNetworkConfig(std::string_view text) {
  const std::optional<Json> json = ParseJson(text);
  if (!json) return Undecodable("no JSON");
  if (!json->is_object()) return Undecodable("no object");

  NetworkConfig config;
  std::string mode;
  if (const Status read = ReadTexts(*json, &config, &mode); !read) {
    return Undecodable(read.error().message);
  }
  if (config.name.empty()) {
    return CniFail(CniErrorCode::kInvalidNetworkConfig, "missing network name");
  }
  if (!IsCniName(config.name)) {
    return CniFail(CniErrorCode::kInvalidNetworkConfig, "invalid characters found in network name",
                   config.name);
  }
  if (config.veth_prefix.size() > kLongestVethPrefix) {
    return CniFail("conf.VethPrefix can be at most 4 characters long");
  }
  if (mode == "standard") {
    config.enforcing_mode = EnforcingMode::kStandard;
  } else if (!mode.empty() && mode != "strict") {
    return CniFail("podSGEnforcingMode must be strict or standard");
  }
  const Result<bool> multi_nic = AsksForMultiNic(*json);
  if (!multi_nic) return Undecodable(multi_nic.error().message);
  config.multi_nic = *multi_nic;
  if (const Json* previous = FindField(*json, "prevResult")) {
    Result<PodResult> parsed = ParseResult(*previous);
    if (!parsed) return CniFail("could not parse prevResult: " + parsed.error().message);
    config.previous_result = *std::move(parsed);
  }
  return config;
}

}  // namespace cnisim
