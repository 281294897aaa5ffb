// What must hold of an agent's pool at any time, whatever the agent did (see DESIGN.md,
// invariants).
#ifndef CNISIM_SIM_CLUSTER_POOL_INVARIANTS_H_
#define CNISIM_SIM_CLUSTER_POOL_INVARIANTS_H_

#include <string>
#include <vector>

#include "core/ipam/datastore.h"
#include "core/ipam/settings.h"
#include "sim/cloud/instance_types.h"

namespace cnisim {

// What is wrong with the pool, by recounting it: O(addresses). Adds the attachments that hold an
// address to `holders`.
std::vector<std::string> PoolViolations(Datastore& pool, const AgentSettings& settings,
                                        const InstanceType& type, TimePoint now, size_t& holders);

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_POOL_INVARIANTS_H_
