// A token bucket in integer arithmetic, filled lazily.
//
// Counted in picotokens and filled by whole millitokens a second: a millitoken a second is exactly
// one picotoken a nanosecond, so nothing is ever rounded away and any number of TryTake calls
// between two others changes nothing. Invariant: 0 <= tokens <= capacity.
// Capacity saturates at 4,000,000 tokens and the rate at 1,000,000 a second, both out of reach of a
// run. Time never goes back. O(1).
#ifndef CNISIM_SIM_CLOUD_TOKEN_BUCKET_H_
#define CNISIM_SIM_CLOUD_TOKEN_BUCKET_H_

#include <algorithm>
#include <cstdint>

#include "core/ports/clock.h"

namespace cnisim {

class TokenBucket {
 public:
  // Full at `now`. Requires capacity >= 0 and refill_per_second >= 0; the rate is rounded to
  // 0.001 tokens a second.
  TokenBucket(double capacity, double refill_per_second, TimePoint now)
      : capacity_(static_cast<int64_t>(std::min(capacity, kMaxTokens) * kUnitsPerToken)),
        units_per_ns_(static_cast<int64_t>(std::min(refill_per_second, kMaxRate) * 1e3 + 0.5)),
        level_(capacity_),
        filled_(now) {}

  // Takes one token if there is a whole one.
  bool TryTake(TimePoint now) {
    Fill(now);
    if (level_ < kToken) return false;
    level_ -= kToken;
    return true;
  }

  double tokens(TimePoint now) {
    Fill(now);
    return static_cast<double>(level_) / kUnitsPerToken;
  }
  // Whether the invariant holds.
  bool Valid() const { return level_ >= 0 && level_ <= capacity_; }

 private:
  static constexpr double kUnitsPerToken = 1e12;
  static constexpr int64_t kToken = 1'000'000'000'000;
  static constexpr double kMaxTokens = 4e6;
  static constexpr double kMaxRate = 1e6;

  void Fill(TimePoint now) {
    const int64_t elapsed = (now - filled_).count();
    filled_ = now;
    if (units_per_ns_ == 0) return;
    const int64_t room = capacity_ - level_;
    level_ = elapsed > room / units_per_ns_ ? capacity_ : level_ + elapsed * units_per_ns_;
  }

  int64_t capacity_;
  int64_t units_per_ns_;
  int64_t level_;
  TimePoint filled_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_TOKEN_BUCKET_H_
