// Nodes that are alike, as the node groups of a scenario.
//
// A scenario's group has one instance type, one set of labels and taints, one limit of pods, and
// its nodes take its subnets in turn. A real group whose nodes differ, or are not spread evenly,
// becomes several: GROUP-TYPE, GROUP-SUBNET,
// or GROUP-ZONE where workloads select by zone.
#ifndef CNISIM_SIM_IMPORT_IMPORTED_GROUPS_H_
#define CNISIM_SIM_IMPORT_IMPORTED_GROUPS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/import/imported_nodes.h"
#include "sim/import/imported_vpc.h"
#include "sim/import/imported_workloads.h"

namespace cnisim {

struct ImportedGroup {
  std::string name;
  std::string type;
  std::optional<int> max_pods;
  std::string os_image;
  std::optional<int> max_size;
  Texts labels;  // that it adds to what every node group has
  std::vector<Taint> taints;
  std::vector<size_t> subnets;             // of ImportedVpc
  std::vector<const ImportedNode*> nodes;  // in the order in which the scenario launches them
};

struct ImportedGroups {
  std::vector<ImportedGroup> groups;
  std::map<std::string, std::string> scenario_names;  // of nodes: GROUP-N by their own name
};

// Labels that workloads select by are kept; others only if they are users'. Refers to `nodes`.
ImportedGroups MakeGroups(const ImportedNodes& nodes, const ImportedVpc& vpc,
                          const ImportedWorkloads& workloads);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_IMPORTED_GROUPS_H_
