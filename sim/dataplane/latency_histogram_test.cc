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
    for (const double p : {0.001, 0.3, 0.5, 0.9, 0.99, 1.0}) {
      const auto rank = static_cast<size_t>(std::ceil(p * static_cast<double>(count) - 1e-9)) - 1;
      const Bucket bucket = BucketOf(values[rank]);
      EXPECT_GE(histogram.Quantile(p), static_cast<double>(bucket.low)) << p << " of " << count;
      EXPECT_LE(histogram.Quantile(p), static_cast<double>(bucket.high)) << p << " of " << count;
    }
  }
}

// Differential: against the share of each bucket, one after the other.
TEST(LatencyHistogramTest, EvenSpreadGivesEachBucketItsShare) {
  RandomStream random(2, "histogram", "ranges");
  for (int i = 0; i < 2'000; ++i) {
    const double scale = std::exp2(60 * random.NextDouble());
    double low = scale * random.NextDouble();
    double high = i % 3 == 0 ? low + random.NextDouble() : scale * random.NextDouble();
    if (low > high) std::swap(low, high);
    LatencyHistogram histogram;
    histogram.AddEvenly(low, high, 3);
    double sum = 0;
    for (size_t b = 0; b < histogram.weights().size(); ++b) {
      const Bucket bucket = BucketAt(static_cast<int>(b));
      const double from = std::max(low, static_cast<double>(bucket.low));
      const double to = std::min(high, static_cast<double>(bucket.high));
      const bool whole = from == low && to == high;
      const double share = whole ? 3 : to > from ? 3 * (to - from) / (high - low) : 0;
      ASSERT_NEAR(histogram.weights()[b], share, 1e-9) << low << " " << high << " " << b;
      sum += histogram.weights()[b];
    }
    ASSERT_NEAR(sum, 3, 1e-9);
    ASSERT_EQ(histogram.total(), 3);
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
