// The scenario's traffic at this moment, told to an observer: what each entry experiences, and what
// it costs each node.
#ifndef CNISIM_SIM_CLUSTER_TRAFFIC_REPORT_H_
#define CNISIM_SIM_CLUSTER_TRAFFIC_REPORT_H_

#include <atomic>
#include <cstdint>
#include <span>

#include "sim/cluster/world_view.h"
#include "sim/observe/observer.h"

namespace cnisim {

// Latencies that an entry's distribution is told by.
inline constexpr int kToldLatencies = 10'000;

// `entities` are those of the scenario's traffic, in its order. Latencies that never end are told
// as the largest Duration. What keeps an entry from being evaluated at all is told as a finding;
// nothing is told if `interrupt` becomes true.
void TellTraffic(const WorldView& world, uint64_t seed, std::span<const EntityId> entities,
                 Observer& observer, const std::atomic<bool>* interrupt = nullptr);

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_TRAFFIC_REPORT_H_
