#include "sim/dataplane/gamma_quantiles.h"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <cstddef>

namespace cnisim {
namespace {

constexpr int kRowsPerOctave = 8;
constexpr int kLowestOctave = -10;
constexpr int kHighestOctave = 14;
constexpr int kRows = (kHighestOctave - kLowestOctave) * kRowsPerOctave + 1;

// Latencies beyond are cut: 13 days.
constexpr double kLongest = 0x1p50;

constexpr double kWhole = 1;

// Probabilities to be above a knot: from 1 to 1e-6 in geometric steps within each part, so that a
// knot falls on each part's end.
struct Part {
  double end;
  int steps;
};
constexpr Part kParts[] = {{0.5, 8}, {0.1, 16}, {0.01, 20}, {0.001, 16}, {1e-4, 10}, {1e-6, 12}};
constexpr size_t kKnots = [] {
  size_t knots = 1;
  for (const Part& part : kParts) knots += static_cast<size_t>(part.steps);
  return knots;
}();

std::vector<double> Tails() {
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

GammaQuantiles::GammaQuantiles() {
  namespace policies = boost::math::policies;
  using Policy = policies::policy<policies::promote_double<false>,
                                  policies::underflow_error<policies::ignore_error>,
                                  policies::denorm_error<policies::ignore_error>>;
  const std::vector<double> tails = Tails();
  for (size_t i = 0; i + 1 < tails.size(); ++i) weights_.push_back(tails[i] - tails[i + 1]);
  weights_.push_back(tails.back());
  knots_.reserve(kRows * tails.size());
  for (int row = 0; row < kRows; ++row) {
    const double shape = std::exp2(kLowestOctave + static_cast<double>(row) / kRowsPerOctave);
    for (const double tail : tails) {
      const double x = tail == 1 ? 0 : boost::math::gamma_q_inv(shape, tail, Policy());
      knots_.push_back((x - shape) / std::sqrt(shape));
    }
  }
}

void GammaQuantiles::Spread(double shift_ns, double mean_ns, double variance, double weight,
                            DensitySum& sum) const {
  const double least = std::min(shift_ns, kLongest);
  const double mean = shift_ns + mean_ns;
  const double deviation = std::sqrt(variance);
  if (!(deviation > 0)) {
    const double only = std::min(mean, kLongest);
    sum.Add({&only, 1}, {&kWhole, 1}, weight);
    return;
  }
  const double octave = 2 * std::log2(mean_ns / deviation);
  const double row = std::clamp((octave - kLowestOctave) * kRowsPerOctave, 0.0, kRows - 1.0);
  const auto lower = std::min(static_cast<size_t>(row), size_t{kRows - 2});
  const double share = row - static_cast<double>(lower);
  const double* below = &knots_[lower * kKnots];
  const double* above = below + kKnots;
  std::array<double, kKnots> edges;
  for (size_t i = 0; i < kKnots; ++i) {
    const double x = mean + deviation * (below[i] + share * (above[i] - below[i]));
    edges[i] = std::clamp(x, least, kLongest);
  }
  sum.Add(edges, weights_, weight);
}

}  // namespace cnisim
