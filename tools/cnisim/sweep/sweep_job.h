// A sweep that is ready to run: its cells loaded, its jobs planned, its identity known.
#ifndef CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_JOB_H_
#define CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_JOB_H_

#include <optional>
#include <string>
#include <vector>

#include "results/database.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/run/runner.h"
#include "tools/cnisim/sweep/sweep_spec.h"

namespace cnisim {

struct LoadedSweep {
  SweepSpec spec;
  std::vector<ScenarioFile> cells;
  std::vector<std::filesystem::path> files;  // all that were read
};
// `path` is a sweep, or a scenario that `vary` varies. Errors and warnings go to standard error;
// nothing if there are errors.
std::optional<LoadedSweep> LoadSweep(const std::string& path, const std::vector<std::string>& sets,
                                     const std::vector<std::string>& vary);

// Part i of n, from 1: consecutive jobs, as many in each as can be.
struct Shard {
  size_t index = 1;
  size_t count = 1;

  size_t Begin(size_t jobs) const { return jobs * (index - 1) / count; }
  size_t End(size_t jobs) const { return jobs * index / count; }
};
// "2/4". Code "usage".
Result<Shard> ParseShard(std::string_view text);
// Its results file: "NAME.db", "NAME-2of4.db".
std::string ShardFile(const std::string& name, const Shard& shard);

// What a results file says of the sweep that it is, or is part of.
struct SweepRecord {
  std::string name;
  std::string definition;  // the same for all parts, and for nothing else
  int64_t cells = 0;
  int64_t jobs = 0;       // of the whole sweep
  int64_t first_job = 0;  // that the file has; the others follow
};
// `jobs` are all of the sweep's.
SweepRecord RecordOf(const LoadedSweep& sweep, std::span<const Job> jobs);
Status WriteRecord(const SweepRecord& record, Database& db);
// Empty if the file is no sweep's.
Result<std::optional<SweepRecord>> ReadRecord(Database& db);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_JOB_H_
