#include "sim/dataplane/gamma_quantiles.h"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <cstddef>

namespace cnisim {
namespace {

constexpr int kRowsPerOctave = 8;
constexpr int kLowestOctave = -10;
constexpr int kHighestOctave = 14;
constexpr int kRows = (kHighestOctave - kLowestOctave) * kRowsPerOctave + 1;

// Latencies beyond are cut: 146 years.
constexpr double kLongest = 0x1p62;

// From 1 to 1e-6; geometric steps within each part, so that a knot falls on each of its ends.
std::vector<double> Tails() {
  struct Part {
    double end;
    int steps;
  };
  constexpr Part kParts[] = {{0.5, 8}, {0.1, 16}, {0.01, 20}, {0.001, 16}, {1e-4, 10}, {1e-6, 12}};
  std::vector<double> tails = {1};
  for (const Part& part : kParts) {
    const double start = tails.back();
    for (int i = 1; i < part.steps; ++i) {
      tails.push_back(start * std::pow(part.end / start, static_cast<double>(i) / part.steps));
    }
    tails.push_back(part.end);
  }
  return tails;
}

}  // namespace

const GammaQuantiles& GammaQuantiles::Get() {
  static const GammaQuantiles quantiles;
  return quantiles;
}

GammaQuantiles::GammaQuantiles() : tails_(Tails()) {
  using boost::math::policies::ignore_error;
  using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>,
                                               boost::math::policies::underflow_error<ignore_error>,
                                               boost::math::policies::denorm_error<ignore_error>>;
  knots_.reserve(kRows * tails_.size());
  for (int row = 0; row < kRows; ++row) {
    const double shape = std::exp2(kLowestOctave + static_cast<double>(row) / kRowsPerOctave);
    for (const double tail : tails_) {
      const double x = tail == 1 ? 0 : boost::math::gamma_q_inv(shape, tail, Policy());
      knots_.push_back((x - shape) / std::sqrt(shape));
    }
  }
}

void GammaQuantiles::Spread(double shift_ns, double mean_ns, double variance, double weight,
                            LatencyHistogram& histogram) const {
  const double least = std::min(shift_ns, kLongest);
  const double mean = shift_ns + mean_ns;
  const double deviation = std::sqrt(variance);
  const auto place = [least](double x) { return std::clamp(x, least, kLongest); };
  if (!(deviation > 0)) {
    histogram.Add(static_cast<int64_t>(place(mean)), weight);
    return;
  }
  const double octave = 2 * std::log2(mean_ns / deviation);
  const double row = std::clamp((octave - kLowestOctave) * kRowsPerOctave, 0.0, kRows - 1.0);
  const auto lower = std::min(static_cast<size_t>(row), size_t{kRows - 2});
  const double share = row - static_cast<double>(lower);
  const double* below = &knots_[lower * tails_.size()];
  const double* above = below + tails_.size();
  double from = least;
  for (size_t i = 1; i < tails_.size(); ++i) {
    const double z = below[i] + share * (above[i] - below[i]);
    const double to = place(mean + deviation * z);
    histogram.AddEvenly(from, to, weight * (tails_[i - 1] - tails_[i]));
    from = to;
  }
  histogram.Add(static_cast<int64_t>(from), weight * tails_.back());
}

}  // namespace cnisim
