#include "sim/dataplane/gamma_quantiles.h"

#include <gtest/gtest.h>

#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

namespace cnisim {
namespace {

double Quantile(double shift, double mean, double variance, double p) {
  DensitySum sum;
  GammaQuantiles::Get().Spread(shift, mean, variance, 7, sum);
  LatencyHistogram histogram;
  sum.AddTo(histogram);
  EXPECT_NEAR(histogram.total(), 7, 1e-6);
  return histogram.Quantile(p);
}

TEST(GammaQuantilesTest, ExponentialIsExactAtTheUsualQuantiles) {
  for (const double mean : {1e4, 1.234e6, 5e9}) {
    for (const double p : {0.5, 0.9, 0.99, 0.999, 0.9999}) {
      const double exact = -mean * std::log1p(-p);
      EXPECT_NEAR(Quantile(0, mean, mean * mean, p), exact, 1e-3 * exact) << mean << " " << p;
    }
    for (double p = 0.3; p < 1; p += 0.0097) {
      const double exact = -mean * std::log1p(-p);
      EXPECT_NEAR(Quantile(0, mean, mean * mean, p), exact, 2e-3 * mean) << mean << " " << p;
    }
  }
}

// Shapes between the rows of the table, shifts, and both ends.
TEST(GammaQuantilesTest, QuantilesAreNearThoseOfBoost) {
  const double mean = 1e6;
  for (double octave = -8; octave < 13; octave += 0.37) {
    const double shape = std::exp2(octave);
    const double deviation = mean / std::sqrt(shape);
    for (const double p : {0.5, 0.75, 0.9, 0.99, 0.999, 0.9999}) {
      const double exact = boost::math::gamma_p_inv(shape, p) * mean / shape;
      for (const double shift : {0.0, 3e6}) {
        const double quantile = Quantile(shift, mean, deviation * deviation, p);
        EXPECT_NEAR(quantile, shift + exact, 3e-3 * deviation + 4e-3 * (shift + exact))
            << "shape " << shape << " p " << p << " shift " << shift;
      }
    }
  }
}

TEST(GammaQuantilesTest, WithoutVarianceAllIsInOneBucket) {
  EXPECT_NEAR(Quantile(1e6, 5e5, 0, 0.01), 1.5e6, 0.008 * 1.5e6);
  EXPECT_NEAR(Quantile(1e6, 5e5, 0, 1), 1.5e6, 0.008 * 1.5e6);
  EXPECT_NEAR(Quantile(0, 0, 0, 0.5), 0, 1);
  EXPECT_TRUE(std::isfinite(Quantile(0x1p63, 0x1p63, 0x1p120, 0.5)));
}

}  // namespace
}  // namespace cnisim
