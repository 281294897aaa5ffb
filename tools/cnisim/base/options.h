// The options that verbs share, and what users write in them.
#ifndef CNISIM_TOOLS_CNISIM_BASE_OPTIONS_H_
#define CNISIM_TOOLS_CNISIM_BASE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/result.h"
#include "sim/scenario/loader.h"

namespace cnisim {

enum class OutputFormat { kTable, kJson, kYaml, kCsv };

// -o table|json|yaml|csv
void AddOutputOption(CLI::App& app, OutputFormat& format);

// --set KEY=VALUE, repeatable.
void AddSetOption(CLI::App& app, std::vector<std::string>& sets);
// --seed N
CLI::Option* AddSeedOption(CLI::App& app, std::optional<uint64_t>& seed, const std::string& help);

struct ScenarioOptions {
  std::vector<std::string> files;  // "-" is standard input
  std::vector<std::string> sets;
  std::vector<std::string> networks;  // each file once on each; empty: on its own
};
void AddScenarioOptions(CLI::App& app, ScenarioOptions& options);
// --network NETWORK, repeatable; see network_choice.h.
void AddNetworkOption(CLI::App& app, std::vector<std::string>& networks);

struct RunOptions {
  std::optional<uint64_t> seed;
  std::string seeds;  // "1..32,40"
  int jobs = 0;       // threads; 0: as many as there are processors
  std::string db;     // empty: none given
  bool overwrite = false;
  std::string junit;
  std::string log_dir;
  std::vector<std::string> log_nodes;  // empty: all
  bool no_progress = false;
  bool verify = false;
  bool check = false;
};
// Seeds, threads, checks; --db and --overwrite; these and all others.
void AddSimulationOptions(CLI::App& app, RunOptions& options);
void AddResultsOptions(CLI::App& app, RunOptions& options);
void AddRunOptions(CLI::App& app, RunOptions& options);

// "1..32", "7", "1,3,10..12": at most kMaxRepetitions seeds, each once.
Result<std::vector<uint64_t>> ParseSeeds(std::string_view text);

inline constexpr std::string_view kStandardInput = "standard input";

struct ScenarioFile {
  std::string name;     // as given; "standard input" for "-"
  std::string network;  // that was chosen for it; empty: its own
  std::vector<std::string> sets;
  std::vector<std::pair<std::string, std::string>> params;  // what is told to be varied
  LoadedScenario loaded;

  // Where it was read from.
  std::string path() const { return name == kStandardInput ? "/dev/stdin" : name; }
};
// Folders give the .yaml and .yml files below them, by name. Fails if there is none.
Result<std::vector<std::string>> ExpandFolders(const std::vector<std::string>& paths);
// Loads them all, each on each network in turn. Errors and warnings go to standard error; nothing
// if one of the files is invalid.
std::optional<std::vector<ScenarioFile>> LoadFiles(const ScenarioOptions& options);
// The text of standard input, or the file.
LoadResult LoadFile(const std::string& file, const LoadOptions& options);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_OPTIONS_H_
