#include "tools/cnisim/base/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include "tools/cnisim/base/say.h"

namespace cnisim {
namespace {

// A file's name, a list of seeds.
const CLI::Validator kNotEmpty(
    [](const std::string& text) { return text.empty() ? std::string("is empty") : std::string(); },
    "");

std::optional<uint64_t> ParseSeed(std::string_view text) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return seed;
}

std::vector<std::pair<std::string, std::string>> ParamsOf(const std::vector<std::string>& sets,
                                                          const std::string& network) {
  std::vector<std::pair<std::string, std::string>> params;
  if (!network.empty()) params.emplace_back("network", network);
  for (const std::string& set : sets) {
    const size_t equals = set.find('=');
    params.emplace_back(set.substr(0, equals), set.substr(equals + 1));
  }
  return params;
}

LoadResult LoadStandardInput(const std::string& text, const LoadOptions& options) {
  return LoadScenarioText(text, std::string(kStandardInput), std::filesystem::current_path(),
                          options);
}

}  // namespace

void AddOutputOption(CLI::App& app, OutputFormat& format) {
  static const std::map<std::string, OutputFormat> kFormats{{"table", OutputFormat::kTable},
                                                            {"json", OutputFormat::kJson},
                                                            {"yaml", OutputFormat::kYaml},
                                                            {"csv", OutputFormat::kCsv}};
  app.add_option_function<std::string>(
         "-o,--output", [&format](const std::string& name) { format = kFormats.at(name); },
         "table (default), json, yaml or csv")
      ->check(CLI::IsMember({"table", "json", "yaml", "csv"}).description(""))
      ->type_name("FORMAT");
}

void AddSetOption(CLI::App& app, std::vector<std::string>& sets) {
  app.add_option("--set", sets, "Set a value, e.g. nodeGroups[workers].maxSize=40 (repeatable)")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

CLI::Option* AddSeedOption(CLI::App& app, std::optional<uint64_t>& seed, const std::string& help) {
  const auto read = [&seed](const std::string& text) {
    seed = ParseSeed(text);
    if (seed) return;
    throw CLI::ValidationError(fmt::format("--seed: '{}' is not a whole number from 0 to {}", text,
                                           std::numeric_limits<uint64_t>::max()));
  };
  return app.add_option_function<std::string>("--seed", read, help)->type_name("N");
}

void AddScenarioOptions(CLI::App& app, ScenarioOptions& options) {
  app.add_option("-f,--file,FILE", options.files, "Scenario file; - is standard input (repeatable)")
      ->type_name("");
  AddSetOption(app, options.sets);
}

void AddNetworkOption(CLI::App& app, std::vector<std::string>& networks) {
  app.add_option("--network", networks,
                 "Another network than the scenario's: aws-vpc-cni, or calico:MODE\n"
                 "with None, VXLAN, VXLANCrossSubnet, IPIP or IPIPCrossSubnet\n"
                 "(repeatable)")
      ->type_name("NETWORK")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

void AddSimulationOptions(CLI::App& app, RunOptions& options) {
  auto* seed = AddSeedOption(app, options.seed, "Seed of the first repetition");
  app.add_option("--seeds", options.seeds, "One repetition a seed: 1..32 or 1,5,9..12")
      ->type_name("SEEDS")
      ->check(kNotEmpty)
      ->excludes(seed);
  app.add_option("-j,--jobs", options.jobs, "Runs at a time (default: one a processor)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  app.add_flag("--no-progress", options.no_progress, "No progress line");
  app.add_flag("--verify", options.verify, "Run everything twice and compare the fingerprints");
  app.add_flag("--check", options.check, "Check the invariants while it runs");
}

void AddResultsOptions(CLI::App& app, RunOptions& options) {
  app.add_option("--db", options.db, "Results file")->type_name("FILE")->check(kNotEmpty);
  app.add_flag("--overwrite", options.overwrite, "Replace the results file if it exists");
}

void AddRunOptions(CLI::App& app, RunOptions& options) {
  AddSimulationOptions(app, options);
  AddResultsOptions(app, options);
  app.add_option("--junit", options.junit, "Write the expectations as JUnit XML")
      ->type_name("FILE")
      ->check(kNotEmpty);
  auto* log_dir = app.add_option("--log-dir", options.log_dir,
                                 "Write NODE/ipamd.log, NODE/plugin.log and the agents' pages here")
                      ->type_name("DIR")
                      ->check(kNotEmpty);
  app.add_option("--log-nodes", options.log_nodes, "Only these nodes' logs: workers-0,workers-3")
      ->type_name("NODES")
      ->delimiter(',')
      ->check(kNotEmpty)
      ->needs(log_dir);
}

Result<std::vector<uint64_t>> ParseSeeds(std::string_view text) {
  const auto bad = [&](std::string_view what) {
    return Fail("usage", fmt::format("--seeds {}: {}; write 1..32 or 1,5,9..12", text, what));
  };
  std::vector<uint64_t> seeds;
  std::set<uint64_t> seen;
  for (std::string_view rest = text;;) {
    const size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const size_t dots = part.find("..");
    const auto first = ParseSeed(part.substr(0, dots));
    const auto last = dots == std::string_view::npos ? first : ParseSeed(part.substr(dots + 2));
    if (!first || !last) return bad("not a list of seeds");
    if (*last < *first) return bad("a range runs upwards");
    if (*last - *first >= kMaxRepetitions - seeds.size()) {
      return bad(fmt::format("more than {} seeds", kMaxRepetitions));
    }
    for (uint64_t seed = *first;; ++seed) {
      if (!seen.insert(seed).second) return bad(fmt::format("{} is there twice", seed));
      seeds.push_back(seed);
      if (seed == *last) break;
    }
    if (comma == std::string_view::npos) return seeds;
    rest.remove_prefix(comma + 1);
  }
}

Result<std::vector<std::string>> ExpandFolders(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-" || !std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      const auto extension = entry.path().extension();
      if (entry.is_regular_file() && (extension == ".yaml" || extension == ".yml")) {
        found.push_back(entry.path().string());
      }
    }
    if (found.empty()) return Fail("usage", fmt::format("no .yaml file below {}", path));
    std::ranges::sort(found);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

LoadResult LoadFile(const std::string& file, const LoadOptions& options) {
  if (file != "-") return LoadScenario(file, options);
  return LoadStandardInput({std::istreambuf_iterator<char>(std::cin), {}}, options);
}

std::optional<std::vector<ScenarioFile>> LoadFiles(const ScenarioOptions& options) {
  std::vector<ScenarioFile> files;
  bool valid = true;
  const std::vector<std::string> own{""};
  for (const std::string& file : options.files) {
    std::string text;
    if (file == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
    for (const std::string& network : options.networks.empty() ? own : options.networks) {
      const LoadOptions load{options.sets, network};
      LoadResult loaded = file == "-" ? LoadStandardInput(text, load) : LoadScenario(file, load);
      const std::vector<Diagnostic>& told = loaded ? loaded->warnings : loaded.error();
      for (const Diagnostic& d : told) Say("{}\n", d.ToString());
      if (loaded) {
        files.push_back({file == "-" ? std::string(kStandardInput) : file, network, options.sets,
                         ParamsOf(options.sets, network), std::move(*loaded)});
      } else {
        valid = false;
      }
    }
  }
  if (!valid) return std::nullopt;
  return files;
}

}  // namespace cnisim
