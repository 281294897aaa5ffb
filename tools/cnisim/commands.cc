#include "tools/cnisim/commands.h"

#include <fmt/format.h>

#include <cstdio>

namespace cnisim {

ExitCode UsageError(std::string_view message) {
  fmt::print(stderr, "cnisim {}\n", message);
  return ExitCode::kUsage;
}

ExitCode RuntimeError(std::string_view message) {
  fmt::print(stderr, "cnisim: {}\n", message);
  return ExitCode::kRuntimeError;
}

}  // namespace cnisim
