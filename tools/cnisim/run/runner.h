// Runs scenarios and their repetitions over threads. What comes out does not depend on the number
// of threads.
#ifndef CNISIM_TOOLS_CNISIM_RUN_RUNNER_H_
#define CNISIM_TOOLS_CNISIM_RUN_RUNNER_H_

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/cnisim/base/exit_code.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/run/figures.h"
#include "tools/cnisim/run/run_store.h"

namespace cnisim {

struct Job {
  const ScenarioFile* file = nullptr;
  int cell = 0;  // the file's number
  int repetition = 0;
  uint64_t seed = 0;
};

// One job for each repetition or seed of each file, files in order.
Result<std::vector<Job>> PlanJobs(std::span<const ScenarioFile> files, const RunOptions& options);

struct JobResult {
  RunFigures figures;
  std::vector<std::string> violations;
  std::string second_fingerprint;  // with --verify
  std::string replay;              // the command that runs it again with all checks
  std::string error;               // why its rows could not be written, or why it ended

  bool mismatch() const {
    return !second_fingerprint.empty() && second_fingerprint != figures.fingerprint;
  }
};

// Runs them with a progress line, if `options` want one. Results in the order of the jobs; those
// that an interrupt kept from starting are missing. `store` may be null. Once a result cannot be
// written the rest is given up.
std::vector<JobResult> RunJobs(std::span<const Job> jobs, const RunOptions& options,
                               RunStore* store);

// False if some rows could not be written: then there is no results file.
bool AllWritten(std::span<const JobResult> results);

// Tells violations, mismatches and the first error on standard error and says what they come to.
ExitCode Judge(std::span<const JobResult> results);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_RUN_RUNNER_H_
