#include "sim/dataplane/station_load.h"

#include <algorithm>

namespace cnisim {

ServiceTimes::ServiceTimes(const QueueNetwork& network) {
  random_.reserve(network.distributions.size());
  for (const Distribution& d : network.distributions) random_.push_back(d.ComputeMoments());
}

std::vector<StationLoad> OfferedLoads(const QueueNetwork& network, const ServiceTimes& services) {
  std::vector<StationLoad> loads(network.stations.size());
  for (const RequestClass& c : network.classes) {
    const auto* open = std::get_if<OpenLoop>(&c.load);
    if (open == nullptr) continue;
    const double rate = open->requests_per_second / 1e9;
    for (const Visit& visit : network.VisitsOf(c)) {
      const ServiceMoments service = services.Of(visit);
      StationLoad& load = loads[visit.station];
      load.rate += rate;
      load.work += rate * service.mean;
      load.second += rate * service.second;
      load.third += rate * service.third;
    }
  }
  return loads;
}

double Headroom(const QueueNetwork& network, const std::vector<StationLoad>& loads) {
  double highest = 0;
  for (size_t i = 0; i < loads.size(); ++i) {
    if (network.stations[i].has_server()) highest = std::max(highest, loads[i].work);
  }
  return 1 / highest;
}

}  // namespace cnisim
