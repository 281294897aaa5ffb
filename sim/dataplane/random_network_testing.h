// Random queue networks for tests.
#ifndef CNISIM_SIM_DATAPLANE_RANDOM_NETWORK_TESTING_H_
#define CNISIM_SIM_DATAPLANE_RANDOM_NETWORK_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/dataplane/station_load.h"
#include "sim/dataplane/test_networks.h"
#include "sim/engine/random.h"

namespace cnisim {

struct RandomNetworkShape {
  uint64_t stations = 6;  // every fourth is a delay
  uint64_t classes = 8;
  uint64_t visits = 6;          // at most, of a class
  int64_t longest_ns = 10'000;  // of fixed services; random ones are as long on average
  double utilisation = 0.7;     // of the busiest queue, by open classes
  int64_t think_ns = 0;         // on average, of users; 0: half of them not at all, others briefly
  uint64_t population = 0;      // at most, of closed classes; 0: no class is, else a third
  bool pacing = false;          // every fourth station paces
};

inline QueueNetwork MakeRandomNetwork(uint64_t seed, const RandomNetworkShape& shape) {
  RandomStream random(seed, "network", "shape");
  const auto up_to = [&](uint64_t n) { return static_cast<int64_t>(random.NextBelow(n + 1)); };
  NetworkBuilder b;
  for (uint64_t i = 0; i < shape.stations; ++i) {
    b.AddStation(i % 4 == 3                   ? Station::Kind::kDelay
                 : i % 4 == 2 && shape.pacing ? Station::Kind::kPace
                                              : Station::Kind::kQueue);
  }
  const int64_t longest = shape.longest_ns;
  const auto length = static_cast<uint64_t>(longest);
  const std::vector<uint32_t> services = {
      b.Exponential(longest / 2),
      b.Add(Distribution::Uniform(Duration(0), Duration(longest)).value()),
      b.Add(Distribution::Lognormal(Duration(longest / 3), Duration(longest * 2)).value())};
  const uint32_t long_think = b.Exponential(shape.think_ns);
  for (uint64_t i = 0; i < shape.classes; ++i) {
    std::vector<Visit> visits;
    for (uint64_t v = 1 + random.NextBelow(shape.visits); v > 0; --v) {
      Visit visit;
      // Never the same station twice in a row.
      const uint64_t others = visits.empty() ? shape.stations : shape.stations - 1;
      visit.station = static_cast<uint32_t>(random.NextBelow(others));
      if (!visits.empty() && visit.station >= visits.back().station) ++visit.station;
      if (random.NextBelow(3) == 0) visit.distribution = services[random.NextBelow(3)];
      visit.service_ns = up_to(length);
      visits.push_back(visit);
    }
    if (shape.population > 0 && i % 3 == 2) {
      visits[0].service_ns += 1;
      const uint32_t brief = random.NextBelow(2) == 0 ? kNone : services[random.NextBelow(3)];
      const uint32_t think = shape.think_ns > 0 ? long_think : brief;
      b.AddClass(visits, ClosedLoop{static_cast<uint32_t>(up_to(shape.population)), think});
    } else {
      b.AddClass(visits, OpenLoop{1 + random.NextDouble() * 4});
    }
  }
  const double factor =
      shape.utilisation * Headroom(b.network, OfferedLoads(b.network, ServiceTimes(b.network)));
  for (RequestClass& c : b.network.classes) {
    auto* open = std::get_if<OpenLoop>(&c.load);
    if (open == nullptr) continue;
    open->requests_per_second = std::min(open->requests_per_second * factor, 1e9);
  }
  return std::move(b.network);
}

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_RANDOM_NETWORK_TESTING_H_
