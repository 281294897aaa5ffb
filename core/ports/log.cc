#include "core/ports/log.h"

#include <algorithm>
#include <array>

namespace cnisim {
namespace {

constexpr std::array<std::string_view, 5> kNames{"debug", "info", "warn", "error", "fatal"};

char Lower(char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string_view LogLevelName(LogLevel level) { return kNames[static_cast<size_t>(level)]; }

LogLevel ParseLogLevel(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (std::ranges::equal(name, kNames[i], {}, Lower)) return static_cast<LogLevel>(i);
  }
  return LogLevel::kDebug;
}

}  // namespace cnisim
