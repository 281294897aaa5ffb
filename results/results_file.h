// The life of a results file: it appears under its name only when it is complete.
//
// While it is written it is NAME.partial beside its final place, held by a file lock so that two
// writers never share it. Publish renames it; a ResultsFile that goes away before leaves nothing.
// A .partial that a killed process left behind is taken over.
#ifndef CNISIM_RESULTS_RESULTS_FILE_H_
#define CNISIM_RESULTS_RESULTS_FILE_H_

#include <optional>
#include <string>

#include "core/ports/result.h"
#include "results/database.h"

namespace cnisim {

// The name of a new file for `stem`: stem.db, or stem-2.db, stem-3.db... if that exists.
std::string FreeDatabaseName(const std::string& stem);

class ResultsFile {
 public:
  // Fails if `path` exists and `overwrite` is not set, or if it cannot be written.
  static Result<ResultsFile> Create(const std::string& path, bool overwrite);

  ResultsFile(ResultsFile&&) noexcept;
  ResultsFile& operator=(ResultsFile&&) = delete;
  ~ResultsFile();

  Database& database() { return *database_; }
  const std::string& path() const { return path_; }
  // Makes the indexes, closes the file, flushes it to the disk and gives it its name.
  Status Publish();

 private:
  ResultsFile(std::string path, bool overwrite);

  std::string path_;
  std::string partial_;
  bool overwrite_;
  int lock_ = -1;
  std::optional<Database> database_;
};

}  // namespace cnisim

#endif  // CNISIM_RESULTS_RESULTS_FILE_H_
