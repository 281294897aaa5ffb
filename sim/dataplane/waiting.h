// How long visits wait at first-come-first-served stations, by open and closed classes together.
//
// Open classes: the formula of Pollaczek and Khinchine for M/G/1, and its second moment (as in
// Kleinrock 1975, Queueing Systems I, 5.7); exact where requests arrive in Poisson processes.
//
// Closed classes: approximate mean value analysis. A visit waits for the work that it finds: whole
// services of those that wait, and of the one in service the rest, E[S^2] / 2 E[S] on average. By
// Bard (1979) and Schweitzer (1979) a request of a closed class finds what an observer at any time
// does, less its own share, 1/population of its class. Work of open classes, which comes in
// meanwhile, stretches this by 1 / (1 - their utilisation). So a user alone never waits, and
// without closed classes the formula for open ones remains. Constant services in closed loops would
// make a queue do more than it can, as the rest is shorter than a service while requests arrive
// just when another ends; there waits are raised until the queue's utilisation is 1. For the
// variance, each other request is at the station or not, independently.
//
// Nanoseconds. O(iterations * visits of closed classes + stations), at most 10,000 iterations.
#ifndef CNISIM_SIM_DATAPLANE_WAITING_H_
#define CNISIM_SIM_DATAPLANE_WAITING_H_

#include <vector>

#include "sim/dataplane/queue_network.h"
#include "sim/dataplane/station_load.h"

namespace cnisim {

struct Waiting {
  // What a visit of an open class waits; infinite where such classes alone keep the station busy.
  struct Wait {
    double mean = 0;
    double variance = 0;
  };
  // What closed classes do at a station.
  struct ClosedShare {
    double rate = 0;  // visits a nanosecond
    double work = 0;  // services in progress
    double jobs = 0;  // those, and the waiting
  };
  struct ClosedClass {
    double rate = 0;     // requests a nanosecond
    double waiting = 0;  // mean over all visits together
    double variance = 0;
  };
  std::vector<Wait> waits;           // as the stations
  std::vector<ClosedShare> closed;   // as the stations
  std::vector<ClosedClass> classes;  // the closed classes, in the network's order
};

Waiting SolveWaiting(const QueueNetwork& network, const ServiceTimes& services,
                     const std::vector<StationLoad>& open);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_WAITING_H_
