#include "sim/scenario/pod_placement.h"

#include <algorithm>

namespace cnisim {

std::map<std::string, std::string> NodeLabels(const NodeGroupSpec& group,
                                              std::string_view instance_type,
                                              std::string_view zone) {
  std::map<std::string, std::string> labels = group.labels;
  labels.emplace(kNodeGroupLabel, group.name);
  if (!instance_type.empty()) labels["node.kubernetes.io/instance-type"] = instance_type;
  if (!zone.empty()) labels["topology.kubernetes.io/zone"] = zone;
  return labels;
}

std::map<std::string, std::string> LabelsOf(const VpcSpec& vpc, const NodeGroupSpec& group) {
  const bool one_type = std::ranges::all_of(
      group.nodes, [&](const NodeSpec& node) { return node.instance_type == group.instance_type; });
  const auto zone = [&](int subnet) -> const std::string& {
    return vpc.subnets[static_cast<size_t>(subnet)].availability_zone;
  };
  const bool one_zone =
      !group.subnets.empty() && std::ranges::all_of(group.subnets, [&](int subnet) {
        return zone(subnet) == zone(group.subnets.front());
      });
  return NodeLabels(group, one_type ? std::string_view(group.instance_type) : "",
                    one_zone ? std::string_view(zone(group.subnets.front())) : "");
}

bool MayRunOn(const PodTemplate& pod, size_t group) {
  return !pod.node_groups ||
         std::ranges::find(*pod.node_groups, static_cast<int>(group)) != pod.node_groups->end();
}

bool Tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (toleration.key.empty()) return toleration.exists;
  return toleration.key == taint.key && (toleration.exists || toleration.value == taint.value);
}

bool Tolerates(const std::vector<Toleration>& tolerations, const std::vector<Taint>& taints) {
  return std::ranges::all_of(taints, [&](const Taint& taint) {
    return std::ranges::any_of(
        tolerations, [&](const Toleration& toleration) { return Tolerates(toleration, taint); });
  });
}

std::optional<std::vector<int>> NodeGroupsFor(const Scenario& scenario, const PodTemplate& pod) {
  std::vector<int> groups;
  for (size_t i = 0; i < scenario.node_groups.size(); ++i) {
    const NodeGroupSpec& group = scenario.node_groups[i];
    if (!Tolerates(pod.tolerations, group.taints)) continue;
    const std::map<std::string, std::string> labels = LabelsOf(scenario.vpc, group);
    const bool selected = std::ranges::all_of(pod.node_selector, [&](const auto& wanted) {
      const auto it = labels.find(wanted.first);
      return it != labels.end() && it->second == wanted.second;
    });
    if (selected) groups.push_back(static_cast<int>(i));
  }
  if (groups.size() == scenario.node_groups.size()) return std::nullopt;
  return groups;
}

}  // namespace cnisim
