#include "tools/cnisim/run/outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>

#include "core/ports/result.h"
#include "results/results_file.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/interrupt.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/run/junit.h"
#include "tools/cnisim/run/log_directory.h"

namespace cnisim {
namespace {

namespace fs = std::filesystem;

// Whether both names lead to one file, which need not exist.
bool SameFile(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return fs::is_regular_file(a, error);
  const fs::path canonical = fs::weakly_canonical(a, error);
  return !error && canonical == fs::weakly_canonical(b, error) && !error;
}

Status CheckInputs(const std::string& output, std::span<const ScenarioFile> files) {
  for (const ScenarioFile& file : files) {
    std::vector<fs::path> inputs = file.loaded.files;
    inputs.emplace_back(file.path());
    const auto same = std::ranges::find_if(
        inputs, [&](const fs::path& input) { return SameFile(output, input); });
    if (same != inputs.end()) {
      return Fail("usage", fmt::format("{}: it is an input; results do not replace it", output));
    }
  }
  return {};
}

bool Complete(std::span<const Job> jobs, std::span<const JobResult> results) {
  return results.size() == jobs.size() && std::ranges::none_of(results, [](const JobResult& r) {
           return r.figures.status == RunStatus::kInterrupted;
         });
}

// The results file of --db, or a new one named `stem`.db; none if both are empty. Fails, with code
// "usage" if it was asked for nonsense, if that or --junit's file is one of the inputs, if they are
// the same file, or if one of them cannot be written.
Result<std::optional<ResultsFile>> CreateOutputs(std::span<const ScenarioFile> files,
                                                 const RunOptions& options,
                                                 const std::string& stem) {
  for (const std::string& output : {options.db, options.junit}) {
    if (output.empty()) continue;
    if (Status s = CheckInputs(output, files); !s) return tl::unexpected(s.error());
  }
  if (!options.log_dir.empty()) {
    for (const ScenarioFile& file : files) {
      if (file.loaded.scenario.network.plugin == Plugin::kAwsVpcCni) continue;
      return Fail(
          "usage",
          fmt::format("--log-dir: only nodes with plugin aws-vpc-cni write such logs; {} has "
                      "another",
                      file.name));
    }
    if (Status s = CreateLogDirectory(options.log_dir, options.overwrite); !s) {
      return tl::unexpected(s.error());
    }
  }
  if (!options.junit.empty()) {
    if (Status s = CheckJunit(options.junit); !s) return tl::unexpected(s.error());
  }
  std::optional<ResultsFile> file;
  if (options.db.empty() && stem.empty()) return file;
  Result<ResultsFile> created = options.db.empty()
                                    ? ResultsFile::CreateNew(stem)
                                    : ResultsFile::Create(options.db, options.overwrite);
  if (!created) return tl::unexpected(created.error());
  file.emplace(std::move(*created));
  for (const char* suffix : {"", ".partial"}) {
    if (!options.junit.empty() && SameFile(options.junit, file->path() + suffix)) {
      return Fail("usage", fmt::format("--junit {}: that is the results file", options.junit));
    }
  }
  return file;
}

// Gives the results file its name, and tells it unless it is as expected. `name` gets it.
ExitCode PublishResults(ResultsFile& file, bool complete, const RunOptions& options,
                        std::string& name) {
  Result<std::string> published = file.Publish(/*may_replace=*/complete);
  if (!published) return RuntimeError(published.error().message);
  name = std::move(*published);
  // A name that nobody gave may change.
  if (options.db.empty() || name == file.path()) return ExitCode::kOk;
  if (!complete && options.overwrite) {
    Say("cnisim: {} stays: an interrupted run does not replace it; its results are in {}\n",
        file.path(), name);
    return ExitCode::kOk;
  }
  return RuntimeError(fmt::format("{}: something else has that name by now; the results are in {}",
                                  file.path(), name));
}

// That several runs were interrupted: how many there are, in words and in the file.
void TellHowFar(size_t jobs, std::vector<JobResult>& results, ResultsFile* file) {
  const auto cut_short = static_cast<size_t>(std::ranges::count_if(
      results, [](const JobResult& r) { return r.figures.status == RunStatus::kInterrupted; }));
  if (results.size() == jobs && cut_short == 0) return;
  const std::string text =
      fmt::format("interrupted: of {} runs {} were finished, {} cut short and {} not begun", jobs,
                  results.size() - cut_short, cut_short, jobs - results.size());
  Say("cnisim: {}\n", text);
  if (file == nullptr || results.empty() || !AllWritten(results)) return;
  const Status noted = file->database().Execute(
      fmt::format("INSERT INTO finding(run_id, code, severity, time_ns, text) SELECT run_id, "
                  "'sweep-interrupted', 'warning', sim_ns, '{}' FROM run "
                  "ORDER BY run_id DESC LIMIT 1",
                  text));
  if (!noted) results.back().error = noted.error().message;
}

}  // namespace

FinishedRuns RunIntoFile(std::string_view verb, const std::vector<ScenarioFile>& files,
                         const RunOptions& options, const std::string& stem) {
  FinishedRuns done;
  Result<std::vector<Job>> jobs = PlanJobs(files, options);
  if (!jobs) {
    done.code = ErrorOf(verb, jobs.error());
    return done;
  }
  done.jobs = *std::move(jobs);
  CatchInterrupts();
  Result<std::optional<ResultsFile>> outputs = CreateOutputs(files, options, stem);
  if (!outputs) {
    done.code = ErrorOf(verb, outputs.error());
    return done;
  }
  ResultsFile* const file = *outputs ? &**outputs : nullptr;
  std::optional<OneFileStore> store;
  if (file != nullptr) store.emplace(*file, done.jobs.size());
  done.results = RunJobs(done.jobs, options, store ? &*store : nullptr);
  if (Interrupted() && done.jobs.size() > 1) TellHowFar(done.jobs.size(), done.results, file);
  done.ran = true;
  done.complete = Complete(done.jobs, done.results);
  done.code = Judge(done.results);
  if (file != nullptr && AllWritten(done.results) && !done.results.empty()) {
    done.code = Worse(done.code, PublishResults(*file, done.complete, options, done.name));
  }
  if (options.junit.empty() || (file != nullptr && done.name.empty())) return done;
  std::vector<RunFigures> runs;
  for (const JobResult& result : done.results) runs.push_back(result.figures);
  if (const Status written = WriteJunit(runs, options.junit); !written) {
    done.code = Worse(done.code, RuntimeError(written.error().message));
  }
  return done;
}

}  // namespace cnisim
