#include "sim/dataplane/density_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sim/engine/random.h"

namespace cnisim {
namespace {

// Differential: against the share of each bucket, one after the other.
TEST(DensitySumTest, GivesEachBucketItsShare) {
  RandomStream random(2, "density", "edges");
  for (int round = 0; round < 200; ++round) {
    DensitySum sum;
    std::vector<double> expected(kBucketCount);
    double total = 0;
    // Latencies of one sum are within a few powers of two of each other.
    const double scale = std::exp2(8 + 50 * random.NextDouble());
    for (int n = 0; n < 3; ++n) {
      std::vector<double> edges;
      for (uint64_t i = random.NextBelow(5) + 1; i > 0; --i) {
        edges.push_back(scale * random.NextDouble());
        if (i % 3 == 0) edges.push_back(edges.back());                        // no width
        if (i % 3 == 1) edges.push_back(edges.back() + random.NextDouble());  // hardly any
      }
      std::sort(edges.begin(), edges.end());
      std::vector<double> weights;
      const size_t beyond = random.NextBelow(2);
      for (size_t i = 0; i + 1 < edges.size() + beyond; ++i) weights.push_back(random.NextDouble());
      sum.Add(edges, weights, 3);
      for (size_t i = 0; i < weights.size(); ++i) {
        total += 3 * weights[i];
        const double low = edges[i];
        const double high = i + 1 < edges.size() ? edges[i + 1] : low;
        const int first = BucketIndexOf(static_cast<int64_t>(low));
        const int last = BucketIndexOf(static_cast<int64_t>(high));
        for (int b = first; b <= last; ++b) {
          const double from = std::max(low, static_cast<double>(BucketAt(b).low));
          const double to = std::min(high, static_cast<double>(BucketAt(b).high));
          const double width = static_cast<double>(BucketAt(first).high - BucketAt(first).low);
          const double share =
              (high - low) * 128 < width ? (b == first) : (to - from) / (high - low);
          expected[static_cast<size_t>(b)] += 3 * weights[i] * share;
        }
      }
    }
    LatencyHistogram histogram;
    sum.AddTo(histogram);
    for (size_t b = 0; b < histogram.weights().size(); ++b) {
      ASSERT_NEAR(histogram.weights()[b], expected[b], 1e-7) << round << " " << b;
    }
    ASSERT_NEAR(histogram.total(), total, 1e-6);
  }
}

}  // namespace
}  // namespace cnisim
