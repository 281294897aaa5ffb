// Where the rows of runs go while they are simulated in parallel.
#ifndef CNISIM_TOOLS_CNISIM_RUN_RUN_STORE_H_
#define CNISIM_TOOLS_CNISIM_RUN_RUN_STORE_H_

#include <cstddef>
#include <map>
#include <mutex>

#include "results/results_file.h"

namespace cnisim {

// What has become of a job's rows.
enum class RowsAre { kWhole, kCutShort, kBad };

class RunStore {
 public:
  virtual ~RunStore() = default;
  // An empty database for the rows of a job, which stays the store's. Any thread.
  virtual Result<Database*> Open(size_t job) = 0;
  // No more rows come. The thread that opened it.
  virtual Status Close(size_t job, RowsAre rows) = 0;
  // Once each job is closed, in their order, from one thread. `good`: neither it nor an earlier
  // job failed.
  virtual Status Collect(size_t job, bool good) = 0;
};

// All runs in one file: a single one writes there, several write files of their own that are
// appended in order and dropped.
class OneFileStore final : public RunStore {
 public:
  OneFileStore(ResultsFile& file, size_t jobs) : file_(file), alone_(jobs == 1) {}

  Result<Database*> Open(size_t job) override;
  Status Close(size_t job, RowsAre rows) override;
  Status Collect(size_t job, bool good) override;

 private:
  static int ScratchNumber(size_t job) { return static_cast<int>(job) + 1; }

  ResultsFile& file_;
  const bool alone_;
  std::mutex mutex_;
  std::map<size_t, Database> open_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_RUN_RUN_STORE_H_
