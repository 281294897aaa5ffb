#include "core/telemetry/json_log.h"

#include <fmt/format.h>

#include <iterator>

#include "core/net/utf8.h"
#include "core/ports/civil_time.h"

namespace cnisim {
namespace {

// zap's escapes: a short form for five characters, \u00XX for other control characters, and one
// replacement character for each byte that is not UTF-8.
void AppendEscaped(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8CharacterLength(text.substr(i));
    const char c = text[i];
    if (length == 0) {
      out += "\\ufffd";
    } else if (length > 1) {
      out += text.substr(i, length);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else {
      out += c;
    }
    i += length == 0 ? 1 : length;
  }
}

}  // namespace

std::string_view TrimmedSourceFile(std::string_view path) {
  const size_t file = path.rfind('/');
  if (file == std::string_view::npos || file == 0) return path;
  const size_t directory = path.rfind('/', file - 1);
  return directory == std::string_view::npos ? path : path.substr(directory + 1);
}

void AppendJsonLogLine(std::string& out, LogLevel level, int64_t unix_nanos, SourceLine where,
                       std::string_view message) {
  fmt::format_to(std::back_inserter(out), R"({{"level":"{}","ts":"{}","caller":")",
                 LogLevelName(level), Iso8601(unix_nanos, 3));
  AppendEscaped(out, TrimmedSourceFile(where.file));
  fmt::format_to(std::back_inserter(out), R"(:{}","msg":")", where.line);
  AppendEscaped(out, message);
  out += "\"}\n";
}

}  // namespace cnisim
