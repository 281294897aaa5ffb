// Which node groups pods may run on: Kubernetes' node selectors, taints and tolerations, for groups
// of nodes that are alike.
//
// Source: Kubernetes documentation, "Assigning Pods to Nodes" and "Taints and Tolerations".
#ifndef CNISIM_SIM_SCENARIO_POD_PLACEMENT_H_
#define CNISIM_SIM_SCENARIO_POD_PLACEMENT_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.h"

namespace cnisim {

// The label that EKS puts on the nodes of a node group.
inline constexpr std::string_view kNodeGroupLabel = "eks.amazonaws.com/nodegroup";

// Of a node of the group: the group's own labels, the group's name unless those give another one,
// its instance type and its zone, where they are given.
std::map<std::string, std::string> NodeLabels(const NodeGroupSpec& group,
                                              std::string_view instance_type,
                                              std::string_view zone);

// Those that all nodes of the group share: the instance type and the zone if there is only one.
std::map<std::string, std::string> LabelsOf(const VpcSpec& vpc, const NodeGroupSpec& group);

bool Tolerates(const Toleration& toleration, const Taint& taint);
bool Tolerates(const std::vector<Toleration>& tolerations, const std::vector<Taint>& taints);

// By pod.node_groups. `group` is an index into Scenario::node_groups.
bool MayRunOn(const PodTemplate& pod, size_t group);

// Indices into Scenario::node_groups, ascending; empty: all of them.
std::optional<std::vector<int>> NodeGroupsFor(const Scenario& scenario, const PodTemplate& pod);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_POD_PLACEMENT_H_
