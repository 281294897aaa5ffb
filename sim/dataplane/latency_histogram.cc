#include "sim/dataplane/latency_histogram.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace cnisim {

void LatencyHistogram::AddEvenly(double low_ns, double high_ns, double weight) {
  assert(low_ns >= 0 && low_ns <= high_ns && high_ns < 0x1p63);
  const int first = BucketIndexOf(static_cast<int64_t>(low_ns));
  const int last = BucketIndexOf(static_cast<int64_t>(high_ns));
  if (static_cast<size_t>(last) >= weights_.size()) weights_.resize(static_cast<size_t>(last) + 1);
  total_ += weight;
  if (first == last) {
    weights_[static_cast<size_t>(first)] += weight;
    return;
  }
  const double density = weight / (high_ns - low_ns);
  weights_[static_cast<size_t>(first)] +=
      density * (static_cast<double>(BucketAt(first).high) - low_ns);
  for (int i = first + 1; i < last;) {
    // All buckets up to the next power of two are equally wide.
    const Bucket bucket = BucketAt(i);
    const double share = density * static_cast<double>(bucket.high - bucket.low);
    const int end = std::min(last, (i | ((1 << kBucketBits) - 1)) + 1);
    for (; i < end; ++i) weights_[static_cast<size_t>(i)] += share;
  }
  weights_[static_cast<size_t>(last)] +=
      density * (high_ns - static_cast<double>(BucketAt(last).low));
}

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
