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
// without closed classes the formula for open ones remains. Where the rest of a service is shorter
// than a service, while requests of closed loops arrive just when another service ends, this would
// promise more than a queue can do: waits there are raised until its utilisation is 1. For the
// variance, each other request is at the station or not, independently.
//
// Closed classes are far off where users do not think and one class's services are much longer than
// another's: of the latter, each of the former delays one request of many, not each in proportion.
//
// Stations that pace (Station::kPace): waits are as at a queue, services take no time. A lone user
// would never wait there either; its class makes at most as many requests as its own services there
// leave time for, and waits for the rest.
//
// Nanoseconds. O(iterations * visits of closed classes + stations), at most 10,000 iterations.
#ifndef CNISIM_SIM_DATAPLANE_WAITING_H_
#define CNISIM_SIM_DATAPLANE_WAITING_H_

#include <atomic>
#include <vector>

#include "sim/dataplane/queue_network.h"
#include "sim/dataplane/station_load.h"

namespace cnisim {

struct Waiting {
  // Of a visit of an open class; infinite where such classes alone keep the station busy.
  struct Wait {
    double mean = 0;
    double variance = 0;
    double unhindered = 1;  // the probability not to wait
  };
  // What closed classes do at a station.
  struct ClosedShare {
    double rate = 0;  // visits a nanosecond
    double work = 0;  // services in progress
    double jobs = 0;  // those, and the waiting
  };
  struct ClosedClass {
    double rate = 0;  // requests a nanosecond
    Wait wait;        // of all visits of a request together, `unhindered` not told
  };
  std::vector<Wait> waits;           // as the stations
  std::vector<ClosedShare> closed;   // as the stations
  std::vector<ClosedClass> classes;  // the closed classes, in the network's order
};

// What it tells if `interrupt` becomes true is of no use.
Waiting SolveWaiting(const QueueNetwork& network, const ServiceTimes& services,
                     const std::vector<StationLoad>& open,
                     const std::atomic<bool>* interrupt = nullptr);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_WAITING_H_
