// Requests as visits to stations: one description for the evaluations by events
// (event_evaluation.h) and by queueing theory (analytic_evaluation.h).
//
// A station stands for whatever a request waits for or spends time in: a CPU core, a NIC, a flow's
// limit, propagation. A request of a class makes its visits one after the other; a visit
// takes a fixed time and, if it names a distribution, a random time more. A group gathers the
// classes whose latencies are to be told together.
//
// Times are nanoseconds. The caller owns all indices; `Check` says whether they hold. Memory:
// 16 bytes a visit, 40 a class.
#ifndef CNISIM_SIM_DATAPLANE_QUEUE_NETWORK_H_
#define CNISIM_SIM_DATAPLANE_QUEUE_NETWORK_H_

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/ports/result.h"
#include "sim/engine/distribution.h"

namespace cnisim {

// Where an index would be: there is none.
inline constexpr uint32_t kNone = UINT32_MAX;

struct Station {
  enum class Kind : uint8_t {
    kQueue,  // one server, first in, first out
    // A queue that requests leave when their service begins: what limits a rate but takes no time
    // itself, such as a limiter that lets a message of any size pass at once and the next one
    // later.
    kPace,
    kDelay,  // as many servers as there are requests: nobody waits
  };

  std::string name;
  Kind kind = Kind::kQueue;

  bool has_server() const { return kind != Kind::kDelay; }
};

struct Visit {
  uint32_t station = 0;
  uint32_t distribution = kNone;  // a random service time that is added, independent of all others
  int64_t service_ns = 0;         // the fixed part
};

// Requests arrive whatever happens to earlier ones, as a Poisson process.
struct OpenLoop {
  double requests_per_second = 0;  // 0 to 1e9
};

// That many users: each thinks, makes a request, waits for its end, and thinks again.
struct ClosedLoop {
  uint32_t population = 0;
  uint32_t think_time = kNone;  // a distribution; none: no time
};

struct RequestClass {
  // Names the class's random numbers and belongs to no other class: with the same seed and key the
  // n-th request arrives, or thinks, and is served for the same times in every network.
  uint64_t key = 0;
  uint32_t first_visit = 0;  // its visits are visits[first_visit .. first_visit + visit_count)
  uint32_t visit_count = 0;
  uint32_t group = 0;
  std::variant<OpenLoop, ClosedLoop> load;
};

struct QueueNetwork {
  std::vector<Station> stations;
  std::vector<RequestClass> classes;
  std::vector<Visit> visits;  // classes may share them
  std::vector<Distribution> distributions;
  std::vector<std::string> groups;

  std::span<const Visit> VisitsOf(const RequestClass& c) const {
    return std::span(visits).subspan(c.first_visit, c.visit_count);
  }
};

// Code "InvalidQueueNetwork" if an index leads nowhere, a fixed service time is negative, a rate is
// not within its bounds, two classes have one key, or users of a closed class need no time for a
// request and thinking together. O(visits + classes log classes).
Status Check(const QueueNetwork& network);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_QUEUE_NETWORK_H_
