// The files that `run` and `test` write: told apart from what they read before anything runs, and
// given their names when everything is done.
#ifndef CNISIM_TOOLS_CNISIM_OUTPUTS_H_
#define CNISIM_TOOLS_CNISIM_OUTPUTS_H_

#include <optional>
#include <span>
#include <string>

#include "core/ports/result.h"
#include "results/results_file.h"
#include "tools/cnisim/options.h"
#include "tools/cnisim/runner.h"

namespace cnisim {

// The results file of --db, or a new one named `stem`.db; none if both are empty. Fails, with code
// "usage" if it was asked for nonsense, if that or --junit's file is one of the inputs, if they are
// the same file, or if one of them cannot be written.
Result<std::optional<ResultsFile>> CreateOutputs(std::span<const ScenarioFile> files,
                                                 const RunOptions& options,
                                                 const std::string& stem);

// Gives the results file its name, and tells it unless it is as expected. `name` gets it.
ExitCode PublishResults(ResultsFile& file, std::span<const Job> jobs,
                        std::span<const JobResult> results, const RunOptions& options,
                        std::string& name);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_OUTPUTS_H_
