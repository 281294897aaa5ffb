// What a scenario has after each of its events: sizes of node groups, replicas, the environment.
#ifndef CNISIM_SIM_SCENARIO_ADVICE_TIMELINE_H_
#define CNISIM_SIM_SCENARIO_ADVICE_TIMELINE_H_

#include <optional>
#include <string>
#include <vector>

#include "core/ipam/settings.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

struct Moment {
  TimePoint from;
  std::vector<int> nodes;     // of each node group
  std::vector<int> replicas;  // of each workload: those of Deployments that have begun
  std::map<std::string, std::optional<std::string>> env;
  AgentSettings settings;         // what `env` means; of Calico's clusters without meaning
  std::optional<size_t> set_env;  // the event, as written, that made it so; empty: network.env
  bool env_changed = false;       // at this moment
};

// In order of time, the first at zero; never empty.
std::vector<Moment> MomentsOf(const Scenario& scenario);

// "from 10m on", "at the start".
std::string When(const Moment& moment);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_ADVICE_TIMELINE_H_
