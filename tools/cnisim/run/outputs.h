// The files that `run`, `test` and `compare` write: told apart from what they read before anything
// runs, and given their names when everything is done.
#ifndef CNISIM_TOOLS_CNISIM_RUN_OUTPUTS_H_
#define CNISIM_TOOLS_CNISIM_RUN_OUTPUTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "tools/cnisim/base/exit_code.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/run/runner.h"

namespace cnisim {

struct FinishedRuns {
  ExitCode code = ExitCode::kOk;
  bool ran = false;  // else `code` says why not, and that has been told
  std::vector<Job> jobs;
  // Of the jobs, in their order; those that did not start are missing.
  std::vector<JobResult> results;
  bool complete = false;  // every job ran to its end
  std::string name;       // of the results file; empty if there is none
};

// Runs all jobs of the files into --db, or a new file named `stem`.db, or no file if both are
// empty; writes --junit; judges. Interrupts are caught from here on. Nothing runs if nonsense was
// asked for, if an output is one of the inputs or another output, or if one cannot be written.
FinishedRuns RunIntoFile(std::string_view verb, const std::vector<ScenarioFile>& files,
                         const RunOptions& options, const std::string& stem);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_RUN_OUTPUTS_H_
