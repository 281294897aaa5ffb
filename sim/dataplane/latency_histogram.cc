#include "sim/dataplane/latency_histogram.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace cnisim {

double LatencyHistogram::Quantile(double p) const { return Quantiles({&p, 1}).front(); }

std::vector<double> LatencyHistogram::Quantiles(std::span<const double> ps) const {
  assert(std::ranges::is_sorted(ps));
  std::vector<double> result;
  result.reserve(ps.size());
  double below = 0;
  size_t i = 0;
  for (const double p : ps) {
    assert(p > 0 && p <= 1);
    // Sums of many weights differ from their total in the last bits.
    const double target = p * total_ * (1 - 1e-12);
    while (i < weights_.size() && !(weights_[i] > 0 && below + weights_[i] >= target)) {
      below += weights_[i++];
    }
    if (total_ <= 0) {
      result.push_back(0);
    } else if (i == weights_.size()) {
      result.push_back(std::numeric_limits<double>::infinity());
    } else {
      const Bucket bucket = BucketAt(static_cast<int>(i));
      const auto low = static_cast<double>(bucket.low);
      const double share = std::clamp((target - below) / weights_[i], 0.0, 1.0);
      result.push_back(low + share * (static_cast<double>(bucket.high) - low));
    }
  }
  return result;
}

}  // namespace cnisim
