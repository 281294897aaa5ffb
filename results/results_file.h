// The life of a results file: it appears under its name only when it is complete.
//
// While it is written it is NAME.partial beside its final place, held by a file lock so that two
// writers never share it. Publish renames it; a ResultsFile that goes away before leaves nothing.
// A .partial that a killed process left behind is taken over; anything else of that name is left
// alone (own_file.h), and nothing but a results file or an empty file is ever replaced.
//
// Errors have code "results", "busy" if another process writes the file, or "usage" if what was
// asked for is not to be done.
#ifndef CNISIM_RESULTS_RESULTS_FILE_H_
#define CNISIM_RESULTS_RESULTS_FILE_H_

#include <optional>
#include <string>

#include "core/ports/result.h"
#include "results/database.h"

namespace cnisim {

class ResultsFile {
 public:
  // Fails if `path` exists, unless `overwrite` is set and it is one that may be replaced. Of a link
  // that is the file that it leads to.
  static Result<ResultsFile> Create(const std::string& path, bool overwrite);
  // stem.db, or stem-2.db, stem-3.db...: the first that neither exists nor is being written.
  static Result<ResultsFile> CreateNew(const std::string& stem);

  ResultsFile(ResultsFile&&) noexcept;
  ResultsFile& operator=(ResultsFile&&) = delete;
  ~ResultsFile();

  Database& database() { return *database_; }
  const std::string& path() const { return path_; }

  // Names for the files of runs that are written in parallel, n = 1, 2, ...; drop them in order.
  std::string ScratchName(int n) const;
  void DropScratch(int n);

  // Makes the indexes, closes the file, flushes it to the disk and gives it its name, which is
  // returned: NAME-2.db and so on if what stands under its own must stay. `may_replace`: whether
  // these results are worth those that `overwrite` was to replace.
  Result<std::string> Publish(bool may_replace);

 private:
  ResultsFile(std::string path, std::string target, bool overwrite);
  static Result<ResultsFile> Open(ResultsFile file);

  std::string path_;    // as given
  std::string target_;  // where it leads to
  std::string partial_;
  bool overwrite_;
  int lock_ = -1;
  bool listed_ = false;  // for RemoveUnfinishedFiles
  std::optional<Database> database_;
};

// Removes the .partial and scratch files of this process's first ResultsFile that is not published,
// for a process that is about to end. Safe in a signal handler and without memory.
void RemoveUnfinishedFiles() noexcept;

}  // namespace cnisim

#endif  // CNISIM_RESULTS_RESULTS_FILE_H_
