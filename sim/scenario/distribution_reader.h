// A distribution as scenarios write it:
//   30s                                     always that
//   {fixed: 30s}
//   {uniform: {min: 1s, max: 5s}}
//   {exponential: {mean: 4h}}
//   {lognormal: {p50: 20s, p99: 90s}}       or short {p50: 20s, p99: 90s}
//   {empirical: [1s, 2s, {value: 9s, weight: 3}]}
#ifndef CNISIM_SIM_SCENARIO_DISTRIBUTION_READER_H_
#define CNISIM_SIM_SCENARIO_DISTRIBUTION_READER_H_

#include <optional>

#include "sim/engine/distribution.h"
#include "sim/scenario/yaml_reader.h"

namespace cnisim {

// The longest time that a scenario can name: ten years, well inside int64 nanoseconds.
inline constexpr Duration kLongest = std::chrono::hours(24 * 3650);

// nullopt if absent, or after telling what is wrong.
std::optional<Distribution> ReadDistribution(Field field);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_DISTRIBUTION_READER_H_
