// Shape: eksctl.io/v1alpha5 ClusterConfig.
#include <algorithm>

#include "sim/import/fact_readers.h"
#include "sim/scenario/yaml_tree.h"

namespace cnisim {
namespace {

constexpr int kMostNodes = 100'000;
// What eksctl takes without `instanceType` and without a capacity (its documentation, "Config file
// schema").
constexpr const char* kDefaultType = "m5.large";
constexpr int kDefaultCapacity = 2;

std::vector<std::string> ReadList(Field list) {
  std::vector<std::string> texts;
  for (Field& item : list.List("item")) {
    if (item.present()) texts.push_back(item.Text().value_or(""));
  }
  return texts;
}

std::optional<int> Count(MapReader& map, const char* key) {
  Field field = map.Get(key);
  return field.present() ? field.Int(0, kMostNodes) : std::nullopt;
}

// A list of key, value and effect; nodeGroups also take a mapping of key to "value:effect".
std::vector<Taint> ReadGroupTaints(Field field) {
  if (!field.is_mapping()) return ReadTaints(field, nullptr);
  std::vector<Taint> taints;
  for (const auto& [key, text] : ReadTexts(field, field.label())) {
    const size_t colon = text.rfind(':');
    Taint taint;
    taint.key = key;
    if (colon != std::string::npos) taint.value = text.substr(0, colon);
    taint.effect = colon == std::string::npos ? text : text.substr(colon + 1);
    if (taint.effect == "NoSchedule" || taint.effect == "NoExecute") taints.push_back(taint);
  }
  return taints;
}

void ReadGroup(Field& item, EksctlFact& cluster) {
  MapReader map = item.Required().Map(item.label());
  EksctlGroupFact group;
  group.name = NeededText(map, "name");
  map.Rename("node group " + group.name);
  group.instance_type = OptionalText(map, "instanceType");
  std::vector<std::string> types = ReadList(map.Get("instanceTypes"));
  MapReader mixed =
      map.Get("instancesDistribution").Map("'instancesDistribution' of " + map.what());
  std::ranges::copy(ReadList(mixed.Get("instanceTypes")), std::back_inserter(types));
  if (group.instance_type.empty() || group.instance_type == "mixed") {
    group.instance_type = types.empty() ? kDefaultType : types.front();
  }
  if (types.size() > 1) group.more_types.assign(types.begin() + 1, types.end());
  const std::optional<int> least = Count(map, "minSize");
  group.max_size = Count(map, "maxSize");
  group.desired = Count(map, "desiredCapacity");
  if (!group.desired) group.desired = least.value_or(kDefaultCapacity);
  group.max_pods = Count(map, "maxPodsPerNode");
  group.ami_family = OptionalText(map, "amiFamily");
  group.zones = ReadList(map.Get("availabilityZones"));
  group.subnets = ReadList(map.Get("subnets"));
  group.labels = ReadTexts(map.Get("labels"), "'labels' of " + map.what());
  group.taints = ReadGroupTaints(map.Get("taints"));
  cluster.groups.push_back(std::move(group));
}

void ReadSubnetsOf(MapReader& kinds, const char* kind, EksctlFact& cluster) {
  MapReader map = kinds.Get(kind).Map(fmt::format("{} subnets", kind));
  for (const YamlEntry& entry : map.entries()) {
    MapReader of_subnet(&entry.value, entry.where, "subnet " + entry.key, map.diagnostics());
    EksctlSubnetFact subnet;
    subnet.name = entry.key;
    subnet.is_private = std::string_view(kind) == "private";
    subnet.id = OptionalText(of_subnet, "id");
    subnet.zone = OptionalText(of_subnet, "az");
    if (subnet.zone.empty()) subnet.zone = entry.key;  // the key is the zone if `az` is not there
    if (Field cidr = of_subnet.Get("cidr"); cidr.present()) subnet.cidr = cidr.Cidr();
    cluster.subnets.push_back(std::move(subnet));
  }
}

// env of the add-on's configurationValues, which is JSON or YAML in a text.
void ReadAddon(Field& item, EksctlFact& cluster) {
  MapReader map = item.Map(item.label());
  if (OptionalText(map, "name") != "vpc-cni") return;
  Field values = map.Get("configurationValues");
  if (!values.present()) return;
  Diagnostics inner("configurationValues");
  const std::optional<YamlNode> tree = ParseYaml(values.Text().value_or(""), 0, inner);
  if (!tree) {
    values.Error("yaml-syntax",
                 values.label() + " is neither JSON nor YAML: " + inner.Errors().front().message);
    return;
  }
  const YamlNode* env = tree->kind == YamlNode::Kind::kMapping ? tree->Find("env") : nullptr;
  if (env == nullptr || env->kind != YamlNode::Kind::kMapping) return;
  for (const YamlEntry& entry : env->entries) {
    if (entry.value.kind == YamlNode::Kind::kScalar) cluster.env[entry.key] = entry.value.text;
  }
}

}  // namespace

void ReadEksctl(MapReader& document, ClusterFacts& facts) {
  EksctlFact cluster;
  MapReader metadata = document.Get("metadata").Map("'metadata' of the cluster");
  cluster.cluster = OptionalText(metadata, "name");
  cluster.region = OptionalText(metadata, "region");
  cluster.zones = ReadList(document.Get("availabilityZones"));
  MapReader vpc = document.Get("vpc").Map("'vpc' of the cluster");
  if (Field cidr = vpc.Get("cidr"); cidr.present()) cluster.vpc_cidr = cidr.Cidr();
  MapReader subnets = vpc.Get("subnets").Map("'subnets' of the VPC");
  ReadSubnetsOf(subnets, "private", cluster);
  ReadSubnetsOf(subnets, "public", cluster);
  for (const char* list : {"managedNodeGroups", "nodeGroups"}) {
    for (Field& item : document.Get(list).List("node group")) ReadGroup(item, cluster);
  }
  for (Field& item : document.Get("addons").List("add-on")) ReadAddon(item, cluster);
  facts.seen.insert("ClusterConfig");
  facts.eksctl.push_back(std::move(cluster));
}

}  // namespace cnisim
