#include "sim/dataplane/evaluation.h"

namespace cnisim {

uint32_t FindBottleneck(const QueueNetwork& network, const std::vector<double>& utilisations) {
  uint32_t bottleneck = kNone;
  double highest = 0;
  for (uint32_t i = 0; i < utilisations.size(); ++i) {
    if (!network.stations[i].has_server()) continue;
    if (utilisations[i] > highest) {
      highest = utilisations[i];
      bottleneck = i;
    }
  }
  return bottleneck;
}

}  // namespace cnisim
