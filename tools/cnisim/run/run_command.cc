#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/run/outputs.h"
#include "tools/cnisim/run/printer.h"

namespace cnisim {
namespace {

struct Options {
  ScenarioOptions scenarios;
  RunOptions run;
  OutputFormat format = OutputFormat::kTable;
};

// Nested values become columns named a.b; lists are left out, the results file has them.
void Flatten(const std::string& prefix, const Json& value, Table& table, std::vector<Json>& row) {
  for (const auto& [key, member] : value.items()) {
    const std::string name = prefix.empty() ? key : fmt::format("{}.{}", prefix, key);
    if (member.is_object() && key != "waitReasons") {
      Flatten(name, member, table, row);
    } else if (!member.is_structured()) {
      if (table.rows.empty()) table.columns.push_back(name);
      row.push_back(member);
    }
  }
}

std::string ResultsText(std::span<const RunFigures> runs, OutputFormat format) {
  if (format == OutputFormat::kTable) {
    std::string out;
    for (size_t begin = 0; begin < runs.size();) {
      // Repetitions of one file stand together.
      size_t end = begin + 1;
      while (end < runs.size() && runs[end].file == runs[begin].file &&
             runs[end].network == runs[begin].network &&
             runs[end].repetition == runs[end - 1].repetition + 1) {
        ++end;
      }
      if (!out.empty()) out += '\n';
      out += end - begin == 1 ? SummaryText(runs[begin])
                              : RepetitionsText(runs.subspan(begin, end - begin));
      begin = end;
    }
    return out;
  }
  if (format == OutputFormat::kCsv) {
    Table table;
    for (const RunFigures& run : runs) {
      std::vector<Json> row;
      Flatten("", ToJson(run), table, row);
      table.rows.push_back(std::move(row));
    }
    return Format(table, format);
  }
  Json list = Json::array();
  for (const RunFigures& run : runs) list.push_back(ToJson(run));
  return FormatDocument(list, format);
}

ExitCode Run(const Options& options) {
  if (options.scenarios.files.empty()) {
    return UsageError("run: no scenario file; `cnisim run FILE` or `cnisim run -f FILE`");
  }
  const auto files = LoadFiles(options.scenarios);
  if (!files) return ExitCode::kUsage;
  const FinishedRuns done =
      RunIntoFile("run", *files, options.run, files->front().loaded.scenario.name);
  if (done.name.empty()) return done.code;

  std::vector<RunFigures> runs;
  for (const JobResult& result : done.results) runs.push_back(result.figures);
  fmt::print("{}", ResultsText(runs, options.format));
  Say("{}results in {}\n", options.format == OutputFormat::kTable ? "\n" : "", done.name);
  return done.code;
}

}  // namespace

Command AddRun(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  AddScenarioOptions(app, options->scenarios);
  AddNetworkOption(app, options->scenarios.networks);
  AddRunOptions(app, options->run);
  AddOutputOption(app, options->format);
  app.footer(
      "Results go to NAME.db in the working directory (NAME-2.db if that exists).\n"
      "Exit codes: 0 ok, 1 runtime error, 2 usage or invalid scenario, 3 an expectation failed,\n"
      "4 not deterministic, 5 an invariant was violated, 130 interrupted.");
  return [options] { return Run(*options); };
}

}  // namespace cnisim
