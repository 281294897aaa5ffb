// The documents of testdata/valid by their names, for tests of the loader.
#ifndef CNISIM_SIM_SCENARIO_LOADER_TESTING_H_
#define CNISIM_SIM_SCENARIO_LOADER_TESTING_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/loader.h"

namespace cnisim {

inline const std::filesystem::path kDirectory =
    std::filesystem::path(CNISIM_SOURCE_DIR) / "sim/scenario/testdata/valid";

inline std::string Told(const std::vector<Diagnostic>& diagnostics) {
  std::string told;
  for (const Diagnostic& diagnostic : diagnostics) told += diagnostic.ToString() + "\n";
  return told;
}

inline LoadedScenario Load(const std::string& name, std::vector<std::string> sets = {}) {
  LoadResult result = LoadScenario(kDirectory / (name + ".yaml"), {std::move(sets)});
  if (!result) {
    ADD_FAILURE() << Told(result.error());
    return {};
  }
  return *std::move(result);
}

// Empty if it loads.
inline std::string ErrorsOf(const std::string& name, std::vector<std::string> sets) {
  const LoadResult result = LoadScenario(kDirectory / (name + ".yaml"), {std::move(sets)});
  return result ? "" : Told(result.error());
}

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_LOADER_TESTING_H_
