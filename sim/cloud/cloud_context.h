// What the parts of one simulated account share.
#ifndef CNISIM_SIM_CLOUD_CLOUD_CONTEXT_H_
#define CNISIM_SIM_CLOUD_CLOUD_CONTEXT_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/net/ip.h"
#include "sim/cloud/spec.h"
#include "sim/engine/distribution.h"
#include "sim/engine/random.h"
#include "sim/engine/simulation.h"
#include "sim/observe/observer.h"

namespace cnisim {

struct CloudContext {
  Simulation& simulation;
  uint64_t seed = 0;
  CloudTiming timing;
  std::vector<IpCidr> vpc_cidrs;  // of both families
  Observer* observer = nullptr;   // nobody is told while there is none
  int64_t metadata_requests = 0;  // over all instances that ever were
};

// A sample that depends on (seed, entity, purpose, tick) alone, so that one node's draws never
// shift another's. Cut at a year, so that adding it to a time cannot overflow.
inline Duration SampleKeyed(const Distribution& distribution, uint64_t seed, uint64_t entity_hash,
                            uint64_t purpose_hash, uint64_t tick) {
  constexpr Duration kLongest = std::chrono::hours(24 * 365);
  return std::min(kLongest, distribution.Sample(KeyedDraw(seed, entity_hash, purpose_hash, tick)));
}

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_CLOUD_CONTEXT_H_
