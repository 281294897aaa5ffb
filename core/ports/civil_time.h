// Where the clock's time zero lies on the calendar, for texts and files that outlive a process.
//
// Times before 1970 and all others that 64 bits of nanoseconds can hold convert both ways without
// loss (modulo 2^64).
#ifndef CNISIM_CORE_PORTS_CIVIL_TIME_H_
#define CNISIM_CORE_PORTS_CIVIL_TIME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/clock.h"

namespace cnisim {

struct CivilEpoch {
  int64_t unix_nanos_at_zero = 0;

  constexpr int64_t ToUnixNanos(TimePoint t) const {
    return static_cast<int64_t>(static_cast<uint64_t>(t.time_since_epoch().count()) +
                                static_cast<uint64_t>(unix_nanos_at_zero));
  }
  constexpr TimePoint FromUnixNanos(int64_t nanos) const {
    return TimePoint(Duration(static_cast<int64_t>(static_cast<uint64_t>(nanos) -
                                                   static_cast<uint64_t>(unix_nanos_at_zero))));
  }
};

// UTC with `digits` decimals of the second, cut off: "2026-01-02T03:04:05.678Z" for 3.
std::string Iso8601(int64_t unix_nanos, int digits);
// UTC with as many decimals as it takes and no more, as RFC 3339 and Go write it:
// "2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05Z".
std::string Rfc3339(int64_t unix_nanos);

// Any time of RFC 3339, with up to nine decimals; nullopt if it is none.
std::optional<int64_t> ParseRfc3339(std::string_view text);

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_CIVIL_TIME_H_
