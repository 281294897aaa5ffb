// Evaluates a queue network by simulating every request: exact but for chance and edges.
//
// One event a visit: a queue serves in the order of arrival, so the time at which a request leaves
// is known when it comes, and leaving one station is coming to the next. Requests that come to a
// station at one instant are served in the order in which they came to the station before (new
// ones: in which the one before them arrived; at time zero: of the classes).
//
// Counted is what happens in (warm_up, warm_up + window]: visits and requests by their ends. Users
// of closed classes begin by thinking at time zero.
//
// Little's law holds for any window in the form L = (time that requests spent at the station in the
// window) / window (Little 2011, Operations Research 59:3). L comes from the number of requests at
// the station, integrated as they come and go; the right side from each request's own two times.
// These are integers, so any difference is a mistake in this code: it is looked for at every
// station of every run, whatever the build, and an error.
//
// Draws are functions of (seed, key of the class, number of the request, visit), so a class's
// arrivals, thinking and service times do not depend on other classes or on waiting. The same seed
// gives the same bits on every compiler that links the same libm.
//
// Cost: O(1) a visit, no allocation once the greatest number of requests at once was reached.
// Memory: 96 bytes a request at once, the next arrival of each open class included, plus 64 a
// station.
#ifndef CNISIM_SIM_DATAPLANE_EVENT_EVALUATION_H_
#define CNISIM_SIM_DATAPLANE_EVENT_EVALUATION_H_

#include <atomic>
#include <cstdint>

#include "core/ports/clock.h"
#include "core/ports/result.h"
#include "sim/dataplane/evaluation.h"
#include "sim/dataplane/queue_network.h"

namespace cnisim {

struct EventSettings {
  uint64_t seed = 0;
  Duration warm_up{};
  Duration window{};
  // When it becomes true the evaluation is given up.
  const std::atomic<bool>* interrupt = nullptr;
  // Arrivals that find so many requests of open classes are refused and counted. Users of closed
  // classes may be as many again.
  uint32_t max_requests = 1'000'000;
};

// Codes "InvalidQueueNetwork" (see Check), "TooManyUsers", "InvalidWindow": it is empty, or so
// long that the times of all requests together may exceed 2^63 ns (2.5 hours for a million);
// "Interrupted", and "LittlesLaw".
Result<Evaluation> EvaluateByEvents(const QueueNetwork& network, const EventSettings& settings);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_EVENT_EVALUATION_H_
