// What `sweep` and `merge` tell of a results file in the end.
#ifndef CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_RESULTS_H_
#define CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_RESULTS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tools/cnisim/base/exit_code.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/sweep/sweep_job.h"
#include "tools/cnisim/sweep/sweep_report.h"

namespace cnisim {

// --metric METRIC.STATISTIC, repeatable.
void AddMetricOption(CLI::App& app, std::vector<std::string>& metrics);
// The default ones if there are none. Code "usage".
Result<std::vector<SweptFigure>> ParseSweptFigures(const std::vector<std::string>& texts);

// Prints the file's cells and says, as an exit code, whether expectations failed or invariants
// broke.
ExitCode TellSweep(const std::string& path, std::span<const SweptFigure> figures,
                   OutputFormat format);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_RESULTS_H_
