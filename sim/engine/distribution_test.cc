#include "sim/engine/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace cnisim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kDraws = 200'000;

std::vector<double> SortedSamples(const Distribution& distribution, uint64_t seed) {
  RandomStream random(seed, "distribution", "samples");
  std::vector<double> samples;
  for (int i = 0; i < kDraws; ++i) samples.push_back(ToSeconds(distribution.Sample(random)));
  std::sort(samples.begin(), samples.end());
  return samples;
}

double Average(const std::vector<double>& samples) {
  double sum = 0;
  for (const double x : samples) sum += x;
  return sum / static_cast<double>(samples.size());
}

// Kolmogorov-Smirnov: the greatest distance between the sample's and the true distribution
// function exceeds 2.2 / sqrt(n) with probability 2 exp(-2 * 2.2^2) < 2e-4.
template <typename Cdf>
void ExpectFits(const std::vector<double>& sorted, Cdf cdf) {
  const auto n = static_cast<double>(sorted.size());
  double distance = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    const double p = cdf(sorted[i]);
    distance = std::max({distance, std::abs(p - static_cast<double>(i) / n),
                         std::abs(p - static_cast<double>(i + 1) / n)});
  }
  EXPECT_LT(distance, 2.2 / std::sqrt(n));
}

double NormalCdf(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

TEST(InverseNormalTest, InvertsTheDistributionFunction) {
  // erfc is accurate in the lower tail; the upper tail follows by symmetry.
  for (double z = -8.2; z < 0; z += 0.01) {
    const double p = NormalCdf(z);
    EXPECT_NEAR(InverseNormal(p), z, 1e-13 * std::abs(z) + 1e-14) << z;
  }
  for (const double p : {0x1p-30, 0x1p-10, 0.01, 0.05, 0.25, 0.375, 0.5}) {
    EXPECT_NEAR(InverseNormal(1 - p), -InverseNormal(p), 1e-9);
  }
  EXPECT_NEAR(InverseNormal(0.99), 2.3263478740408408, 1e-14);
  EXPECT_EQ(InverseNormal(0.5), 0.0);
}

TEST(DistributionTest, Fixed) {
  const Distribution d = Distribution::Fixed(milliseconds(1'500)).value();
  RandomStream random(1, "a", "b");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(d.Sample(random), milliseconds(1'500));
  EXPECT_EQ(d.Mean(), milliseconds(1'500));
  EXPECT_EQ(Distribution().Sample(random), Duration::zero());
}

TEST(DistributionTest, Uniform) {
  const Distribution d = Distribution::Uniform(seconds(2), seconds(5)).value();
  const auto samples = SortedSamples(d, 11);
  EXPECT_GE(samples.front(), 2);
  EXPECT_LE(samples.back(), 5);
  ExpectFits(samples, [](double x) { return (x - 2) / 3; });
  EXPECT_NEAR(Average(samples), ToSeconds(d.Mean()), 5 * 3 / std::sqrt(12.0 * kDraws));
}

TEST(DistributionTest, UniformReachesBothEndsAndTheWholeRange) {
  const Distribution d = Distribution::Uniform(Duration(7), Duration(9)).value();
  EXPECT_EQ(d.Sample(0).count(), 7);
  EXPECT_EQ(d.Sample(uint64_t{1} << 63).count(), 8);
  EXPECT_EQ(d.Sample(UINT64_MAX).count(), 9);
  const Distribution all = Distribution::Uniform(Duration(0), Duration::max()).value();
  EXPECT_EQ(all.Sample(0).count(), 0);
  EXPECT_EQ(all.Sample(UINT64_MAX), Duration::max());
}

TEST(DistributionTest, Exponential) {
  const Distribution d = Distribution::Exponential(seconds(3)).value();
  const auto samples = SortedSamples(d, 12);
  EXPECT_GE(samples.front(), 0);
  ExpectFits(samples, [](double x) { return -std::expm1(-x / 3); });
  EXPECT_NEAR(Average(samples), 3, 5 * 3 / std::sqrt(kDraws));
  EXPECT_EQ(d.Mean(), seconds(3));
  EXPECT_EQ(d.Sample(0), Duration::zero());
}

TEST(DistributionTest, Lognormal) {
  const Distribution d = Distribution::Lognormal(seconds(20), seconds(90)).value();
  const auto samples = SortedSamples(d, 13);
  const double mu = std::log(20.0);
  const double sigma = (std::log(90.0) - mu) / 2.3263478740408408;
  ExpectFits(samples, [&](double x) { return NormalCdf((std::log(x) - mu) / sigma); });
  const double mean = std::exp(mu + sigma * sigma / 2);
  EXPECT_NEAR(ToSeconds(d.Mean()), mean, 1e-8);
  const double deviation = mean * std::sqrt(std::expm1(sigma * sigma));
  EXPECT_NEAR(Average(samples), mean, 5 * deviation / std::sqrt(kDraws));
  // The share of samples below a quantile p is binomial with deviation sqrt(p (1 - p) / n).
  for (const auto& [p, x] : {std::pair{0.5, 20.0}, std::pair{0.99, 90.0}}) {
    const auto below = std::lower_bound(samples.begin(), samples.end(), x) - samples.begin();
    EXPECT_NEAR(static_cast<double>(below) / kDraws, p, 5 * std::sqrt(p * (1 - p) / kDraws));
  }
  const Distribution point = Distribution::Lognormal(seconds(1), seconds(1)).value();
  EXPECT_NEAR(ToSeconds(point.Sample(12345)), 1.0, 1e-6);
}

TEST(DistributionTest, Empirical) {
  const Distribution d =
      Distribution::Empirical(
          {{seconds(9), 2}, {seconds(1), 1}, {seconds(4), 0}, {seconds(2), 5}, {seconds(99), 0}})
          .value();
  const auto samples = SortedSamples(d, 14);
  const auto share = [&](double x) {
    const auto [from, to] = std::equal_range(samples.begin(), samples.end(), x);
    return static_cast<double>(to - from) / kDraws;
  };
  EXPECT_NEAR(share(1), 0.125, 5 * std::sqrt(0.125 * 0.875 / kDraws));
  EXPECT_NEAR(share(2), 0.625, 5 * std::sqrt(0.625 * 0.375 / kDraws));
  EXPECT_NEAR(share(9), 0.25, 5 * std::sqrt(0.25 * 0.75 / kDraws));
  EXPECT_EQ(share(4), 0);
  EXPECT_EQ(share(99), 0);
  EXPECT_EQ(d.Sample(0), seconds(1));
  EXPECT_EQ(d.Sample(UINT64_MAX), seconds(9));
  EXPECT_EQ(d.Mean(), milliseconds(3'625));
}

std::vector<Distribution> OneOfEach() {
  return {Distribution::Fixed(seconds(5)).value(),
          Distribution::Uniform(seconds(1), milliseconds(2'500)).value(),
          Distribution::Exponential(hours(4)).value(),
          Distribution::Lognormal(seconds(20), seconds(90)).value(),
          Distribution::Empirical({{seconds(60), 0.5}, {Duration(1'234), 1}}).value()};
}

// Against sums over the quantiles at the middles of 2^20 equal cells, which miss the outermost of
// the tails.
TEST(DistributionTest, MomentsAreThoseOfTheQuantiles) {
  std::vector<Distribution> all = OneOfEach();
  all.push_back(Distribution::Uniform(Duration(3), Duration(5)).value());
  for (const Distribution& d : all) {
    constexpr int kCells = 1 << 20;
    std::vector<double> x(kCells);
    double mean = 0;
    for (uint64_t i = 0; i < kCells; ++i) {
      x[i] = static_cast<double>(d.Sample((2 * i + 1) << 43).count());
      mean += x[i] / kCells;
    }
    double variance = 0;
    double third = 0;
    for (const double value : x) {
      variance += (value - mean) * (value - mean) / kCells;
      third += (value - mean) * (value - mean) * (value - mean) / kCells;
    }
    const Distribution::Moments moments = d.ComputeMoments();
    EXPECT_NEAR(moments.mean, mean, 1e-4 * mean) << d.ToString();
    EXPECT_NEAR(moments.variance, variance, 2e-3 * variance + 1e-9) << d.ToString();
    EXPECT_NEAR(moments.third_central, third, 2e-2 * std::pow(variance, 1.5) + 1e-9)
        << d.ToString();
    EXPECT_NEAR(moments.mean, static_cast<double>(d.Mean().count()), 0.51) << d.ToString();
  }
}

TEST(DistributionTest, SamplesRiseWithTheDrawAndAreNeverNegative) {
  for (const Distribution& d : OneOfEach()) {
    Duration last = Duration::zero();
    for (uint64_t i = 0; i < 4'096; ++i) {
      const Duration sample = d.Sample((i << 52) | (i == 4'095 ? (uint64_t{1} << 52) - 1 : 0));
      EXPECT_GE(sample, last) << d.ToString() << " " << i;
      last = sample;
    }
  }
}

TEST(DistributionTest, EverySampleTakesOneDraw) {
  for (const Distribution& d : OneOfEach()) {
    RandomStream a(1, "a", "b");
    RandomStream b(1, "a", "b");
    for (int i = 0; i < 100; ++i) EXPECT_EQ(d.Sample(a), d.Sample(b.NextU64()));
    EXPECT_EQ(a.NextU64(), b.NextU64());
  }
}

TEST(DistributionTest, HugeSamplesAreCut) {
  const Distribution e = Distribution::Exponential(Duration::max()).value();
  EXPECT_EQ(e.Sample(UINT64_MAX), Duration::max());
  const Distribution l = Distribution::Lognormal(Duration(1), Duration::max()).value();
  EXPECT_EQ(l.Sample(UINT64_MAX), Duration::max());
  EXPECT_EQ(l.Sample(0), Duration::zero());
}

TEST(DistributionTest, Text) {
  std::vector<std::string> texts;
  for (const Distribution& d : OneOfEach()) texts.push_back(d.ToString());
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "5s", "{uniform: {min: 1s, max: 2500ms}}", "{exponential: {mean: 4h}}",
                       "{lognormal: {p50: 20s, p99: 90s}}",
                       "{empirical: [{value: 1234ns, weight: 1}, {value: 1m, weight: 0.5}]}"}));
  EXPECT_EQ(Distribution().ToString(), "0s");
}

TEST(DistributionTest, Equality) {
  const auto all = OneOfEach();
  const auto again = OneOfEach();
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < all.size(); ++j) EXPECT_EQ(all[i] == again[j], i == j);
  }
}

TEST(DistributionTest, RefusesWhatIsNoDistribution) {
  const Duration minus(-1);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Result<Distribution>& result : {
           Distribution::Fixed(minus),
           Distribution::Uniform(minus, seconds(1)),
           Distribution::Uniform(seconds(2), seconds(1)),
           Distribution::Exponential(minus),
           Distribution::Lognormal(Duration(0), seconds(1)),
           Distribution::Lognormal(seconds(2), seconds(1)),
           Distribution::Empirical({}),
           Distribution::Empirical({{minus, 1}}),
           Distribution::Empirical({{seconds(1), -1}, {seconds(1), 2}}),
           Distribution::Empirical({{seconds(1), 0}}),
           Distribution::Empirical({{seconds(1), infinity}}),
           Distribution::Empirical({{seconds(1), std::nan("")}}),
       }) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, "InvalidDistribution");
    EXPECT_FALSE(result.error().message.empty());
  }
}

// Computed apart from this code, in Python: a change here changes every stored result.
TEST(DistributionTest, GoldenSamples) {
  std::vector<std::vector<int64_t>> samples;
  for (const Distribution& d : OneOfEach()) {
    RandomStream random(42, "golden", "samples");
    auto& row = samples.emplace_back();
    for (int i = 0; i < 3; ++i) row.push_back(d.Sample(random).count());
  }
  EXPECT_EQ(samples,
            (std::vector<std::vector<int64_t>>{{5000000000, 5000000000, 5000000000},
                                               {1639455533, 1242527224, 1978720622},
                                               {8001433403690, 2539600338396, 15219853255904},
                                               {17736237551, 10561728552, 25769527543},
                                               {1234, 1234, 1234}}));
}

}  // namespace
}  // namespace cnisim
