// A simulated cluster at one moment in the shapes that ImportCluster reads: the AWS CLI's answers,
// kubectl's lists and the agents' pages, as one would collect them from a real one.
//
// What the real tools print beyond what describes a network is left out or has one value for all.
// Addresses that a scenario's usedAtStart takes belong to no ENI here, though on AWS they would.
#ifndef CNISIM_SIM_IMPORT_CLUSTER_EXPORT_H_
#define CNISIM_SIM_IMPORT_CLUSTER_EXPORT_H_

#include <string>
#include <vector>

#include "sim/cluster/world_view.h"

namespace cnisim {

struct ExportedFile {
  std::string name;  // describe-subnets.json, nodes.json, enis-NODE.json, ...
  std::string text;
};

// Lists that would be empty are left out, but for those of nodes and pods.
std::vector<ExportedFile> ExportCluster(WorldView& world);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_CLUSTER_EXPORT_H_
