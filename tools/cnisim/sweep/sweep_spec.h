// What a sweep runs: one scenario, changed in every combination of some settings, each with the
// same seeds.
//
//   apiVersion: cnisim.dev/v1alpha1
//   kind: Sweep
//   metadata: {name: warm-targets}
//   spec:
//     base: quickstart.yaml          # relative to this file
//     seeds: 1..8                    # else the base's seed and repetitions
//     matrix:                        # paths as of --set, or `network` as of --network
//       network.env.WARM_IP_TARGET: [2, 5, 10]
//       nodeGroups[workers].instanceType: [m5.large, m5.xlarge]
//       exclude:                     # combinations that have all of these values
//         - {network.env.WARM_IP_TARGET: 2, "nodeGroups[workers].instanceType": m5.xlarge}
//       include:                     # cells more; what they do not name is as in the base
//         - {network.env.WARM_ENI_TARGET: 2}
//
// Cells are in the order of the matrix, the last setting varying fastest, then those included.
#ifndef CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_SPEC_H_
#define CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_SPEC_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/result.h"
#include "sim/scenario/diagnostic.h"

namespace cnisim {

// Settings and their values, each setting once.
using SweepCell = std::vector<std::pair<std::string, std::string>>;

struct SweepAxis {
  std::string setting;
  std::vector<std::string> values;
};

struct SweepSpec {
  std::string name;
  std::filesystem::path base;  // empty: the command names it
  std::string seeds;           // as of --seeds; empty: the base's
  std::vector<SweepAxis> axes;
  std::vector<SweepCell> exclude;
  std::vector<SweepCell> include;
};

inline constexpr size_t kMaxCells = 10'000;

// Whether the document says that it is a sweep; anything else is left to whoever reads it.
bool IsSweep(std::string_view text);
// Errors go to `diagnostics`, whose source 0 is the text; what is returned is then of no use.
SweepSpec ReadSweep(std::string_view text, const std::filesystem::path& directory,
                    Diagnostics& diagnostics);
// "path=a,b,c". Code "usage".
Result<SweepAxis> ParseVary(std::string_view text);

// Fails, with code "usage", if there are none, more than kMaxCells, or two alike.
Result<std::vector<SweepCell>> CellsOf(const SweepSpec& spec);

// The setting's last part, for the head of a column: "WARM_IP_TARGET".
std::string_view ShortName(std::string_view setting);
// "WARM_IP_TARGET=5, instanceType=m5.large"
std::string CellText(const SweepCell& cell);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_SPEC_H_
