#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/say.h"

#include <fmt/format.h>

#include <cstdio>

namespace cnisim {

ExitCode UsageError(std::string_view message) {
  Say("cnisim {}\n", message);
  return ExitCode::kUsage;
}

ExitCode RuntimeError(std::string_view message) {
  Say("cnisim: {}\n", message);
  return ExitCode::kRuntimeError;
}

ExitCode ErrorOf(std::string_view verb, const Error& error) {
  if (error.code != "usage") return RuntimeError(error.message);
  return UsageError(fmt::format("{}: {}", verb, error.message));
}

}  // namespace cnisim
