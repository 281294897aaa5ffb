// The decision of a whole cluster, once; see reachability.h.
#ifndef CNISIM_CORE_ROUTING_REACHABILITY_DECISION_H_
#define CNISIM_CORE_ROUTING_REACHABILITY_DECISION_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "core/routing/reachability.h"

namespace cnisim {

// Findings about pairs of pods, and pods and their nodes. `pods` are ordered by address, then name.
ReachabilityReport DecideCluster(const std::map<std::string, const HostState*>& nodes,
                                 const VpcFabric& fabric,
                                 const std::vector<const ClusterPod*>& pods, size_t max_examples);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_REACHABILITY_DECISION_H_
