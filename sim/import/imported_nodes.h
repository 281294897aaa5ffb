// Which nodes a cluster has, joined from what EC2, Kubernetes and eksctl say of them.
//
// The cluster's nodes are those that kubectl lists, else the instances with a cluster's tag, else
// eksctl's node groups. Fargate's and hybrid nodes, and types that no catalogue has, are left out
// with a note.
#ifndef CNISIM_SIM_IMPORT_IMPORTED_NODES_H_
#define CNISIM_SIM_IMPORT_IMPORTED_NODES_H_

#include <optional>
#include <string>
#include <vector>

#include "sim/import/cluster_facts.h"
#include "sim/import/notes.h"

namespace cnisim {

struct ImportedNode {
  std::string name;
  std::string instance;  // id; empty: EC2 was not asked, or does not know it
  std::string type;
  std::string vpc;
  std::string subnet;  // id; empty: not known
  std::string zone;    // empty: not known
  std::string ip;
  std::string group;     // as its label or tag says; else its type
  std::string os_image;  // empty: not known
  std::optional<int> max_pods;
  std::optional<int> max_size;  // of its group
  Texts labels;
  std::vector<Taint> taints;
  std::vector<const EniFact*> enis;  // of EC2, branch ENIs on its trunk included
  const AgentFact* agent = nullptr;  // its agent's page
};

struct ImportedNodes {
  std::string cluster;  // its name; empty: not known
  std::vector<ImportedNode> nodes;
  std::vector<EksctlGroupFact> empty_groups;  // that eksctl names and that have no nodes
  // Whether labels and taints are known: kubectl or eksctl told of the nodes.
  bool labels_known = false;
};

// Refers to the facts.
ImportedNodes JoinNodes(const ClusterFacts& facts, Notes& notes);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_IMPORTED_NODES_H_
