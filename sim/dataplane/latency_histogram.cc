#include "sim/dataplane/latency_histogram.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace cnisim {

double LatencyHistogram::Quantile(double p) const {
  assert(p > 0 && p <= 1);
  if (total_ <= 0) return 0;
  // Sums of many weights differ from their total in the last bits.
  const double target = p * total_ * (1 - 1e-12);
  double below = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (weights_[i] > 0 && below + weights_[i] >= target) {
      const Bucket bucket = BucketAt(static_cast<int>(i));
      const auto low = static_cast<double>(bucket.low);
      const double share = std::clamp((target - below) / weights_[i], 0.0, 1.0);
      return low + share * (static_cast<double>(bucket.high) - low);
    }
    below += weights_[i];
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace cnisim
