// The VPC and subnets of a cluster: as EC2 describes them, else as eksctl names them, else made up
// for the zones that nodes are in.
#ifndef CNISIM_SIM_IMPORT_IMPORTED_VPC_H_
#define CNISIM_SIM_IMPORT_IMPORTED_VPC_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/net/ipv4.h"
#include "sim/import/cluster_facts.h"
#include "sim/import/imported_nodes.h"
#include "sim/import/notes.h"

namespace cnisim {

struct ImportedSubnet {
  std::string id;  // empty: made up
  std::string name;
  std::string zone;
  Ipv4Cidr cidr;
  int64_t used_at_start = 0;  // addresses that others than the imported nodes hold
  Texts tags;
  // Comments, empty where the value is known.
  std::string zone_comment;
  std::string cidr_comment;
  std::string used_comment;
};

struct ImportedVpc {
  std::vector<Ipv4Cidr> blocks;
  std::string blocks_comment;
  std::string ipv6_block;  // empty: none
  std::vector<ImportedSubnet> subnets;

  // Index; empty: not one of them.
  std::optional<size_t> Find(const std::string& id) const;
};

// Gives every node its subnet; afterwards ImportedNode::subnet is an ImportedSubnet's id or, of one
// that was made up, name.
ImportedVpc JoinVpc(const ClusterFacts& facts, ImportedNodes& nodes, Notes& notes);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_IMPORTED_VPC_H_
