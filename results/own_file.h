// Which files cnisim may write over: its own results files, of any version, and empty ones.
// Whatever else stands under a name (a link, a device, a pipe, somebody's text) is left as it is.
//
// A results file is known by SQLite's header: the magic text at byte 0 and the application id, big
// endian, at byte 68 (https://www.sqlite.org/fileformat2.html, 1.3).
#ifndef CNISIM_RESULTS_OWN_FILE_H_
#define CNISIM_RESULTS_OWN_FILE_H_

#include <string>

#include "core/ports/result.h"

namespace cnisim {

// Whether the open file is a regular one that is empty or a results file.
bool IsOwnFile(int fd);
// The same of the file named `path`, links followed.
bool IsOwnFile(const std::string& path);

// Opens `path` for reading and writing: a new file, or one of our own with its content as it is.
// Links are not followed, nor is a file taken that has another name too. The caller closes it.
// Errors have code "results".
Result<int> OpenOwnFile(const std::string& path);

}  // namespace cnisim

#endif  // CNISIM_RESULTS_OWN_FILE_H_
