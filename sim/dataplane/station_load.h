// The load that open classes offer to each station, and moments of service times.
#ifndef CNISIM_SIM_DATAPLANE_STATION_LOAD_H_
#define CNISIM_SIM_DATAPLANE_STATION_LOAD_H_

#include <vector>

#include "sim/dataplane/queue_network.h"

namespace cnisim {

// Of the service time S of a visit, in nanoseconds and their powers.
struct ServiceMoments {
  double mean = 0;      // E[S]
  double variance = 0;  // E[S^2] - E[S]^2
  double second = 0;    // E[S^2]
  double third = 0;     // E[S^3]
};

// O(distributions) to make, O(1) to ask. The network must outlive it.
class ServiceTimes {
 public:
  explicit ServiceTimes(const QueueNetwork& network);

  ServiceMoments Of(const Visit& visit) const {
    const auto fixed = static_cast<double>(visit.service_ns);
    if (visit.distribution == kNone) return {fixed, 0, fixed * fixed, fixed * fixed * fixed};
    const Distribution::Moments& random = random_[visit.distribution];
    const double mean = fixed + random.mean;
    const double second = mean * mean + random.variance;
    return {mean, random.variance, second,
            mean * (second + 2 * random.variance) + random.third_central};
  }
  double MeanOf(uint32_t distribution) const {
    return distribution == kNone ? 0 : random_[distribution].mean;
  }

 private:
  std::vector<Distribution::Moments> random_;
};

// Sums over the visits that open classes make, each times their rate a nanosecond.
struct StationLoad {
  double rate = 0;    // of 1
  double work = 0;    // of E[S]: a queue's utilisation, a delay's mean number of requests
  double second = 0;  // of E[S^2]
  double third = 0;   // of E[S^3]
};

// As the stations. O(visits).
std::vector<StationLoad> OfferedLoads(const QueueNetwork& network, const ServiceTimes& services);

// See Evaluation::headroom. O(stations).
double Headroom(const QueueNetwork& network, const std::vector<StationLoad>& loads);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_STATION_LOAD_H_
