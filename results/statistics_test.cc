#include "results/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace cnisim {
namespace {

// Quantiles t(0.975, df) from printed tables of Student's distribution.
TEST(Statistics, HalfWidthUsesStudentsT) {
  struct Row {
    int df;
    double t;
  };
  for (const Row row : {Row{1, 12.706}, {2, 4.303}, {4, 2.776}, {9, 2.262}, {29, 2.045}}) {
    std::vector<double> values;
    for (int i = 0; i <= row.df; ++i) values.push_back(i % 2 == 0 ? 1 : 3);
    const auto n = static_cast<double>(values.size());
    double mean = 0, squares = 0;
    for (const double v : values) mean += v / n;
    for (const double v : values) squares += (v - mean) * (v - mean);
    const Estimate estimate = EstimateMean(values);
    EXPECT_NEAR(estimate.mean, mean, 1e-12);
    EXPECT_NEAR(estimate.half_width / std::sqrt(squares / (n - 1) / n), row.t, 0.0005);
    EXPECT_EQ(estimate.n, row.df + 1);
  }
}

TEST(Statistics, OneValueOrInfinityHasNoInterval) {
  EXPECT_TRUE(std::isnan(EstimateMean(std::vector<double>{5}).half_width));
  const Estimate estimate =
      EstimateMean(std::vector<double>{5, std::numeric_limits<double>::infinity()});
  EXPECT_TRUE(std::isinf(estimate.mean));
  EXPECT_TRUE(std::isnan(estimate.half_width));
}

}  // namespace
}  // namespace cnisim
