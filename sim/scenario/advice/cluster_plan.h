// Where a cluster's addresses go at one moment: which nodes there are, what each keeps, and in
// which subnets. Counts are of IPv4 addresses; a /28 counts as its 16.
#ifndef CNISIM_SIM_SCENARIO_ADVICE_CLUSTER_PLAN_H_
#define CNISIM_SIM_SCENARIO_ADVICE_CLUSTER_PLAN_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/scenario/advice/node_pool.h"
#include "sim/scenario/advice/timeline.h"

namespace cnisim {

// Nodes that are alike: one group, subnet and type.
struct NodeClass {
  size_t group = 0;
  size_t subnet = 0;  // of the primary ENI
  const InstanceType* type = nullptr;
  int count = 0;
};

// `sizes` of the node groups. Nodes take the subnets of their group in turn.
std::vector<NodeClass> NodeClassesOf(const Scenario& scenario, const std::vector<int>& sizes);

// maxSize of each node group.
std::vector<int> MaxSizes(const Scenario& scenario);

// Where nodes of a class may have ENIs besides the primary one.
struct EniSubnets {
  std::set<size_t> subnets;               // empty: nowhere
  std::optional<std::string> eni_config;  // with custom networking: the name of the node's
};
EniSubnets EniSubnetsOf(const Scenario& scenario, const AgentSettings& settings,
                        const NodeClass& nodes);

// How the agent of such a node sees it.
NodePool PoolOf(const Scenario& scenario, const AgentSettings& settings, const NodeClass& nodes);
// Of these pods need no address of the agent: with hostNetwork, on every node.
int HostNetworkPods(const Scenario& scenario);

// Addresses that come from any of these subnets.
struct Demand {
  std::set<size_t> subnets;
  int64_t primaries = 0;  // of nodes
  int64_t enis = 0;       // primary addresses of their further ENIs
  int64_t addresses = 0;  // for pods, one by one: secondary ones and those of branch ENIs
  int64_t prefixes = 0;

  int64_t singles() const { return primaries + enis + addresses; }
  int64_t total() const { return singles() + prefixes * kAddressesPerPrefix; }
};

// Each set of subnets once. `with_pods`: Deployments and DaemonSets spread evenly; else nodes keep
// what they do at rest.
std::vector<Demand> DemandsOf(const Scenario& scenario, const Moment& moment,
                              const std::vector<int>& sizes, bool with_pods);

// The demands that only these subnets can meet, together.
Demand Within(const std::vector<Demand>& demands, const std::set<size_t>& subnets);

// Addresses that are free before any node comes.
int64_t FreeAtStart(const SubnetSpec& subnet);
int64_t FreeAtStart(const Scenario& scenario, const std::set<size_t>& subnets);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_ADVICE_CLUSTER_PLAN_H_
