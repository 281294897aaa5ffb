#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/text.h"
#include "tools/cnisim/run/outputs.h"
#include "tools/cnisim/run/printer.h"

namespace cnisim {
namespace {

struct Options {
  ScenarioOptions scenarios;
  RunOptions run;
  OutputFormat format = OutputFormat::kTable;
};

struct Verdict {
  std::string_view word;
  int passed = 0;
};

Verdict VerdictOf(const JobResult& result) {
  const RunFigures& run = result.figures;
  Verdict verdict;
  verdict.passed =
      static_cast<int>(std::ranges::count_if(run.expectations, &ExpectationResult::passed));
  if (!result.error.empty() || result.mismatch() || !result.violations.empty()) {
    verdict.word = "ERROR";
  } else if (run.status == RunStatus::kInterrupted) {
    verdict.word = "stopped";
  } else {
    verdict.word = run.expectation_failed() ? "FAIL" : "pass";
  }
  return verdict;
}

// One line a run, and below it what it failed.
std::string TableText(std::span<const JobResult> results) {
  std::vector<std::vector<std::string>> lines;
  for (const JobResult& result : results) {
    const RunFigures& run = result.figures;
    const Verdict verdict = VerdictOf(result);
    lines.push_back({run.scenario, fmt::format("seed {}", run.seed),
                     run.expectations.empty() ? "no expectations"
                                              : fmt::format("{}/{} expectations", verdict.passed,
                                                            run.expectations.size()),
                     DurationText(run.wall_seconds)});
  }
  const std::string aligned = Align(lines, {false, false, false, true});
  std::string out;
  size_t begin = 0;
  for (const JobResult& result : results) {
    const Verdict verdict = VerdictOf(result);
    const size_t end = aligned.find('\n', begin);
    const std::string word = fmt::format("{:<7}", verdict.word);
    out += fmt::format("{}  {}\n", verdict.word == "pass" ? Green(word) : Red(word),
                       aligned.substr(begin, end - begin));
    begin = end + 1;
    for (const ExpectationResult& e : result.figures.expectations) {
      if (e.passed) continue;
      out += fmt::format("         {}{}: {}; observed {}\n", e.warn_only ? "(warning) " : "",
                         Escaped(e.name), Escaped(e.assertion), ObservedText(e));
    }
  }
  const auto count = [&](std::string_view word) {
    return std::ranges::count_if(results,
                                 [&](const JobResult& r) { return VerdictOf(r).word == word; });
  };
  const auto stopped = count("stopped");
  return out + fmt::format("{}: {} passed, {} failed{}\n", Counted(std::ssize(results), "run"),
                           count("pass"), std::ssize(results) - count("pass") - stopped,
                           stopped > 0 ? fmt::format(", {} interrupted", stopped) : "");
}

std::string ResultsText(std::span<const JobResult> results, OutputFormat format) {
  if (format == OutputFormat::kTable) return TableText(results);
  Table table;
  table.columns = {"file",      "scenario", "seed",     "verdict", "expectation",
                   "assertion", "severity", "observed", "passed"};
  for (const JobResult& result : results) {
    const RunFigures& run = result.figures;
    const std::vector<Json> identity{run.file, run.scenario, run.seed, VerdictOf(result).word};
    for (const ExpectationResult& e : run.expectations) {
      std::vector<Json> row = identity;
      row.insert(row.end(), {e.name, e.assertion, e.warn_only ? "warn" : "error",
                             e.observed ? Json(*e.observed) : Json(), e.passed});
      table.rows.push_back(std::move(row));
    }
    if (run.expectations.empty()) {
      std::vector<Json> row = identity;
      row.resize(table.columns.size());
      table.rows.push_back(std::move(row));
    }
  }
  return Format(table, format);
}

ExitCode Test(const Options& options) {
  if (options.scenarios.files.empty()) {
    return UsageError("test: no scenario; `cnisim test FILE...` or `cnisim test FOLDER`");
  }
  Result<std::vector<std::string>> paths = ExpandFolders(options.scenarios.files);
  if (!paths) return ErrorOf("test", paths.error());
  const auto files = LoadFiles({std::move(*paths), options.scenarios.sets, {}});
  if (!files) return ExitCode::kUsage;
  const FinishedRuns done = RunIntoFile("test", *files, options.run, /*stem=*/"");
  if (!done.ran) return done.code;
  fmt::print("{}", ResultsText(done.results, options.format));
  return done.code;
}

}  // namespace

Command AddTest(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  AddScenarioOptions(app, options->scenarios);
  AddRunOptions(app, options->run);
  AddOutputOption(app, options->format);
  app.footer(
      "A folder stands for the .yaml and .yml files below it. No results file without --db.\n"
      "Exit code 3 if an expectation failed; the others as for `cnisim run`.");
  return [options] { return Test(*options); };
}

}  // namespace cnisim
