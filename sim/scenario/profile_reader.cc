#include "sim/scenario/profile_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cnisim {
namespace {

// Guards against typing errors.
constexpr int kMaxReceiveQueues = 1'024;
constexpr int kMaxFrameBytes = 1'000;
constexpr double kMaxGbps = 100'000;
constexpr double kMaxPackets = 1e9;

constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
#include "cost_profiles.inc"
};

NicFacts ReadNic(Field field) {
  MapReader map = field.Map(field.label());
  NicFacts nic;
  for (const auto& [key, member] : {std::pair{"segmentation", &NicFacts::segmentation},
                                    {"tunnelSegmentation", &NicFacts::tunnel_segmentation},
                                    {"checksum", &NicFacts::checksum},
                                    {"tunnelChecksum", &NicFacts::tunnel_checksum}}) {
    nic.*member = map.Get(key).Bool().value_or(nic.*member);
  }
  nic.max_receive_queues =
      map.Get("maxReceiveQueues").Int(1, kMaxReceiveQueues).value_or(nic.max_receive_queues);
  nic.frame_bytes = map.Get("frameBytes").Int(0, kMaxFrameBytes).value_or(nic.frame_bytes);
  // Whole bits, so that it reads back as it was written.
  for (const auto& [key, member] : {std::pair{"bandwidthGbps", &NicFacts::bits_per_second},
                                    {"flowGbps", &NicFacts::flow_bits_per_second}}) {
    if (const auto gbps = map.Get(key).Number(0, kMaxGbps)) nic.*member = std::round(*gbps * 1e9);
  }
  nic.packets_per_second =
      map.Get("packetsPerSecond").Number(0, kMaxPackets).value_or(nic.packets_per_second);
  map.Done();
  return nic;
}

void ReadCost(Field field, double& value, CostProfile::Entry& entry) {
  field.Required().DescribeAs("cost");
  MapReader map = field.Map(field.label());
  const auto number = [&](std::string_view key) {
    return map.Get(key).Required().Number(0, kMaxCost);
  };
  const std::optional<double> middle = number("value");
  const std::optional<double> low = number("low");
  const std::optional<double> high = number("high");
  entry.source = map.Get("source").Required().String().value_or("");
  map.Done();
  if (!low || !middle || !high) return;
  if (*low > *middle || *middle > *high) {
    field.Error("out-of-range", fmt::format("{} must have low <= value <= high, not {} <= {} <= {}",
                                            field.label(), *low, *middle, *high));
  }
  value = *middle;
  entry.low = *low;
  entry.high = *high;
}

// What a file has in `spec`.
void ReadBody(MapReader& map, CostProfile& profile) {
  const std::string of = fmt::format("of cost profile '{}'", profile.name);
  profile.help = map.Get("help").Required().String().value_or("");
  profile.nic = ReadNic(map.Get("nic"));
  MapReader costs = map.Get("costs").Required().Map("'costs' " + of);
  for (size_t i = 0; i < kCosts; ++i) {
    ReadCost(costs.Get(kAllCosts[i].name), profile.costs.values[i], profile.entries[i]);
  }
  costs.Done();
  map.Done();
}

std::vector<CostProfile> ReadBuiltins() {
  std::vector<CostProfile> profiles;
  for (const auto& [name, text] : kTexts) {
    Diagnostics diagnostics{std::string(name)};
    profiles.push_back(ReadCostProfile(text, 0, diagnostics));
  }
  return profiles;
}

const std::vector<CostProfile>& Builtins() {
  static const std::vector<CostProfile> kProfiles = ReadBuiltins();
  return kProfiles;
}

}  // namespace

CostProfile ReadCostProfile(std::string_view text, int source, Diagnostics& diagnostics) {
  CostProfile profile;
  const std::optional<YamlNode> document = ParseYaml(text, source, diagnostics);
  if (!document) return profile;
  if (document->is_null()) {
    diagnostics.Error({source}, "empty-file", "the file is empty; a cost profile is expected");
    return profile;
  }
  MapReader root(&*document, document->where, "the cost profile", diagnostics);
  root.Get("apiVersion").Required().OneOf<int>({{"cnisim.dev/v1alpha1", 1}});
  root.Get("kind").Required().OneOf<int>({{"CostProfile", 1}});
  MapReader metadata = root.Get("metadata").Required().Map("metadata");
  profile.name = metadata.Get("name").Required().DnsLabel().value_or("");
  metadata.Done();
  MapReader spec = root.Get("spec").Required().Map("spec");
  ReadBody(spec, profile);
  root.Done();
  return profile;
}

CostProfile ReadInlineProfile(Field field) {
  CostProfile profile;
  MapReader map = field.Map(field.label());
  profile.name = map.Get("name").Required().DnsLabel().value_or("");
  ReadBody(map, profile);
  return profile;
}

std::vector<std::string_view> BuiltinProfiles() {
  std::vector<std::string_view> names;
  for (const auto& [name, text] : kTexts) names.push_back(name);
  return names;
}

const CostProfile* FindBuiltinProfile(std::string_view name) {
  const auto found = std::ranges::find(Builtins(), name, &CostProfile::name);
  return found == Builtins().end() ? nullptr : &*found;
}

}  // namespace cnisim
