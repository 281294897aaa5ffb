// One simulated cluster, run from its warm-up to the end of the scenario.
#ifndef CNISIM_SIM_CLUSTER_WORLD_H_
#define CNISIM_SIM_CLUSTER_WORLD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/cluster/network_model.h"
#include "sim/cluster/node_logs.h"
#include "sim/cluster/world_view.h"
#include "sim/observe/observer.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

struct Progress {
  TimePoint now;  // negative during warm-up
  uint64_t events = 0;
  int pods_running = 0;
};

struct WorldOptions {
  bool check_invariants = false;  // after every minute of virtual time and at the end
  const std::atomic<bool>* interrupt = nullptr;   // when true the run ends after the current event
  std::function<void(const Progress&)> progress;  // called a few times per wall-clock second
  NodeLogs* logs = nullptr;                       // where nodes' logs go
  // Called once at `inspect_at`, or where the run ends before; then the run ends.
  std::function<void(WorldView&)> inspect;
  TimePoint inspect_at;
};

struct WorldResult {
  TimePoint ended;  // not before time zero
  bool interrupted = false;
  uint64_t events = 0;
  std::vector<std::string> violations;  // broken invariants; empty when all is well
  // Of checked runs: what the network cannot do as it is configured.
  std::vector<NetworkFinding> network_findings;
};

// Runs `scenario` with `seed` and tells `observer` everything. Deterministic in both; touches no
// global state, so runs may go on in parallel threads.
WorldResult RunWorld(const Scenario& scenario, uint64_t seed, Observer& observer,
                     const WorldOptions& options);

// Runs it for nobody up to `at`, or to its end if that comes before, and shows it.
void LookAtWorld(const Scenario& scenario, uint64_t seed, TimePoint at,
                 std::function<void(WorldView&)> look);

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_WORLD_H_
