// A client-side rate limit (as client-go's QPS and burst): grants in order of asking.
//
// Integer arithmetic on virtual time: after a burst, grants come one period apart. O(1).
#ifndef CNISIM_SIM_CLUSTER_RATE_LIMITER_H_
#define CNISIM_SIM_CLUSTER_RATE_LIMITER_H_

#include <algorithm>

#include "core/ports/clock.h"

namespace cnisim {

class RateLimiter {
 public:
  // `per_second` > 0 grants a second on average, at most `burst` >= 1 at once.
  RateLimiter(double per_second, double burst)
      : period_(static_cast<int64_t>(1e9 / per_second)),
        slack_(static_cast<int64_t>(static_cast<double>(period_.count()) * (burst - 1))) {}

  // Takes `n` grants and returns when the last of them is due, at the earliest now.
  TimePoint Reserve(TimePoint now, int n = 1) {
    next_ = std::max(next_, now - slack_) + period_ * n;
    return std::max(now, next_ - period_);
  }

 private:
  Duration period_;
  Duration slack_;
  TimePoint next_ = kLongAgo;  // when the next grant would be due
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_RATE_LIMITER_H_
