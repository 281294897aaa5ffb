// What AWS knowledge says about a scenario that is valid: settings that contradict each other,
// subnets that cannot hold what nodes keep, nodes that accept pods they have no addresses for.
//
// Nothing is simulated: each check is arithmetic over the scenario and its events, with the rules
// of amazon-vpc-cni-k8s v1.23.1 (core/ipam/pool_policy.h), EC2 and Calico. Numbers are lower
// bounds, so that what is told is so. Jobs, traces and addresses that cool are not counted, nor are
// network cards beyond the first.
#ifndef CNISIM_SIM_SCENARIO_ADVICE_ADVICE_H_
#define CNISIM_SIM_SCENARIO_ADVICE_ADVICE_H_

#include <vector>

#include "sim/scenario/loader.h"

namespace cnisim {

// Warnings and infos, in order of place.
std::vector<Diagnostic> Advise(const LoadedScenario& loaded);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_ADVICE_ADVICE_H_
