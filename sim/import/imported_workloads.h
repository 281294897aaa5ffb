// What runs in a cluster: workloads, and on which nodes their pods are.
//
// Pods that have ended are nobody's. aws-node, kube-proxy and, where Calico is the network,
// calico-node are the simulator's system pods and left out. What is neither Deployment nor
// DaemonSet but keeps its pods running becomes a Deployment.
#ifndef CNISIM_SIM_IMPORT_IMPORTED_WORKLOADS_H_
#define CNISIM_SIM_IMPORT_IMPORTED_WORKLOADS_H_

#include <map>
#include <string>
#include <vector>

#include "sim/import/cluster_facts.h"
#include "sim/import/imported_nodes.h"
#include "sim/import/notes.h"

namespace cnisim {

struct ImportedWorkload {
  std::string kind;  // as the cluster has it; empty: pods that nobody owns
  std::string ns;
  std::string name;  // in the scenario, where names are unique over all namespaces
  std::string real_name;
  int replicas = 0;
  bool pods_known = false;
  PodSpecFact pod;
  std::map<std::string, int> pods_on;  // by node
  std::vector<std::string> security_groups;
  std::string replicas_comment;

  // As messages name it: "Deployment shop/web", "pod default/bare".
  std::string FullName() const {
    return (kind.empty() ? "pod" : kind) + " " + ns + "/" + real_name;
  }
};

struct ImportedWorkloads {
  std::vector<ImportedWorkload> workloads;
  bool calico = false;
  std::string plugin_comment;
  const PodSpecFact* aws_node = nullptr;     // of the DaemonSet, else of a pod; may be null
  const PodSpecFact* calico_node = nullptr;  // likewise
};

// Refers to the facts.
ImportedWorkloads JoinWorkloads(const ClusterFacts& facts, const ImportedNodes& nodes,
                                Notes& notes);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_IMPORTED_WORKLOADS_H_
