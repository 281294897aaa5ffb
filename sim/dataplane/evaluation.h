// What an evaluation of a queue network tells, however it was made.
//
// Latencies are nanoseconds and infinite where an open class visits a station that cannot keep up.
// Rates are per second.
#ifndef CNISIM_SIM_DATAPLANE_EVALUATION_H_
#define CNISIM_SIM_DATAPLANE_EVALUATION_H_

#include <cstdint>
#include <vector>

#include "sim/dataplane/latency_histogram.h"
#include "sim/dataplane/queue_network.h"

namespace cnisim {

// Requests that end; an analytic evaluation weighs classes in the histogram by their throughput.
struct GroupResult {
  double requests_per_second = 0;
  double mean_latency_ns = 0;  // 0 without requests
  LatencyHistogram latency;
};

struct StationResult {
  double utilisation = 0;        // the share of time in which the server works; 0 for a delay
  double mean_jobs = 0;          // L: requests waiting or in service
  double visits_per_second = 0;  // visits that end
  double mean_time_ns = 0;       // W: what a visit takes; 0 without visits
};

struct Evaluation {
  std::vector<GroupResult> groups;      // as QueueNetwork::groups
  std::vector<double> class_rates;      // requests a second that end, as QueueNetwork::classes
  std::vector<StationResult> stations;  // as QueueNetwork::stations
  // The queue of highest utilisation, the first of several; if theory finds several saturated, the
  // one that is offered most. kNone if nothing is to be done.
  uint32_t bottleneck = kNone;
  // The factor by which all open classes' rates can grow before the first queue is busy all the
  // time: infinite without such load, at most 1 if that is so already.
  double headroom = 0;
  bool saturated = false;  // headroom <= 1: open latencies grow as long as one looks

  uint64_t refused = 0;  // by events only: arrivals that found as many requests as there may be
};

// The queue of the highest utilisation above 0; `utilisations` as the stations, of delays unused.
uint32_t FindBottleneck(const QueueNetwork& network, const std::vector<double>& utilisations);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_EVALUATION_H_
