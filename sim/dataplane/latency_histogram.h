// How latencies are distributed: weights in the log-linear buckets of sim/observe/histogram.h.
//
// Within a bucket (0.8 % of its values wide) weight counts as spread evenly, so quantiles err by
// less. Nanoseconds. Weights are counts of requests or rates, whatever the caller adds.
// Memory: 8 bytes a bucket up to the highest in use, at most 58 kB.
#ifndef CNISIM_SIM_DATAPLANE_LATENCY_HISTOGRAM_H_
#define CNISIM_SIM_DATAPLANE_LATENCY_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/observe/histogram.h"

namespace cnisim {

class LatencyHistogram {
 public:
  // O(1).
  void Add(int64_t latency_ns, double weight = 1) {
    const auto index = static_cast<size_t>(BucketIndexOf(latency_ns));
    if (index >= weights_.size()) weights_.resize(index + 1);
    weights_[index] += weight;
    total_ += weight;
  }
  // Requests that never end.
  void AddInfinite(double weight) { total_ += weight; }

  double total() const { return total_; }
  // weights()[i] belongs to BucketAt(i); what is missing from total() is infinite.
  const std::vector<double>& weights() const { return weights_; }

  // The latency that a share p of the weight, 0 < p <= 1, does not exceed; infinite if less than
  // that share ends; 0 if the histogram is empty. O(buckets in use).
  double Quantile(double p) const;
  // Of many, in ascending order: one pass for all of them.
  std::vector<double> Quantiles(std::span<const double> ps) const;

 private:
  std::vector<double> weights_;
  double total_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_LATENCY_HISTOGRAM_H_
