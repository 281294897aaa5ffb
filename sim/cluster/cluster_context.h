// What the parts of one simulated cluster share.
#ifndef CNISIM_SIM_CLUSTER_CLUSTER_CONTEXT_H_
#define CNISIM_SIM_CLUSTER_CLUSTER_CONTEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cluster/node_logs.h"
#include "sim/engine/random.h"
#include "sim/engine/simulation.h"
#include "sim/observe/observer.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

class NetworkModel;

struct ClusterContext {
  const Scenario& scenario;
  uint64_t seed = 0;
  Simulation& simulation;
  // Nobody is told while there is none: before time zero.
  Observer* observer = nullptr;
  NodeLogs* logs = nullptr;  // null if nobody wants any
  // Nodes keep what their kernels hold: links, routes, rules.
  bool track_kernels = false;
  NetworkModel* network_model = nullptr;  // null unless the run is checked
  // How often a pod has got an address, or given one back.
  uint64_t address_changes = 0;
  // Before time zero of a settled start: people and machines take no time, EC2 does not throttle.
  bool warming_up = false;
  // Entities of the scenario's parts, by their index there.
  std::vector<EntityId> subnets;
  std::vector<EntityId> node_groups;
  std::vector<EntityId> workloads;

  TimePoint Now() const { return simulation.Now(); }

  void TellFinding(std::string_view code, Severity severity, const std::string& text) const {
    if (observer == nullptr) return;
    Finding finding;
    finding.code = code;
    finding.severity = severity;
    finding.time = Now();
    finding.text = text;
    observer->OnFinding(finding);
  }
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_CLUSTER_CONTEXT_H_
