// How many /28 blocks a subnet has for prefix delegation once single addresses lie about in it.
#ifndef CNISIM_SIM_SCENARIO_ADVICE_FRAGMENTATION_H_
#define CNISIM_SIM_SCENARIO_ADVICE_FRAGMENTATION_H_

#include <cstdint>

#include "sim/cloud/spec.h"

namespace cnisim {

// Expected figures of a subnet whose single addresses are drawn uniformly from the free ones
// (sim/cloud/subnet_allocator.h).
struct WholeBlocks {
  int64_t in_all = 0;         // aligned /28s without a reserved address
  double at_start = 0;        // of those, wholly free after usedAtStart
  double prefixes_given = 0;  // of the wanted ones
};

// `singles` and `prefixes` are asked for side by side, evenly mixed. O(singles + prefixes).
WholeBlocks ExpectedBlocks(const SubnetSpec& subnet, int64_t singles, int64_t prefixes);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_ADVICE_FRAGMENTATION_H_
