// spec.nodeGroups.
#include <algorithm>

#include "sim/cloud/instance_types.h"
#include "sim/scenario/distribution_reader.h"
#include "sim/scenario/spec_reader.h"
#include "sim/scenario/trace_reader.h"

namespace cnisim {
namespace {

// Guards against typing errors only; both lie well above any real cluster or kubelet.
constexpr int kMaxNodes = 100'000;
constexpr int kMaxMaxPods = 10'000;

std::optional<std::string> ReadInstanceType(Field field) {
  std::optional<std::string> name = field.String();
  if (!name || FindInstanceType(*name) != nullptr) return name;
  std::vector<std::string_view> names;
  for (const InstanceType& type : AllInstanceTypes()) names.push_back(type.name);
  field.Error("unknown-instance-type", fmt::format("unknown instance type '{}'", *name), *name,
              names);
  return std::nullopt;
}

void ReadTaints(MapReader& group, NodeGroupSpec& spec) {
  for (Field& item : group.Get("taints").List("taint")) {
    MapReader map = item.Required().Map(item.label());
    Taint taint;
    taint.key = map.Get("key").Required().Text().value_or("");
    taint.value = map.Get("value").Text().value_or("");
    taint.effect =
        map.Get("effect")
            .Required()
            .OneOf<std::string>({{"NoSchedule", "NoSchedule"}, {"NoExecute", "NoExecute"}})
            .value_or("NoSchedule");
    map.Done();
    spec.taints.push_back(std::move(taint));
  }
}

}  // namespace

void SpecReader::ReadNodeGroups(Field list) {
  for (Field& item : list.List("node group")) ReadNodeGroup(item);
  if (list.present() && list.node()->kind == YamlNode::Kind::kList &&
      scenario.node_groups.empty()) {
    list.Error("missing-value", "a cluster needs at least one node group");
  }
  if (settings_) CheckModes(*settings_);
}

void SpecReader::ReadNodeGroup(Field item) {
  MapReader map = item.Required().Map(item.label());
  NodeGroupSpec group;
  group.name = node_groups_.Take(map);

  Field node_list = map.Get("nodeList");
  if (node_list.present()) {
    MapReader source = node_list.Map(fmt::format("'nodeList' of {}", map.what()));
    SourceFile record;
    source.Get("format").Required().OneOf<int>({{"openb", 1}});
    record.format = "openb";
    Field file_field = source.Get("file").Required();
    const auto file = OpenFile(file_field, source.Get("contentHash"), record);
    if (file) group.nodes = ReadNodeList(file->text, file->source, diagnostics_);
    source.Done();
    files.node_lists[scenario.node_groups.size()] = std::move(record);
  }
  const int listed = static_cast<int>(group.nodes.size());

  Field type = map.Get("instanceType");
  if (!node_list.present()) type.Required();
  group.instance_type = ReadInstanceType(type).value_or("");
  if (!type.present() && listed > 0) group.instance_type = group.nodes.front().instance_type;
  instance_type_fields_.push_back(type);

  Field desired = map.Get("desiredCapacity");
  if (!node_list.present()) desired.Required();
  group.desired_capacity = desired.Int(0, kMaxNodes).value_or(listed);

  Field max_size = map.Get("maxSize");
  const std::optional<int> max = max_size.Int(0, kMaxNodes);
  group.max_size = max.value_or(group.desired_capacity);
  if (group.max_size < group.desired_capacity) {
    max_size.Error("out-of-range",
                   fmt::format("'maxSize' of {} is {}, below its desiredCapacity of {}", map.what(),
                               group.max_size, group.desired_capacity));
  }
  max_size_fields_.push_back(max_size);

  Field subnets = map.Get("subnets");
  for (Field& subnet : subnets.List(fmt::format("subnet of {}: item", map.what()))) {
    const std::optional<int> index = subnets_.Resolve(subnet);
    if (!index) continue;
    if (std::ranges::find(group.subnets, *index) != group.subnets.end()) {
      subnet.Error("duplicate-name",
                   fmt::format("subnet '{}' is there twice", subnet.node()->text));
    }
    group.subnets.push_back(*index);
  }
  if (!subnets.present()) {
    for (size_t i = 0; i < scenario.vpc.subnets.size(); ++i) {
      group.subnets.push_back(static_cast<int>(i));
    }
  } else if (subnets.node()->kind == YamlNode::Kind::kList && subnets.node()->items.empty()) {
    subnets.Error("missing-value", fmt::format("{} needs at least one subnet", map.what()));
  }

  MapReader labels = map.Get("labels").Map(fmt::format("'labels' of {}", map.what()));
  for (const YamlEntry& entry : labels.entries()) {
    group.labels[entry.key] = labels.Get(entry.key).Text().value_or("");
  }

  ReadTaints(map, group);
  group.node_lifetime = ReadDistribution(map.Get("nodeLifetime"));
  group.image = map.Get("amiFamily")
                    .OneOf<NodeImage>({{"AmazonLinux2023", NodeImage::kAl2023},
                                       {"AmazonLinux2", NodeImage::kAl2}})
                    .value_or(NodeGroupSpec{}.image);

  Field max_pods = map.Get("maxPods");
  if (!max_pods.Is("auto")) {
    group.max_pods = max_pods.Int(1, kMaxMaxPods);
  }
  map.Done();
  scenario.node_groups.push_back(std::move(group));
}

// What the agent makes of its settings on the instance types that are there.
void SpecReader::CheckModes(const AgentSettings& of_scenario) {
  for (size_t i = 0; i < scenario.node_groups.size(); ++i) {
    const NodeGroupSpec& group = scenario.node_groups[i];
    const InstanceType* type = FindInstanceType(group.instance_type);
    if (type == nullptr) continue;
    AgentSettings settings = of_scenario;
    std::vector<EnvironmentWarning> warnings;
    const Status valid =
        ValidateConfiguration(settings, PrefixDelegationSupported(*type), warnings);
    if (!valid) {
      const std::string& message = valid.error().message;
      Location where = network_place_;
      for (const auto& [variable, place] : env_places_) {
        if (message.find(variable) != std::string::npos) where = place;
      }
      diagnostics_.Error(where, "bad-environment", message);
      return;
    }
    for (const EnvironmentWarning& warning : warnings) {
      diagnostics_.Warning(
          instance_type_fields_[i].where(), "prefixes-need-nitro",
          fmt::format("{} on {}: {}", warning.variable, group.instance_type, warning.text));
    }
  }
}

}  // namespace cnisim
