#include "results/statistics.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace cnisim {
namespace {

// Double throughout: long double differs between machines.
using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;

}  // namespace

Estimate EstimateMean(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double v : values) sum += v;
  Estimate estimate{sum / n, std::numeric_limits<double>::quiet_NaN(),
                    static_cast<int>(values.size())};
  if (values.size() < 2 || !std::isfinite(estimate.mean)) return estimate;
  double squares = 0;
  for (const double v : values) squares += (v - estimate.mean) * (v - estimate.mean);
  const boost::math::students_t_distribution<double, Policy> t(n - 1);
  estimate.half_width = boost::math::quantile(t, 0.975) * std::sqrt(squares / (n - 1) / n);
  return estimate;
}

}  // namespace cnisim
