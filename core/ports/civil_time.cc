#include "core/ports/civil_time.h"

#include <fmt/format.h>

#include <chrono>

namespace cnisim {

std::string Iso8601(int64_t unix_nanos, int digits) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar arithmetic
  constexpr int64_t kSecond = 1'000'000'000;
  // Rounded down in a way that cannot overflow.
  const int64_t nanos = (unix_nanos % kSecond + kSecond) % kSecond;
  const sys_seconds time{seconds(unix_nanos / kSecond - (unix_nanos % kSecond < 0 ? 1 : 0))};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count(), nanos);
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

}  // namespace cnisim
