#include "tools/kernel_lab/measure/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace cnisim {
namespace {

std::vector<double> RandomValues(std::mt19937_64& random, size_t count) {
  std::vector<double> values;
  for (size_t n = 0; n < count; ++n) values.push_back(1 + static_cast<double>(random() % 20));
  return values;
}

TEST(Statistics, MedianHasAsManyBelowAsAbove) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 8}), 3);
  std::mt19937_64 random(1);
  for (size_t count = 1; count <= 30; ++count) {
    const std::vector<double> values = RandomValues(random, count);
    const double median = Median(values);
    const auto below = std::ranges::count_if(values, [&](double v) { return v < median; });
    const auto above = std::ranges::count_if(values, [&](double v) { return v > median; });
    EXPECT_LE(2 * below, static_cast<long>(count));
    EXPECT_LE(2 * above, static_cast<long>(count));
  }
}

// A slow twin: the first value that enough values do not exceed.
TEST(Statistics, PercentileIsTheNearestRank) {
  std::mt19937_64 random(2);
  for (size_t count = 1; count <= 200; ++count) {
    std::vector<double> values = RandomValues(random, count);
    std::ranges::sort(values);
    for (const int percent : {1, 25, 50, 99, 100}) {
      const auto enough = std::ranges::find_if(values, [&](double value) {
        const auto within = std::ranges::count_if(values, [&](double v) { return v <= value; });
        return 100 * static_cast<size_t>(within) >= static_cast<size_t>(percent) * count;
      });
      EXPECT_EQ(Percentile(values, percent / 100.0), *enough) << count << " " << percent;
    }
  }
}

TEST(Statistics, EveryPlaceInTheOrderIsEverybodysOnceInACircle) {
  for (size_t count = 1; count <= 5; ++count) {
    std::vector<std::set<size_t>> seen(count);
    for (size_t round = 0; round < count; ++round) {
      const std::vector<size_t> order = RotatedOrder(round, count);
      EXPECT_EQ(std::set(order.begin(), order.end()).size(), count);
      for (size_t place = 0; place < count; ++place) seen[place].insert(order[place]);
    }
    for (const std::set<size_t>& one : seen) EXPECT_EQ(one.size(), count);
  }
}

TEST(Statistics, RatiosAreOfTheSameRound) {
  // The machine is ten times slower in the second round, which changes no ratio.
  const Ratio ratio = RatioOverRounds({12, 150, 13}, {10, 100, 10});
  EXPECT_DOUBLE_EQ(ratio.median, 1.3);
  EXPECT_DOUBLE_EQ(ratio.low, 1.2);
  EXPECT_DOUBLE_EQ(ratio.high, 1.5);
}

}  // namespace
}  // namespace cnisim
