// Who exchanges the scenario's traffic at this moment, and over which ways: the pairs of pods, the
// nodes that they are on, and a walk through the nodes' kernels for each.
#ifndef CNISIM_SIM_CLUSTER_TRAFFIC_SURVEY_H_
#define CNISIM_SIM_CLUSTER_TRAFFIC_SURVEY_H_

#include <vector>

#include "sim/cluster/world_view.h"
#include "sim/dataplane/traffic_network.h"

namespace cnisim {

// What a node's kernel holds.
struct TableSizes {
  int64_t rules = 0;           // of the routing policy
  int64_t routes = 0;          // of all tables
  int64_t iptables_rules = 0;  // kube-proxy's included
};

struct TrafficSurvey {
  std::vector<TrafficHost> hosts;  // nodes with an end of a pair
  std::vector<TableSizes> tables;  // of each host
  std::vector<TrafficPair> pairs;
};

// Each client pod has as many of the server pods as the others, as far as `max_pairs` goes; a bulk
// stream's client pod has one. Pods that are not running take no part.
TrafficSurvey SurveyTraffic(const WorldView& world);

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_TRAFFIC_SURVEY_H_
