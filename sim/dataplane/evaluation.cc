#include "sim/dataplane/evaluation.h"

namespace cnisim {

uint32_t FindBottleneck(const QueueNetwork& network, const std::vector<StationResult>& stations) {
  uint32_t bottleneck = kNone;
  double highest = 0;
  for (uint32_t i = 0; i < stations.size(); ++i) {
    if (network.stations[i].kind != Station::Kind::kQueue) continue;
    if (stations[i].utilisation > highest) {
      highest = stations[i].utilisation;
      bottleneck = i;
    }
  }
  return bottleneck;
}

}  // namespace cnisim
