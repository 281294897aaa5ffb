// Calibration profiles as YAML: what cost_profile.h describes, as a file or inside a scenario.
//
//   apiVersion: cnisim.dev/v1alpha1
//   kind: CostProfile
//   metadata: {name: ena-nitro}
//   spec:
//     help: what machine and kernel this is, and what it was fitted to
//     nic: {segmentation: true, tunnelSegmentation: false, checksum: true, tunnelChecksum: false,
//           maxReceiveQueues: 8, frameBytes: 14, bandwidthGbps: 10}
//     costs:
//       socketSend: {value: 1200, low: 800, high: 2000, source: "..."}
//
// Every cost of costs.inc is there, each once, in nanoseconds; of `nic`, what differs from
// NicFacts. Inside a scenario it is the mapping `spec` with a `name`. Errors: told as those of
// scenarios, with file, line and column; what is returned is then of no use.
#ifndef CNISIM_SIM_SCENARIO_PROFILE_READER_H_
#define CNISIM_SIM_SCENARIO_PROFILE_READER_H_

#include <string_view>
#include <vector>

#include "sim/dataplane/cost_profile.h"
#include "sim/scenario/yaml_reader.h"

namespace cnisim {

inline constexpr double kMaxCost = 1e9;  // a second: a guard against typing errors

// `source` is that of the text in `diagnostics`.
CostProfile ReadCostProfile(std::string_view text, int source, Diagnostics& diagnostics);
CostProfile ReadInlineProfile(Field profile);

// What a scenario that names none has.
inline constexpr std::string_view kDefaultProfile = "ena-nitro";

// The names of those in sim/dataplane/profiles, sorted.
std::vector<std::string_view> BuiltinProfiles();
// Null if there is none of that name.
const CostProfile* FindBuiltinProfile(std::string_view name);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_PROFILE_READER_H_
