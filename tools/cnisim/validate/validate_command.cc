#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/base/table.h"
#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

struct Options {
  ScenarioOptions scenarios;
  OutputFormat format = OutputFormat::kTable;
  bool resolved = false;
};

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
    const std::vector<Diagnostic>& told = loaded ? loaded->warnings : loaded.error();
    const bool as_text = options.format == OutputFormat::kTable;
    for (const Diagnostic& d : told) {
      if (as_text) Say("{}\n", d.ToString());
      table.rows.push_back({d.file, d.line, d.column,
                            d.kind == DiagnosticKind::kError ? "error" : "warning", d.code,
                            d.message, d.suggestion});
    }
    if (!as_text) continue;
    if (options.resolved) {
      if (loaded) fmt::print("{}", loaded->resolved_yaml);
    } else if (loaded) {
      fmt::print("{}: valid{}\n", file,
                 told.empty() ? "" : fmt::format(", {}", Counted(std::ssize(told), "warning")));
    } else {
      fmt::print("{}: {}\n", file, Counted(std::ssize(told), "error"));
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
  AddOutputOption(app, options->format);
  app.footer("A folder stands for the .yaml and .yml files below it.");
  return [options] { return Validate(*options); };
}

}  // namespace cnisim
