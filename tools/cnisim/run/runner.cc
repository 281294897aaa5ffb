#include "tools/cnisim/run/runner.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "results/fan_out.h"
#include "results/fingerprint.h"
#include "results/recorder.h"
#include "sim/cluster/world.h"
#include "sim/scenario/advice/advice.h"
#include "tools/cnisim/base/interrupt.h"
#include "tools/cnisim/base/progress.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/run/log_directory.h"

namespace cnisim {
namespace {

constexpr size_t kMaxViolationsTold = 10;

// Linux counts in KiB.
int64_t PeakRssBytes() {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

// What the loader and advice warned about and what the world found broken become findings of the
// run; they are no part of the record stream, so the fingerprint does not see them.
void TellWarnings(const std::vector<Diagnostic>& told, Observer& observer) {
  for (const Diagnostic& d : told) {
    if (d.kind != DiagnosticKind::kWarning) continue;
    Finding finding;
    finding.code = d.code;
    finding.severity = Severity::kWarning;
    finding.text = d.message;
    observer.OnFinding(finding);
  }
}

void TellViolations(const WorldResult& result, Observer& observer) {
  for (const std::string& violation : result.violations) {
    Finding finding;
    finding.code = "invariant-violated";
    finding.severity = Severity::kError;
    finding.time = result.ended;
    finding.text = violation;
    observer.OnFinding(finding);
  }
}

void TellNetworkFindings(const WorldResult& result, Observer& observer) {
  for (const NetworkFinding& found : result.network_findings) {
    Finding finding;
    finding.code = found.code;
    finding.severity = Severity::kError;
    finding.time = std::max(found.time, kTimeZero);
    finding.text = found.text;
    observer.OnFinding(finding);
  }
}

RunStatus StatusOf(const WorldResult& result) {
  if (!result.violations.empty()) return RunStatus::kViolated;
  return result.interrupted ? RunStatus::kInterrupted : RunStatus::kOk;
}

class Runner {
 public:
  Runner(std::span<const Job> jobs, const RunOptions& options, RunStore* store,
         ProgressLine& progress)
      : jobs_(jobs), options_(options), store_(store), progress_(progress), slots_(jobs.size()) {}

  std::vector<JobResult> Run() {
    const auto processors = static_cast<int>(std::thread::hardware_concurrency());
    const int threads = std::clamp(options_.jobs > 0 ? options_.jobs : processors, 1,
                                   std::max(1, static_cast<int>(jobs_.size())));
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) {
      try {
        workers.emplace_back([this] { Work(); });
      } catch (const std::system_error&) {
        // There may be no more; fewer do it too.
        if (workers.empty()) throw;
        break;
      }
    }
    std::vector<JobResult> results;
    for (size_t i = 0; i < jobs_.size(); ++i) Collect(i, results);
    for (std::thread& worker : workers) worker.join();
    return results;
  }

 private:
  struct Slot {
    bool done = false;
    bool started = false;
    JobResult result;
  };

  void Work() {
    for (size_t i = next_++; i < jobs_.size(); i = next_++) {
      Slot slot;
      if (!StopFlag()) {
        slot.started = true;
        try {
          slot.result = RunOne(i);
        } catch (const std::exception& e) {
          slot.result.error = e.what();
          RequestStop();
        }
      }
      slot.done = true;
      const std::lock_guard lock(mutex_);
      slots_[i] = std::move(slot);
      job_done_.notify_one();
    }
  }

  // Waits for job `i` and hands its rows on.
  void Collect(size_t i, std::vector<JobResult>& results) {
    Slot slot;
    {
      std::unique_lock lock(mutex_);
      job_done_.wait(lock, [&] { return slots_[i].done; });
      slot = std::move(slots_[i]);
    }
    if (!slot.started) return;
    if (store_ != nullptr) {
      const Status collected = store_->Collect(i, slot.result.error.empty() && !failed_);
      if (!collected) slot.result.error = collected.error().message;
    }
    if (!slot.result.error.empty()) {
      failed_ = true;
      RequestStop();
    }
    results.push_back(std::move(slot.result));
  }

  JobResult RunOne(size_t i) {
    const Job& job = jobs_[i];
    const LoadedScenario& loaded = job.file->loaded;
    JobResult result;

    Database* database = nullptr;
    if (store_ != nullptr) {
      const Result<Database*> opened = store_->Open(i);
      if (!opened) {
        result.error = opened.error().message;
        RequestStop();
        return result;
      }
      database = *opened;
    }

    Fingerprint fingerprint;
    Summary summary(kTimeZero + loaded.scenario.measure_from);
    std::vector<Observer*> observers{&fingerprint, &summary};
    std::unique_ptr<Recorder> recorder;
    if (database != nullptr) {
      recorder = std::make_unique<Recorder>(*database, InfoOf(job), loaded.scenario.record);
      observers.push_back(recorder.get());
    }
    FanOut all(observers);
    // Warnings need no fingerprint: everything but the first observer.
    FanOut notes(std::vector<Observer*>(observers.begin() + 1, observers.end()));
    TellWarnings(loaded.warnings, notes);
    TellWarnings(Advise(loaded), notes);

    std::optional<LogDirectory> logs;
    if (!options_.log_dir.empty()) {
      logs.emplace(LogDirectoryOf(job), std::set<std::string, std::less<>>(
                                            options_.log_nodes.begin(), options_.log_nodes.end()));
    }

    const auto begin = std::chrono::steady_clock::now();
    const WorldResult world = RunWorld(loaded.scenario, job.seed, all,
                                       WorldOptionsFor(i, recorder.get(), logs ? &*logs : nullptr));
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    TellViolations(world, notes);
    TellNetworkFindings(world, notes);

    result.figures = FiguresOf(loaded.scenario, summary);
    result.violations = world.violations;
    RunFigures& figures = result.figures;
    figures.file = job.file->name;
    figures.network = job.file->network;
    figures.seed = job.seed;
    figures.repetition = job.repetition;
    figures.status = StatusOf(world);
    figures.simulated = world.ended.time_since_epoch();
    figures.events = world.events;
    figures.wall_seconds = wall.count();
    figures.peak_rss_bytes = PeakRssBytes();
    figures.fingerprint = fingerprint.text();
    // Half a run says nothing about what was expected of the whole.
    if (!world.interrupted) figures.expectations = Evaluate(loaded.scenario.expectations, summary);
    if (recorder != nullptr) {
      RunOutcome outcome{figures.status,         world.ended,
                         figures.events,         figures.wall_seconds,
                         figures.peak_rss_bytes, figures.fingerprint};
      Status finished = recorder->Finish(outcome, summary, figures.expectations);
      const bool whole = finished && figures.status != RunStatus::kInterrupted;
      const Status closed = store_->Close(i, !finished ? RowsAre::kBad
                                             : whole   ? RowsAre::kWhole
                                                       : RowsAre::kCutShort);
      if (finished) finished = closed;
      if (!finished) {
        result.error = finished.error().message;
        RequestStop();
      }
    }
    if (logs) {
      for (const std::string& node : logs->Missing()) {
        Say("cnisim: --log-nodes {}: there was no such node\n", node);
      }
      if (const Status written = logs->Finish(); !written && result.error.empty()) {
        result.error = written.error().message;
        RequestStop();
      }
    }
    if (options_.verify && !world.interrupted && result.error.empty()) {
      result.second_fingerprint = SecondFingerprint(i);
    }
    result.replay = ReplayOf(job);
    progress_.Finish(i, figures.simulated);
    return result;
  }

  // Empty if it was interrupted.
  std::string SecondFingerprint(size_t i) {
    Fingerprint fingerprint;
    const WorldResult world = RunWorld(jobs_[i].file->loaded.scenario, jobs_[i].seed, fingerprint,
                                       WorldOptionsFor(i, nullptr, nullptr));
    return world.interrupted ? "" : fingerprint.text();
  }

  std::filesystem::path LogDirectoryOf(const Job& job) const {
    const std::filesystem::path root = options_.log_dir;
    if (jobs_.size() == 1) return root;
    std::string name = job.file->loaded.scenario.name;
    if (!job.file->network.empty()) name += "-" + job.file->network;
    return root / fmt::format("{}-{}", name, job.seed);
  }

  WorldOptions WorldOptionsFor(size_t i, const Recorder* recorder, LogDirectory* logs) {
    WorldOptions world;
    world.check_invariants = options_.check;
    world.interrupt = &StopFlag();
    world.logs = logs;
    world.progress = [this, i, recorder, logs](const Progress& p) {
      progress_.Update(i, p);
      if (recorder != nullptr && recorder->failed()) RequestStop();
      if (logs != nullptr && logs->failed()) RequestStop();
    };
    return world;
  }

  RunInfo InfoOf(const Job& job) const {
    const LoadedScenario& loaded = job.file->loaded;
    RunInfo info;
    info.scenario = loaded.scenario.name;
    info.seed = job.seed;
    info.repetition = job.repetition;
    info.cell = job.cell;
    info.version = CNISIM_VERSION;
    info.resolved_yaml = loaded.resolved_yaml;
    info.measure_from = kTimeZero + loaded.scenario.measure_from;
    info.params = job.file->params;
    return info;
  }

  std::string ReplayOf(const Job& job) const {
    std::string replay = fmt::format("cnisim run {} --seed {} --check", job.file->name, job.seed);
    if (!job.file->network.empty()) replay += " --network " + job.file->network;
    for (const std::string& set : job.file->sets) replay += fmt::format(" --set '{}'", set);
    return replay;
  }

  const std::span<const Job> jobs_;
  const RunOptions& options_;
  RunStore* const store_;
  ProgressLine& progress_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable job_done_;
  std::vector<Slot> slots_;
  bool failed_ = false;  // only the collecting thread looks
};

}  // namespace

Result<std::vector<Job>> PlanJobs(std::span<const ScenarioFile> files, const RunOptions& options) {
  std::vector<uint64_t> given;
  if (!options.seeds.empty()) {
    Result<std::vector<uint64_t>> parsed = ParseSeeds(options.seeds);
    if (!parsed) return tl::unexpected(parsed.error());
    given = std::move(*parsed);
  }
  std::vector<Job> jobs;
  int cell = 0;
  for (const ScenarioFile& file : files) {
    const Scenario& scenario = file.loaded.scenario;
    const uint64_t first = options.seed.value_or(scenario.seed);
    const int repetitions = given.empty() ? scenario.repetitions : static_cast<int>(given.size());
    for (int i = 0; i < repetitions; ++i) {
      const auto n = static_cast<size_t>(i);
      jobs.push_back({&file, cell, i, given.empty() ? first + n : given[n]});
    }
    ++cell;
  }
  return jobs;
}

std::vector<JobResult> RunJobs(std::span<const Job> jobs, const RunOptions& options,
                               RunStore* store) {
  Duration total{};
  for (const Job& job : jobs) total += job.file->loaded.scenario.duration;
  ProgressLine progress(!options.no_progress, static_cast<int>(jobs.size()), total);
  std::vector<JobResult> results = Runner(jobs, options, store, progress).Run();
  progress.Clear();
  return results;
}

bool AllWritten(std::span<const JobResult> results) {
  return std::ranges::all_of(results, [](const JobResult& r) { return r.error.empty(); });
}

ExitCode Judge(std::span<const JobResult> results) {
  ExitCode code = Interrupted() ? ExitCode::kInterrupted : ExitCode::kOk;
  const auto first_error =
      std::ranges::find_if(results, [](const JobResult& r) { return !r.error.empty(); });
  if (first_error != results.end()) {
    Say("cnisim: {}\n", first_error->error);
    code = Worse(code, ExitCode::kRuntimeError);
  }
  for (const JobResult& result : results) {
    const RunFigures& run = result.figures;
    if (!result.violations.empty()) {
      Say("cnisim: {} (seed {}): an invariant of the core was violated\n", run.scenario, run.seed);
      for (size_t i = 0; i < std::min(result.violations.size(), kMaxViolationsTold); ++i) {
        Say("  {}\n", result.violations[i]);
      }
      if (result.violations.size() > kMaxViolationsTold) {
        Say("  and {} more\n", result.violations.size() - kMaxViolationsTold);
      }
      Say("  to see it again: {}\n", result.replay);
      code = Worse(code, ExitCode::kInvariantViolated);
    }
    if (result.mismatch()) {
      Say("cnisim: {} (seed {}) is not deterministic: fingerprints {} and {}\n", run.scenario,
          run.seed, run.fingerprint, result.second_fingerprint);
      code = Worse(code, ExitCode::kNotDeterministic);
    }
    if (run.expectation_failed()) code = Worse(code, ExitCode::kExpectationFailed);
  }
  return code;
}

}  // namespace cnisim
