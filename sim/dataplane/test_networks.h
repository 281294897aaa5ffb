// Networks for tests and benchmarks: built in a few lines, and random ones.
#ifndef CNISIM_SIM_DATAPLANE_TEST_NETWORKS_H_
#define CNISIM_SIM_DATAPLANE_TEST_NETWORKS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/dataplane/queue_network.h"
#include "sim/engine/random.h"

namespace cnisim {

struct NetworkBuilder {
  uint32_t Queue() { return AddStation(Station::Kind::kQueue); }
  uint32_t Delay() { return AddStation(Station::Kind::kDelay); }
  uint32_t AddStation(Station::Kind kind) {
    network.stations.push_back({"s" + std::to_string(network.stations.size()), kind});
    return static_cast<uint32_t>(network.stations.size() - 1);
  }
  uint32_t Add(Distribution distribution) {
    network.distributions.push_back(std::move(distribution));
    return static_cast<uint32_t>(network.distributions.size() - 1);
  }
  uint32_t Exponential(int64_t mean_ns) {
    return Add(Distribution::Exponential(Duration(mean_ns)).value());
  }
  // Each class is a group of its own, with the next key.
  void AddClass(const std::vector<Visit>& visits, std::variant<OpenLoop, ClosedLoop> load) {
    RequestClass c;
    c.key = network.classes.size() + 1;
    c.first_visit = static_cast<uint32_t>(network.visits.size());
    c.visit_count = static_cast<uint32_t>(visits.size());
    c.group = static_cast<uint32_t>(network.groups.size());
    c.load = load;
    network.visits.insert(network.visits.end(), visits.begin(), visits.end());
    network.groups.push_back("g" + std::to_string(c.group));
    network.classes.push_back(c);
  }

  QueueNetwork network;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_TEST_NETWORKS_H_
