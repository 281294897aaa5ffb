#include "tools/cnisim/sweep/sweep_results.h"

#include <fmt/format.h>

#include <cstdio>

#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/say.h"

namespace cnisim {

void AddMetricOption(CLI::App& app, std::vector<std::string>& metrics) {
  app.add_option("--metric", metrics,
                 "A column, e.g. pod_ip_wait_seconds.p99 (repeatable;\n"
                 "`cnisim catalog metrics` lists them)")
      ->type_name("METRIC.STATISTIC")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

Result<std::vector<SweptFigure>> ParseSweptFigures(const std::vector<std::string>& texts) {
  if (texts.empty()) return DefaultFigures();
  std::vector<SweptFigure> figures;
  for (const std::string& text : texts) {
    Result<SweptFigure> figure = ParseSweptFigure(text);
    if (!figure) return tl::unexpected(figure.error());
    figures.push_back(std::move(*figure));
  }
  return figures;
}

ExitCode TellSweep(const std::string& path, std::span<const SweptFigure> figures,
                   OutputFormat format) {
  Result<Database> db = Database::OpenReadOnly(path);
  if (!db) return RuntimeError(db.error().message);
  const Result<std::vector<SweptCell>> cells = ReadCells(*db, figures);
  if (!cells) return RuntimeError(cells.error().message);
  fmt::print("{}", format == OutputFormat::kTable ? SweepText(*cells, figures)
                                                  : Format(SweepTable(*cells, figures), format));
  Say("{}results in {}\n", format == OutputFormat::kTable ? "\n" : "", path);
  ExitCode code = ExitCode::kOk;
  for (const SweptCell& cell : *cells) {
    if (cell.violated > 0) code = Worse(code, ExitCode::kInvariantViolated);
    if (cell.failed > 0) code = Worse(code, ExitCode::kExpectationFailed);
  }
  return code;
}

}  // namespace cnisim
