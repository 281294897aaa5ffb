// The catalogue of constants as a struct: one member per line of constants.inc, which holds names,
// ranges and sources.
#ifndef CNISIM_SIM_SCENARIO_CONSTANTS_H_
#define CNISIM_SIM_SCENARIO_CONSTANTS_H_

#include <span>
#include <string_view>

#include "sim/engine/distribution.h"

namespace cnisim {

struct Constants {
#define CNISIM_DURATION(member, name, value, low, high, source) Distribution member;
#define CNISIM_NUMBER(member, name, value, low, high, unit, source) double member;
#include "sim/scenario/constants.inc"
#undef CNISIM_DURATION
#undef CNISIM_NUMBER

  // The catalogue's own values.
  Constants();
};

// One line of the catalogue. Exactly one of `duration` and `number` is set.
struct ConstantInfo {
  std::string_view name;
  Distribution Constants::*duration = nullptr;
  double Constants::*number = nullptr;
  double low = 0;  // seconds for durations
  double high = 0;
  std::string_view unit;
  std::string_view source;
};

// In catalogue order.
std::span<const ConstantInfo> AllConstants();

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_CONSTANTS_H_
