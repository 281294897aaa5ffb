#include "sim/dataplane/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/engine/random.h"

namespace cnisim {
namespace {

TEST(LatencyHistogramTest, QuantilesAreThoseOfTheSortedValuesButForABucket) {
  RandomStream random(1, "histogram", "values");
  for (const size_t count : {1, 2, 10, 1'000, 30'000}) {
    LatencyHistogram histogram;
    std::vector<int64_t> values;
    for (size_t i = 0; i < count; ++i) {
      values.push_back(static_cast<int64_t>(random.NextU64() >> (1 + random.NextBelow(60))));
      histogram.Add(values.back());
    }
    std::sort(values.begin(), values.end());
    EXPECT_EQ(histogram.total(), static_cast<double>(count));
    const std::vector<double> ps = {0.001, 0.3, 0.5, 0.5, 0.9, 0.99, 1.0};
    const std::vector<double> at_once = histogram.Quantiles(ps);
    for (size_t i = 0; i < ps.size(); ++i) {
      const double p = ps[i];
      EXPECT_EQ(at_once[i], histogram.Quantile(p));
      const auto rank = static_cast<size_t>(std::ceil(p * static_cast<double>(count) - 1e-9)) - 1;
      const Bucket bucket = BucketOf(values[rank]);
      EXPECT_GE(histogram.Quantile(p), static_cast<double>(bucket.low)) << p << " of " << count;
      EXPECT_LE(histogram.Quantile(p), static_cast<double>(bucket.high)) << p << " of " << count;
    }
  }
}

TEST(LatencyHistogramTest, EmptyAndInfinite) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  histogram.Add(100, 3);
  histogram.AddInfinite(1);
  EXPECT_NEAR(histogram.Quantile(0.75), 101, 1e-6);
  EXPECT_EQ(histogram.Quantile(0.76), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace cnisim
