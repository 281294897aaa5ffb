// spec.network.kubeProxy and spec.dataPlane.
#include <algorithm>

#include "sim/scenario/profile_reader.h"
#include "sim/scenario/spec_reader.h"
#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

// Guards against typing errors.
constexpr int kMaxServices = 100'000;
constexpr int kMaxEndpoints = 100'000;
constexpr Duration kLongestWindow = std::chrono::minutes(10);

bool IsPath(std::string_view text) {
  return text.find('/') != std::string_view::npos || text.ends_with(".yaml") ||
         text.ends_with(".yml");
}

}  // namespace

void SpecReader::ReadKubeProxy() {
  MapReader map = kube_proxy_->Map("'kubeProxy' of network");
  KubeProxySpec& spec = scenario.network.kube_proxy;
  Field mode = map.Get("mode");
  spec.mode = mode.OneOf<KubeProxyMode>({{"iptables", KubeProxyMode::kIptables},
                                         {"ipvs", KubeProxyMode::kIpvs},
                                         {"nftables", KubeProxyMode::kNftables}})
                  .value_or(KubeProxySpec{}.mode);
  // EKS User Guide, security groups for pods.
  if (spec.mode == KubeProxyMode::kIpvs && strict_enforcing_ && HasPodsWithBranchEnis(scenario)) {
    mode.Error("bad-value",
               fmt::format("{} cannot be 'ipvs' where pods with security groups are in enforcing "
                           "mode strict",
                           mode.label()),
               "set POD_SECURITY_GROUP_ENFORCING_MODE: standard");
  }
  const int listed = static_cast<int>(scenario.services.size());
  Field services = map.Get("services");
  spec.services = services.Int(0, kMaxServices).value_or(listed);
  if (spec.services < listed) {
    services.Error("out-of-range", fmt::format("{} is {}, below the {} that the scenario lists",
                                               services.label(), spec.services, listed));
  }
  spec.endpoints = map.Get("endpoints").Int(1, kMaxEndpoints).value_or(KubeProxySpec{}.endpoints);
  map.Done();
}

void SpecReader::ReadDataPlane(Field data_plane) {
  MapReader map = data_plane.Map("dataPlane");
  DataPlaneSpec& spec = scenario.data_plane;
  if (data_plane.present() && scenario.traffic.empty()) {
    diagnostics_.Warning(map.where(), "no-traffic", "'dataPlane' does nothing without 'traffic'");
  }
  ReadProfile(map.Get("profile"));
  ReadOwnCosts(map.Get("costs"));
  spec.evaluation = map.Get("evaluation")
                        .OneOf<EvaluationBy>({{"auto", EvaluationBy::kAuto},
                                              {"events", EvaluationBy::kEvents},
                                              {"analytic", EvaluationBy::kAnalysis}})
                        .value_or(EvaluationBy::kAuto);
  for (Field& item : map.Get("at").List("'at' of dataPlane: item")) {
    const std::optional<Duration> at = item.Required().Time({}, scenario.duration);
    if (!at) continue;
    if (!spec.at.empty() && kTimeZero + *at <= spec.at.back()) {
      item.Error("out-of-range", fmt::format("{} is {}, not after the one before", item.label(),
                                             FormatDuration(*at)));
    }
    spec.at.push_back(kTimeZero + *at);
  }
  spec.warm_up = map.Get("warmUp").Time({}, kLongestWindow).value_or(DataPlaneSpec{}.warm_up);
  spec.window = map.Get("window")
                    .Time(std::chrono::milliseconds(1), kLongestWindow)
                    .value_or(DataPlaneSpec{}.window);
  map.Done();
}

void SpecReader::ReadProfile(Field profile) {
  CostProfile& spec = scenario.data_plane.profile;
  spec = *FindBuiltinProfile(kDefaultProfile);
  if (profile.is_mapping()) {
    spec = ReadInlineProfile(profile);
    return;
  }
  const std::optional<std::string> text = profile.String();
  if (!text) return;
  if (const CostProfile* builtin = FindBuiltinProfile(*text)) {
    spec = *builtin;
  } else if (!IsPath(*text)) {
    const std::vector<std::string_view> builtins = BuiltinProfiles();
    const std::string suggestion = DidYouMean(*text, builtins);
    profile.Error(
        "unknown-reference",
        fmt::format("there is no built-in cost profile '{}', and it is no path of a .yaml "
                    "file",
                    *text),
        suggestion);
  } else if (const std::optional<ReadableFile> file = OpenFile(profile)) {
    spec = ReadCostProfile(file->text, file->source, diagnostics_);
    files.cost_profile = *text;
  }
}

// A range is widened to hold the scenario's own value.
void SpecReader::ReadOwnCosts(Field costs) {
  MapReader map = costs.Map("'costs' of dataPlane");
  CostProfile& profile = scenario.data_plane.profile;
  for (size_t i = 0; i < kCosts; ++i) {
    Field field = map.Get(kAllCosts[i].name);
    const std::optional<double> value = field.Number(0, kMaxCost);
    if (!value) continue;
    CostProfile::Entry& entry = profile.entries[i];
    if (*value < entry.low || *value > entry.high) {
      diagnostics_.Warning(field.where(), "outside-range",
                           fmt::format("{} is {}, outside the range of profile '{}', {} to {}",
                                       field.label(), *value, profile.name, entry.low, entry.high));
    }
    profile.costs.values[i] = *value;
    entry.low = std::min(entry.low, *value);
    entry.high = std::max(entry.high, *value);
    entry.source = "the scenario";
  }
  map.Done();
}

}  // namespace cnisim
