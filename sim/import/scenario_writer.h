// The scenario of an imported cluster, as YAML for people: values with the reason where they are
// assumed.
#ifndef CNISIM_SIM_IMPORT_SCENARIO_WRITER_H_
#define CNISIM_SIM_IMPORT_SCENARIO_WRITER_H_

#include <string>

#include "sim/import/cluster_facts.h"
#include "sim/import/imported_groups.h"
#include "sim/import/imported_nodes.h"
#include "sim/import/imported_vpc.h"
#include "sim/import/imported_workloads.h"
#include "sim/import/notes.h"

namespace cnisim {

struct ImportedCluster {
  const ClusterFacts& facts;
  const ImportedNodes& nodes;
  const ImportedVpc& vpc;
  const ImportedWorkloads& workloads;
  const ImportedGroups& groups;
};

struct WriteOptions {
  std::string name;       // of the scenario; empty: the cluster's
  bool placement = true;  // say on which nodes pods are
};

std::string WriteScenario(const ImportedCluster& cluster, const WriteOptions& options,
                          Notes& notes);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_SCENARIO_WRITER_H_
