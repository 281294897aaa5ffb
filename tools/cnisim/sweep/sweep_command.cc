#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>

#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/interrupt.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/base/text.h"
#include "tools/cnisim/sweep/emit.h"
#include "tools/cnisim/sweep/part_folder.h"
#include "tools/cnisim/sweep/sweep_job.h"
#include "tools/cnisim/sweep/sweep_results.h"

namespace cnisim {
namespace {

struct Options {
  ScenarioOptions scenario;
  RunOptions run;
  std::vector<std::string> vary;
  std::vector<std::string> metrics;
  std::string shard;
  std::string emit;
  std::string image;
  int shards = 0;
  bool resume = false;
  OutputFormat format = OutputFormat::kTable;
};

struct Plan {
  LoadedSweep sweep;
  std::vector<Job> jobs;  // of the whole sweep
  Shard shard;
  SweepRecord record;  // of the part that is to be run
  std::string db;
  std::vector<SweptFigure> figures;

  size_t begin() const { return shard.Begin(jobs.size()); }
  size_t end() const { return shard.End(jobs.size()); }
};

std::optional<Plan> MakePlan(const Options& options) {
  if (options.scenario.files.size() != 1) {
    UsageError("sweep: one sweep or scenario, please: cnisim sweep FILE");
    return std::nullopt;
  }
  Plan plan;
  const auto usage = [](const Error& error) {
    ErrorOf("sweep", error);
    return std::nullopt;
  };
  Result<std::vector<SweptFigure>> figures = ParseSweptFigures(options.metrics);
  if (!figures) return usage(figures.error());
  plan.figures = std::move(*figures);
  if (!options.shard.empty()) {
    const Result<Shard> shard = ParseShard(options.shard);
    if (!shard) return usage(shard.error());
    plan.shard = *shard;
  }
  auto sweep = LoadSweep(options.scenario.files.front(), options.scenario.sets, options.vary);
  if (!sweep) return std::nullopt;
  plan.sweep = std::move(*sweep);
  RunOptions run = options.run;
  if (run.seeds.empty() && !run.seed) run.seeds = plan.sweep.spec.seeds;
  Result<std::vector<Job>> jobs = PlanJobs(plan.sweep.cells, run);
  if (!jobs) return usage(jobs.error());
  plan.jobs = std::move(*jobs);
  plan.record = RecordOf(plan.sweep, plan.jobs);
  plan.record.first_job = static_cast<int64_t>(plan.begin());
  plan.db = options.run.db.empty() ? ShardFile(plan.sweep.spec.name, plan.shard) : options.run.db;
  return plan;
}

// Whether the results file is there and is what would be made.
Result<bool> IsMade(const Plan& plan) {
  std::error_code error;
  if (!std::filesystem::exists(plan.db, error)) return false;
  Result<Database> db = Database::OpenReadOnly(plan.db);
  if (!db) return tl::unexpected(db.error());
  const auto record = ReadRecord(*db);
  if (!record) return tl::unexpected(record.error());
  const Result<int64_t> runs = db->QueryInt("SELECT count(*) FROM run");
  if (!runs) return tl::unexpected(runs.error());
  return *record && (*record)->definition == plan.record.definition &&
         (*record)->first_job == plan.record.first_job &&
         *runs == static_cast<int64_t>(plan.end() - plan.begin());
}

ExitCode Tell(const Options& options, const Plan& plan, ExitCode code) {
  return Worse(code, TellSweep(plan.db, plan.figures, options.format));
}

// Runs what is not done yet. The code says whether all of it is.
ExitCode RunRest(const Options& options, const Plan& plan, PartFolder& parts) {
  std::vector<size_t> numbers;
  std::vector<Job> rest;
  for (size_t i = plan.begin(); i < plan.end(); ++i) {
    if (parts.IsDone(i)) continue;
    numbers.push_back(i);
    rest.push_back(plan.jobs[i]);
  }
  const size_t all = plan.end() - plan.begin();
  if (rest.size() < all) {
    Say("cnisim: {} of {} are done already\n", all - rest.size(), Counted(all, "run"));
  }
  parts.Plan(std::move(numbers));
  const std::vector<JobResult> results = RunJobs(rest, options.run, &parts);
  const ExitCode code = Judge(results);
  if (code == ExitCode::kRuntimeError) {
    Say("cnisim: what is done is kept in {}.parts; --resume runs the rest\n", plan.db);
    return ExitCode::kSomeRunsFailed;
  }
  if (code == ExitCode::kInterrupted) {
    Say("cnisim: what is done is kept in {}.parts; --resume goes on with it\n", plan.db);
  }
  return code;
}

// The parts as one file.
Status Assemble(const Options& options, const Plan& plan, const PartFolder& parts) {
  Result<ResultsFile> file = ResultsFile::Create(plan.db, options.run.overwrite);
  if (!file) return tl::unexpected(file.error());
  for (size_t i = plan.begin(); i < plan.end(); ++i) {
    const std::string part = parts.NameOf(i);
    if (Status merged = MergeInto(file->database(), {&part, 1}); !merged) return merged;
  }
  if (Status written = WriteRecord(plan.record, file->database()); !written) return written;
  const Result<std::string> published = file->Publish(/*may_replace=*/true);
  if (!published) return tl::unexpected(published.error());
  return {};
}

ExitCode Sweep(const Options& options) {
  const std::optional<Plan> plan = MakePlan(options);
  if (!plan) return ExitCode::kUsage;
  if (!options.emit.empty()) {
    return Emit({options.emit, options.image, options.shards, options.run.seeds,
                 options.scenario.sets, options.vary},
                plan->sweep, plan->jobs.size());
  }
  const Result<bool> made = IsMade(*plan);
  if (made && *made && options.resume) {
    Say("cnisim: {} has all of it already\n", plan->db);
    return Tell(options, *plan, ExitCode::kOk);
  }
  std::error_code error;
  if (std::filesystem::exists(plan->db, error) && !options.run.overwrite) {
    return UsageError(
        fmt::format("sweep: {}: it exists; --overwrite replaces it, another --db "
                    "leaves it",
                    plan->db));
  }
  CatchInterrupts();
  using IfThere = PartFolder::IfThere;
  Result<PartFolder> parts = PartFolder::Open(plan->db, plan->record.definition,
                                              options.resume          ? IfThere::kGoOn
                                              : options.run.overwrite ? IfThere::kBeginAnew
                                                                      : IfThere::kRefuse);
  if (!parts) return ErrorOf("sweep", parts.error());
  const ExitCode code = RunRest(options, *plan, *parts);
  if (code == ExitCode::kInterrupted || code == ExitCode::kSomeRunsFailed) return code;
  if (const Status assembled = Assemble(options, *plan, *parts); !assembled) {
    return ErrorOf("sweep", assembled.error());
  }
  parts->Remove(plan->jobs.size());
  return Tell(options, *plan, code);
}

}  // namespace

Command AddSweep(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("-f,--file,FILE", options->scenario.files, "Sweep, or the scenario to vary")
      ->type_name("");
  AddSetOption(app, options->scenario.sets);
  app.add_option("--vary", options->vary,
                 "Run with each value, e.g. network.env.WARM_IP_TARGET=2,5,10\n"
                 "(repeatable: every combination)")
      ->type_name("KEY=A,B,C")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  AddSimulationOptions(app, options->run);
  AddResultsOptions(app, options->run);
  app.add_flag("--resume", options->resume, "Go on with what an earlier sweep has done");
  auto* shard =
      app.add_option("--shard", options->shard, "Run one part of many: 2/4")->type_name("I/N");
  auto* emit = app.add_option("--emit", options->emit,
                              "Print what runs the sweep elsewhere: slurm or kubernetes")
                   ->type_name("ENGINE")
                   ->check(CLI::IsMember({"slurm", "kubernetes"}).description(""))
                   ->excludes(shard);
  app.add_option("--shards", options->shards, "Parts to run it in (default: one a cell)")
      ->type_name("N")
      ->check(CLI::Range(1, static_cast<int>(kMaxCells)).description(""))
      ->needs(emit);
  app.add_option("--image", options->image, "Container image with cnisim")
      ->type_name("IMAGE")
      ->needs(emit);
  AddMetricOption(app, options->metrics);
  AddOutputOption(app, options->format);
  app.footer(
      "Results go to NAME.db (a shard's to NAME-2of4.db). Until all runs are done they are kept "
      "in\n"
      "NAME.db.parts. Exit codes as of `cnisim run`; 6: some runs failed, the others are kept.");
  return [options] { return Sweep(*options); };
}

}  // namespace cnisim
