// A whole file as text.
#ifndef CNISIM_SIM_SCENARIO_FILE_READER_H_
#define CNISIM_SIM_SCENARIO_FILE_READER_H_

#include <filesystem>
#include <string>

#include "core/ports/result.h"

namespace cnisim {

// Fails with code "cannot-read" and the system's reason. At most 1 GiB.
Result<std::string> ReadFile(const std::filesystem::path& path);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_FILE_READER_H_
