// The labels that a node of a node group has: its group's own, and those that every node gets.
#ifndef CNISIM_SIM_SCENARIO_NODE_LABELS_H_
#define CNISIM_SIM_SCENARIO_NODE_LABELS_H_

#include <map>
#include <string>
#include <string_view>

#include "sim/scenario/scenario.h"

namespace cnisim {

inline std::map<std::string, std::string> NodeLabels(const NodeGroupSpec& group,
                                                     std::string_view instance_type,
                                                     std::string_view zone) {
  std::map<std::string, std::string> labels = group.labels;
  labels["eks.amazonaws.com/nodegroup"] = group.name;
  labels["node.kubernetes.io/instance-type"] = instance_type;
  labels["topology.kubernetes.io/zone"] = zone;
  return labels;
}

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_NODE_LABELS_H_
