// The runs of a sweep that are done, each a results file of its own, until all are and become one.
//
// FILE.parts beside the results file FILE holds run-0.db, run-1.db, ... (numbered as the sweep's
// jobs) and `sweep`, which says what sweep that is and is locked while somebody works on it. A run
// is there under its name only when it is whole, so a sweep that was killed goes on where it was.
#ifndef CNISIM_TOOLS_CNISIM_SWEEP_PART_FOLDER_H_
#define CNISIM_TOOLS_CNISIM_SWEEP_PART_FOLDER_H_

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "tools/cnisim/run/run_store.h"

namespace cnisim {

class PartFolder final : public RunStore {
 public:
  enum class IfThere { kRefuse, kGoOn, kBeginAnew };

  // For the sweep whose definition is `definition`, a word. Errors: code "usage" if an unfinished
  // sweep is there and is to be left alone or is another one; "busy" if another process works on
  // it; "results".
  static Result<PartFolder> Open(const std::string& results_file, const std::string& definition,
                                 IfThere if_there);
  PartFolder(PartFolder&& other) noexcept;
  PartFolder& operator=(PartFolder&&) = delete;
  ~PartFolder() override;

  // Whether the job's run is there.
  bool IsDone(size_t job) const;
  // The number of each job that will be run, in their order: what RunStore calls job 0, 1, ...
  void Plan(std::vector<size_t> jobs) { planned_ = std::move(jobs); }

  Result<Database*> Open(size_t job) override;
  Status Close(size_t job, RowsAre rows) override;
  Status Collect(size_t, bool) override { return {}; }

  std::string NameOf(size_t job) const;
  // All of it, once it is worth nothing any more. What is not ours in it stays, and so the folder.
  void Remove(size_t jobs);

 private:
  explicit PartFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
  int lock_ = -1;
  std::vector<size_t> planned_;
  std::mutex mutex_;
  std::map<size_t, Database> open_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_SWEEP_PART_FOLDER_H_
