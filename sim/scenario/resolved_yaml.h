// A scenario as YAML again: every default spelled out, in one fixed order and form.
//
// Loading the text gives an equal scenario. Not spelled out are what other catalogues hold (EC2
// throttles and latencies, constants, the shipped manifest's variables: only what the scenario
// overrides is there), traces, which are named by path and content hash, and, without traffic, how
// traffic is judged.
#ifndef CNISIM_SIM_SCENARIO_RESOLVED_YAML_H_
#define CNISIM_SIM_SCENARIO_RESOLVED_YAML_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sim/scenario/scenario.h"

namespace cnisim {

// A file that a scenario names.
struct SourceFile {
  std::string path;  // as the scenario has it
  std::string format;
  std::string content_hash;
};

struct SourceFiles {
  std::map<size_t, SourceFile> traces;      // by index of the workload
  std::map<size_t, SourceFile> node_lists;  // by index of the node group
  std::optional<std::string> cost_profile;  // its path; the resolved scenario has what is in it
};

// "fnv1a64:" and 16 hexadecimal digits.
std::string ContentHash(std::string_view content);

// A profile as a file of its own, which profile_reader.h reads.
std::string CostProfileYaml(const CostProfile& profile);

std::string ResolvedYaml(const Scenario& scenario, const SourceFiles& files);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_RESOLVED_YAML_H_
