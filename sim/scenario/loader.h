// Scenario files: YAML text to a validated, fully resolved Scenario.
//
// Everything that can be wrong with a file is found here and told with its place, all independent
// mistakes at once; nothing is silently ignored. Loading reads the scenario and the traces it
// names, and has no other effect.
#ifndef CNISIM_SIM_SCENARIO_LOADER_H_
#define CNISIM_SIM_SCENARIO_LOADER_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/scenario/diagnostic.h"
#include "sim/scenario/places.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

struct LoadOptions {
  std::vector<std::string> sets;  // "KEY=VALUE", applied in order (overrides.h)
  std::string network = "";       // "calico:VXLAN" and the like (network_choice.h); empty: its own
};

struct LoadedScenario {
  Scenario scenario;
  std::vector<Diagnostic> warnings;          // in order of place
  std::string resolved_yaml;                 // resolved_yaml.h
  std::vector<std::filesystem::path> files;  // that it read beside the scenario
  Places places;                             // of its values
};

// The errors, never empty, in order of place.
using LoadResult = tl::expected<LoadedScenario, std::vector<Diagnostic>>;

LoadResult LoadScenario(const std::filesystem::path& path, const LoadOptions& options = {});

// Text that came otherwise; `name` stands for it in messages, and paths that it names are relative
// to `directory`.
LoadResult LoadScenarioText(std::string_view text, std::string name,
                            const std::filesystem::path& directory,
                            const LoadOptions& options = {});

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_LOADER_H_
