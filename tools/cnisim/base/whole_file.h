// Files that appear whole or not at all.
#ifndef CNISIM_TOOLS_CNISIM_BASE_WHOLE_FILE_H_
#define CNISIM_TOOLS_CNISIM_BASE_WHOLE_FILE_H_

#include <string>
#include <string_view>

#include "core/ports/result.h"

namespace cnisim {

// Whether `path` can be written, without doing so: a new or regular file, a link to one, a
// character device such as a terminal, or whatever standard output or error is. Code "usage" if it
// never can, "cannot-write" if the system refuses.
Status CheckWritable(const std::string& path);

// Written beside its place and then renamed, but for devices and standard streams. Replaces what is
// there.
Status WriteWholeFile(const std::string& path, std::string_view bytes);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_WHOLE_FILE_H_
