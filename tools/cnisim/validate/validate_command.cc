#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <tuple>

#include "sim/scenario/advice/advice.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/base/table.h"
#include "tools/cnisim/base/text.h"
#include "tools/cnisim/validate/explain.h"

namespace cnisim {
namespace {

struct Options {
  ScenarioOptions scenarios;
  OutputFormat format = OutputFormat::kTable;
  bool resolved = false;
  CLI::Option* explain = nullptr;
  std::string code;
};

// What the loader warns about and what advice adds, in order of place.
std::vector<Diagnostic> EverythingAbout(const LoadedScenario& loaded) {
  std::vector<Diagnostic> told = loaded.warnings;
  for (Diagnostic& advice : Advise(loaded)) told.push_back(std::move(advice));
  const std::vector<std::string>& sources = loaded.places.sources();
  std::ranges::stable_sort(told, {}, [&](const Diagnostic& d) {
    return std::tuple(std::ranges::find(sources, d.file), d.line, d.column);
  });
  return told;
}

// "2 warnings, 1 info"
std::string Tally(const std::vector<Diagnostic>& told) {
  std::string text;
  for (const DiagnosticKind kind :
       {DiagnosticKind::kError, DiagnosticKind::kWarning, DiagnosticKind::kInfo}) {
    const auto n = std::ranges::count(told, kind, &Diagnostic::kind);
    if (n == 0) continue;
    if (!text.empty()) text += ", ";
    text += Counted(n, NameOf(kind));
  }
  return text;
}

ExitCode Validate(const Options& options) {
  if (options.scenarios.files.empty()) {
    return UsageError("validate: no scenario file; `cnisim validate FILE...`");
  }
  const Result<std::vector<std::string>> files = ExpandFolders(options.scenarios.files);
  if (!files) return ErrorOf("validate", files.error());
  ExitCode code = ExitCode::kOk;
  Table table;
  table.columns = {"file", "line", "column", "kind", "code", "message", "suggestion"};
  LoadOptions load;
  load.sets = options.scenarios.sets;
  for (const std::string& file : *files) {
    const LoadResult loaded = LoadFile(file, load);
    if (!loaded) code = ExitCode::kUsage;
    const std::vector<Diagnostic> told = loaded ? EverythingAbout(*loaded) : loaded.error();
    const bool as_text = options.format == OutputFormat::kTable;
    for (const Diagnostic& d : told) {
      if (as_text) Say("{}\n", d.ToString());
      table.rows.push_back(
          {d.file, d.line, d.column, NameOf(d.kind), d.code, d.message, d.suggestion});
    }
    if (!as_text) continue;
    if (options.resolved) {
      if (loaded) fmt::print("{}", loaded->resolved_yaml);
    } else if (loaded) {
      fmt::print("{}: valid{}{}\n", file, told.empty() ? "" : ", ", Tally(told));
    } else {
      fmt::print("{}: {}\n", file, Tally(told));
    }
  }
  if (options.format != OutputFormat::kTable) fmt::print("{}", Format(table, options.format));
  return code;
}

}  // namespace

Command AddValidate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  AddScenarioOptions(app, options->scenarios);
  app.add_flag("--resolved", options->resolved, "Print scenarios with every default spelt out");
  options->explain =
      app.add_option("--explain", options->code, "What a code means; without CODE, a list of all")
          ->type_name("[CODE]")
          ->expected(0, 1);
  AddOutputOption(app, options->format);
  app.footer(
      "A folder stands for the .yaml and .yml files below it. Warnings and infos refuse nothing;\n"
      "`run` tells the warnings too, as findings.\n\n"
      "  cnisim validate scenarios/subnet-exhaustion.yaml\n"
      "  cnisim validate --explain subnet-too-small");
  return [options] {
    if (options->explain->count() > 0) return Explain(options->code, options->format);
    return Validate(*options);
  };
}

}  // namespace cnisim
