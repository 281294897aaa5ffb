// What a cluster's traffic experiences at one moment: latency, throughput, what it costs the nodes,
// and what limits it.
#ifndef CNISIM_SIM_DATAPLANE_TRAFFIC_EVALUATION_H_
#define CNISIM_SIM_DATAPLANE_TRAFFIC_EVALUATION_H_

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/ports/result.h"
#include "sim/dataplane/evaluation.h"
#include "sim/dataplane/spec.h"
#include "sim/dataplane/traffic_network.h"

namespace cnisim {

// Evaluations by events make at most so many visits, where the scenario leaves the choice.
inline constexpr double kMostVisitsByEvents = 2e7;
// How long Linux remembers a TCP connection that was closed (nf_conntrack_tcp_timeout_time_wait).
inline constexpr double kTimeWaitSeconds = 120;

// Pods between which traffic could not be: why, and how many pairs.
struct LostPairs {
  int64_t pairs = 0;
  std::string reason;  // of the first: "no route at node-3"
};

// One entry of the scenario's traffic.
struct TrafficResult {
  int64_t pairs = 0;  // that were looked at, lost ones included
  LostPairs lost;
  // Packets as large as the pods' devices allow are lost on the way and nobody tells the sender.
  int64_t pairs_with_too_large_packets = 0;
  GroupResult requests;            // without traffic none
  double gigabits_per_second = 0;  // of payload
  TrafficCost cost;                // of a request, on average over them
  // The offered rate at which the first station on its way is always busy, other entries' open
  // loads being as they are; of closed loads what they do. 0: others keep it busy already.
  double saturation_per_second = 0;
  bool saturated = false;  // offered that or more: latencies grow as long as one looks
  std::string bottleneck;  // the busiest station that its requests visit
  double bottleneck_utilisation = 0;
};

struct HostLoad {
  double cpu_seconds_per_second = 0;       // on networking
  double wire_cpu_seconds_per_second = 0;  // of that, for what leaves or enters the host
  double packets_per_second = 0;           // on the wire, in and out
  double conntrack_entries = 0;
  double busiest_cpu = 0;  // utilisation, the servers' own work included
};

struct TrafficEvaluation {
  bool by_events = false;
  std::vector<TrafficResult> traffic;  // as in the scenario
  std::vector<HostLoad> hosts;
};

// Errors as those of the two evaluations: "InvalidQueueNetwork" if the scenario's figures make no
// network, such as a client without any time for a request.
Result<TrafficEvaluation> EvaluateTraffic(std::span<const TrafficHost> hosts,
                                          std::span<const TrafficSpec> traffic,
                                          std::span<const TrafficPair> pairs,
                                          const DataPlaneSpec& spec, uint64_t seed,
                                          const std::atomic<bool>* interrupt = nullptr);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_TRAFFIC_EVALUATION_H_
