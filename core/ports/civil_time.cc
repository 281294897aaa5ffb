#include "core/ports/civil_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace cnisim {

std::string Iso8601(int64_t unix_nanos, int digits) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar arithmetic
  // In seconds: the first day of 64 bits of nanoseconds begins before them.
  const auto second = floor<seconds>(sys_time<nanoseconds>{nanoseconds(unix_nanos)});
  const auto day = floor<days>(second);
  const year_month_day date{day};
  const hh_mm_ss clock{second - day};
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t fraction = (unix_nanos % kSecond + kSecond) % kSecond;
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}",
                                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), clock.hours().count(),
                                 clock.minutes().count(), clock.seconds().count(), fraction);
  text.resize(text.size() - 9 + static_cast<size_t>(digits));
  return text + 'Z';
}

std::string Rfc3339(int64_t unix_nanos) {
  std::string text = Iso8601(unix_nanos, 9);
  text.pop_back();
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + 'Z';
}

namespace {

// A number of exactly `digits` digits at the front of `text`, which it is removed from.
std::optional<int> TakeDigits(std::string_view& text, size_t digits) {
  int value = 0;
  if (text.size() < digits) return std::nullopt;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = 10 * value + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool TakeChar(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "+01:00" or "-01:00", which must be all that is left.
std::optional<std::chrono::minutes> TakeZone(std::string_view text) {
  if (text == "Z") return std::chrono::minutes(0);
  const bool west = text.starts_with('-');
  if (!west && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = TakeDigits(text, 2);
  const bool colon = TakeChar(text, ':');
  const auto minutes = TakeDigits(text, 2);
  if (!hours || !colon || !minutes || !text.empty() || *hours > 23 || *minutes > 59) {
    return std::nullopt;
  }
  const std::chrono::minutes offset(60 * *hours + *minutes);
  return west ? -offset : offset;
}

}  // namespace

std::optional<int64_t> ParseRfc3339(std::string_view text) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar arithmetic
  int part[6];
  constexpr char kAfter[] = {'-', '-', 'T', ':', ':', 0};
  for (size_t i = 0; i < 6; ++i) {
    const auto value = TakeDigits(text, i == 0 ? 4 : 2);
    if (!value || (kAfter[i] != 0 && !TakeChar(text, kAfter[i]))) return std::nullopt;
    part[i] = *value;
  }
  const year_month_day date(year(part[0]), month(static_cast<unsigned>(part[1])),
                            day(static_cast<unsigned>(part[2])));
  if (!date.ok() || part[3] > 23 || part[4] > 59 || part[5] > 59) return std::nullopt;
  int64_t fraction = 0;
  if (TakeChar(text, '.')) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > 9) return std::nullopt;
    fraction = *TakeDigits(text, digits);
    for (size_t i = digits; i < 9; ++i) fraction *= 10;
  }
  const auto zone = TakeZone(text);
  if (!zone) return std::nullopt;
  const auto time = sys_days(date) + hours(part[3]) + minutes(part[4]) + seconds(part[5]) - *zone;
  // 64 bits of nanoseconds reach from 1677 to 2262.
  if (date.year() < year(1678) || date.year() > year(2261)) return std::nullopt;
  return duration_cast<nanoseconds>(time.time_since_epoch()).count() + fraction;
}

}  // namespace cnisim
