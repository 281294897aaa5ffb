#include "tools/cnisim/base/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ranges>

#include "core/net/utf8.h"

namespace cnisim {

std::string Grouped(int64_t value) {
  std::string digits = fmt::format("{}", value);
  const int first = value < 0 ? 1 : 0;
  for (int at = static_cast<int>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<size_t>(at), 1, ',');
  }
  return digits;
}

std::string DurationText(double seconds, TextPrecision precision) {
  if (std::isnan(seconds)) return "-";
  if (std::isinf(seconds)) return "never";
  if (seconds == 0) return "0 s";
  if (precision == TextPrecision::kThreeDigits) {
    // Rounded first, so that 999.96 ms does not come out as 1000 ms.
    const double rounded = std::stod(fmt::format("{:.2e}", seconds));
    if (rounded < 1e-6) return fmt::format("{:.3g} ns", rounded * 1e9);
    if (rounded < 1e-3) return fmt::format("{:.3g} us", rounded * 1e6);
    if (rounded < 1) return fmt::format("{:.3g} ms", rounded * 1e3);
    if (rounded < 60) return fmt::format("{:.3g} s", rounded);
  }
  const int64_t s = std::llround(seconds);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} m {:02} s", s / 60, s % 60);
  if (s < 2 * 86400) return fmt::format("{} h {:02} m", s / 3600, s / 60 % 60);
  return fmt::format("{} d {:02} h", s / 86400, s / 3600 % 24);
}

std::string ClockText(Duration d) {
  const int64_t s = std::chrono::floor<std::chrono::seconds>(d).count();
  return fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string NumberText(double value) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
  if (std::abs(value) >= 999.5 || value == std::round(value)) return Grouped(std::llround(value));
  return fmt::format("{:.3g}", value);
}

std::string ValueText(double value, std::string_view unit) {
  if (std::isnan(value)) return "-";
  return unit == "seconds" ? DurationText(value) : NumberText(value);
}

std::string BytesText(int64_t bytes) {
  const double mib = static_cast<double>(bytes) / 1048576;
  return mib < 1024 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

std::string Counted(int64_t n, std::string_view noun) {
  return fmt::format("{} {}{}", Grouped(n), noun, n == 1 ? "" : "s");
}

std::string Capitals(std::string_view text) {
  std::string capitals(text);
  for (char& c : capitals) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return capitals;
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t length = Utf8CharacterLength(text);
    const std::string_view character = text.substr(0, std::max<size_t>(1, length));
    const auto first = static_cast<unsigned char>(character[0]);
    // C0, DEL and C1.
    const bool control = first < 0x20 || first == 0x7f ||
                         (first == 0xc2 && static_cast<unsigned char>(character.back()) < 0xa0);
    if (length > 0 && !control) {
      escaped += character;
    } else if (character == "\n") {
      escaped += "\\n";
    } else if (character == "\t") {
      escaped += "\\t";
    } else if (character == "\r") {
      escaped += "\\r";
    } else {
      for (const char c : character) {
        escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    text.remove_prefix(character.size());
  }
  return escaped;
}

std::string ShellQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += R"('\'')";
    } else {
      quoted += c;
    }
  }
  return quoted + '\'';
}

std::string Wrapped(std::string_view text, size_t width, size_t indent) {
  std::string wrapped;
  size_t column = 0;
  for (const auto part : std::views::split(text, ' ')) {
    const std::string_view word(part.begin(), part.end());
    if (word.empty()) continue;
    if (column > 0 && column + 1 + word.size() > width) {
      wrapped += '\n';
      column = 0;
    }
    wrapped += column > 0 ? " " : std::string(indent, ' ');
    column += (column > 0 ? 1 : indent) + word.size();
    wrapped += word;
  }
  return wrapped;
}

bool UseColour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && ::isatty(STDOUT_FILENO) != 0 &&
         terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string Green(std::string_view text) {
  return UseColour() ? fmt::format("\033[32m{}\033[0m", text) : std::string(text);
}

std::string Red(std::string_view text) {
  return UseColour() ? fmt::format("\033[31m{}\033[0m", text) : std::string(text);
}

}  // namespace cnisim
