// Numbers and times as people read them.
#ifndef CNISIM_TOOLS_CNISIM_BASE_TEXT_H_
#define CNISIM_TOOLS_CNISIM_BASE_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ports/clock.h"

namespace cnisim {

std::string Grouped(int64_t value);  // "14,210"

enum class TextPrecision { kThreeDigits, kWholeSeconds };
// "0 s", "850 us", "12.3 ms", "4.81 s", "2 m 05 s", "6 h 00 m", "3 d 04 h"; infinity is "never",
// what is no number "-".
std::string DurationText(double seconds, TextPrecision precision = TextPrecision::kThreeDigits);
std::string ClockText(Duration d);  // "03:12:44"

// Three significant digits, grouped from 1000 on: "0.0123", "4.81", "14,210"; infinity is "Inf".
std::string NumberText(double value);
// In the metric's unit: durations for "seconds", else numbers.
std::string ValueText(double value, std::string_view unit);
std::string BytesText(int64_t bytes);  // "210 MiB"
// "pod", "pods"
std::string Counted(int64_t n, std::string_view noun);

// Of ASCII letters.
std::string Capitals(std::string_view text);

// `text` on one line: control characters, and bytes that are no UTF-8, as \n, \t, \r or \x1b.
std::string Escaped(std::string_view text);

// In single quotes, as one word of a POSIX shell.
std::string ShellQuoted(std::string_view text);

// Words on lines of at most `width` characters, where words are not longer; `indent` before each.
std::string Wrapped(std::string_view text, size_t width, size_t indent = 0);

// Whether standard output is a terminal that takes colours (NO_COLOR is not set).
bool UseColour();
// `text` in green or red if colours are in use.
std::string Green(std::string_view text);
std::string Red(std::string_view text);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_TEXT_H_
