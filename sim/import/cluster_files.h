// Reads files about a cluster, each by what is in it, whatever it is called.
//
// Known are: the answers of `aws ec2 describe-vpcs`, `describe-subnets`, `describe-instances` and
// `describe-network-interfaces`; objects and lists of `kubectl get ... -o json` (or -o yaml, one
// document); an eksctl ClusterConfig; the agent's /v1/enis. JSON and YAML alike; of JSON several
// documents in one file. What is there twice counts once.
#ifndef CNISIM_SIM_IMPORT_CLUSTER_FILES_H_
#define CNISIM_SIM_IMPORT_CLUSTER_FILES_H_

#include <string>
#include <string_view>

#include "sim/import/cluster_facts.h"
#include "sim/scenario/diagnostic.h"

namespace cnisim {

class ClusterFileReader {
 public:
  // Both outlive it.
  ClusterFileReader(ClusterFacts& facts, Diagnostics& diagnostics)
      : facts_(facts), diagnostics_(diagnostics) {}

  // Errors go to the diagnostics; what could be read of the file is then among the facts.
  void Read(std::string_view text, const std::string& name, int source);

 private:
  ClusterFacts& facts_;
  Diagnostics& diagnostics_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_CLUSTER_FILES_H_
