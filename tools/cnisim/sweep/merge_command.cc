#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "results/results_file.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/interrupt.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/sweep/sweep_results.h"

namespace cnisim {
namespace {

struct Options {
  std::vector<std::string> files;
  RunOptions run;  // --db and --overwrite
  std::vector<std::string> metrics;
  bool if_complete = false;
  OutputFormat format = OutputFormat::kTable;
};

struct Part {
  std::string file;
  SweepRecord record;
  int64_t runs = 0;

  int64_t end() const { return record.first_job + runs; }
};

Result<Part> ReadPart(const std::string& file) {
  Result<Database> db = Database::OpenReadOnly(file);
  if (!db) return tl::unexpected(db.error());
  const auto record = ReadRecord(*db);
  if (!record) return tl::unexpected(record.error());
  if (!*record) return Fail("usage", fmt::format("{}: it is no part of a sweep", file));
  const Result<int64_t> runs = db->QueryInt("SELECT count(*) FROM run");
  if (!runs) return tl::unexpected(runs.error());
  return Part{file, **record, *runs};
}

// In the order of their jobs.
Result<std::vector<Part>> ReadParts(const std::vector<std::string>& files) {
  std::vector<Part> parts;
  for (const std::string& file : files) {
    Result<Part> part = ReadPart(file);
    if (!part) return tl::unexpected(part.error());
    if (!parts.empty() && part->record.definition != parts.front().record.definition) {
      return Fail("usage", fmt::format("{} and {} are parts of different sweeps: their scenarios, "
                                       "settings, seeds or cnisim differ",
                                       parts.front().file, file));
    }
    parts.push_back(std::move(*part));
  }
  std::ranges::sort(parts, {}, [](const Part& part) { return part.record.first_job; });
  return parts;
}

// Jobs that no part has, in words; empty if there are none. Fails if two parts have one.
Result<std::string> Missing(const std::vector<Part>& parts) {
  int64_t next = 0;
  std::string missing;
  const auto lack = [&](int64_t until) {
    if (next >= until) return;
    missing += fmt::format("{}{} to {}", missing.empty() ? "" : ", ", next + 1, until);
  };
  for (const Part& part : parts) {
    if (part.record.first_job < next) {
      return Fail("usage", fmt::format("{}: another part has runs of it too", part.file));
    }
    lack(part.record.first_job);
    next = part.end();
  }
  lack(parts.front().record.jobs);
  return missing;
}

ExitCode Merge(const Options& options) {
  if (options.files.empty()) return UsageError("merge: no parts; cnisim merge PART PART...");
  const Result<std::vector<SweptFigure>> figures = ParseSweptFigures(options.metrics);
  if (!figures) return ErrorOf("merge", figures.error());
  const Result<std::vector<Part>> parts = ReadParts(options.files);
  if (!parts) return ErrorOf("merge", parts.error());
  const Result<std::string> missing = Missing(*parts);
  if (!missing) return ErrorOf("merge", missing.error());
  SweepRecord record = parts->front().record;
  if (!missing->empty()) {
    const std::string text = fmt::format("of {} runs of sweep '{}' these are missing: {}",
                                         record.jobs, record.name, *missing);
    if (!options.if_complete) return UsageError("merge: " + text);
    Say("cnisim: {}\n", text);
    return ExitCode::kOk;
  }
  const std::string path = options.run.db.empty() ? record.name + ".db" : options.run.db;
  for (const Part& part : *parts) {
    std::error_code error;
    if (!std::filesystem::equivalent(part.file, path, error)) continue;
    return UsageError(fmt::format("merge: {}: it is an input", path));
  }
  CatchInterrupts();
  Result<ResultsFile> file = ResultsFile::Create(path, options.run.overwrite);
  if (!file) return ErrorOf("merge", file.error());
  for (const Part& part : *parts) {
    if (Interrupted()) return ExitCode::kInterrupted;
    if (const Status merged = MergeInto(file->database(), {&part.file, 1}); !merged) {
      return RuntimeError(merged.error().message);
    }
  }
  record.first_job = 0;
  if (const Status written = WriteRecord(record, file->database()); !written) {
    return RuntimeError(written.error().message);
  }
  const Result<std::string> published = file->Publish(/*may_replace=*/true);
  if (!published) return RuntimeError(published.error().message);
  return TellSweep(*published, *figures, options.format);
}

}  // namespace

Command AddMerge(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("PART", options->files, "Results files of `cnisim sweep --shard`")->type_name("");
  AddResultsOptions(app, options->run);
  app.add_flag("--if-complete", options->if_complete, "Do nothing while parts are missing");
  AddMetricOption(app, options->metrics);
  AddOutputOption(app, options->format);
  app.footer("The file is the same as that of the sweep in one go. Results go to NAME.db.");
  return [options] { return Merge(*options); };
}

}  // namespace cnisim
