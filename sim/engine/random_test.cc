#include "sim/engine/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace cnisim {
namespace {

// xoshiro256** 1.0 as its authors print it, over a state that SplitMix64 fills.
class Xoshiro {
 public:
  explicit Xoshiro(uint64_t root) {
    for (uint64_t& word : s_) {
      root += 0x9e3779b97f4a7c15;
      uint64_t z = root;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }
  uint64_t Next() {
    const uint64_t result = Rotate(s_[1] * 5, 7) * 9;
    const uint64_t t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = Rotate(s_[3], 45);
    return result;
  }

 private:
  static uint64_t Rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  uint64_t s_[4];
};

TEST(RandomTest, NamesHashAsFnv1a) {
  // Test vectors of draft-eastlake-fnv.
  EXPECT_EQ(HashName(""), 0xcbf29ce484222325u);
  EXPECT_EQ(HashName("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(HashName("foobar"), 0x85944171f73967e8u);
}

TEST(RandomTest, IsXoshiroSeededBySplitMix) {
  RandomStream stream(42, "node-1", "sandbox");
  Xoshiro twin(HashMix(HashMix(HashMix(42) ^ HashName("node-1")) ^ HashName("sandbox")));
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(stream.NextU64(), twin.Next());
}

TEST(RandomTest, StreamsDifferBySeedEntityAndPurpose) {
  std::set<uint64_t> first;
  int streams = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (const char* entity : {"", "a", "b", "node-1", "node-2"}) {
      for (const char* purpose : {"", "a", "b", "latency", "jitter"}) {
        first.insert(RandomStream(seed, entity, purpose).NextU64());
        ++streams;
      }
    }
  }
  EXPECT_EQ(first.size(), static_cast<size_t>(streams));
}

TEST(RandomTest, DoublesFillTheUnitInterval) {
  EXPECT_EQ(UnitDouble(0), 0.0);
  EXPECT_EQ(UnitDouble(UINT64_MAX), 1 - 0x1p-53);
  RandomStream stream(1, "x", "y");
  constexpr int kDraws = 1'000'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.NextDouble();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  // Five standard errors of the mean (1/sqrt(12 n)) and of the second moment (sqrt(4/45 / n)).
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kDraws));
}

TEST(RandomTest, BelowIsUniform) {
  for (const uint64_t n : {1, 2, 3, 7, 10, 64, 100}) {
    RandomStream stream(2, "below", std::to_string(n));
    constexpr int kDraws = 100'000;
    std::vector<int> counts(n);
    for (int i = 0; i < kDraws; ++i) ++counts.at(stream.NextBelow(n));
    double chi_squared = 0;
    const double expected = static_cast<double>(kDraws) / static_cast<double>(n);
    for (const int count : counts)
      chi_squared += (count - expected) * (count - expected) / expected;
    // Mean n - 1, variance 2 (n - 1); five standard deviations and a little for small n.
    const auto freedom = static_cast<double>(n - 1);
    EXPECT_LE(chi_squared, freedom + 5 * std::sqrt(2 * freedom) + 10) << n;
  }
}

TEST(RandomTest, BelowRejectsWhatWouldBias) {
  // With n = 3 * 2^62, plain multiplication would hit multiples of 3 twice as often as the rest.
  constexpr uint64_t kN = uint64_t{3} << 62;
  RandomStream stream(3, "below", "large");
  constexpr int kDraws = 300'000;
  std::array<int, 3> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t x = stream.NextBelow(kN);
    ASSERT_LT(x, kN);
    ++counts[x % 3];
  }
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 3.0, 5 * std::sqrt(kDraws * 2.0 / 9));
}

TEST(RandomTest, Bernoulli) {
  RandomStream stream(4, "b", "p");
  constexpr int kDraws = 100'000;
  int hits = 0;
  for (int i = 0; i < kDraws; ++i) {
    ASSERT_FALSE(stream.Bernoulli(0));
    ASSERT_TRUE(stream.Bernoulli(1));
    hits += stream.Bernoulli(0.3) ? 1 : 0;
  }
  EXPECT_NEAR(hits, 0.3 * kDraws, 5 * std::sqrt(kDraws * 0.3 * 0.7));
}

TEST(RandomTest, KeyedDrawsDependOnTheTickAlone) {
  static_assert(KeyedDraw(1, 2, 3, 4) == KeyedDraw(1, 2, 3, 4));
  std::set<uint64_t> draws;
  std::array<int, 64> ones{};
  constexpr int kTicks = 20'000;
  for (uint64_t tick = 0; tick < kTicks; ++tick) {
    const uint64_t draw = KeyedDraw(1, HashName("node-1"), HashName("poll"), tick);
    draws.insert(draw);
    for (int bit = 0; bit < 64; ++bit) ones[bit] += (draw >> bit) & 1;
    EXPECT_NE(draw, KeyedDraw(2, HashName("node-1"), HashName("poll"), tick));
    EXPECT_NE(draw, KeyedDraw(1, HashName("node-2"), HashName("poll"), tick));
    EXPECT_NE(draw, KeyedDraw(1, HashName("node-1"), HashName("sync"), tick));
  }
  EXPECT_EQ(draws.size(), static_cast<size_t>(kTicks));
  for (const int count : ones) EXPECT_NEAR(count, kTicks / 2, 5 * std::sqrt(kTicks / 4.0));
}

// Computed apart from this code, in Python: a change of any stream changes every stored result.
TEST(RandomTest, GoldenDraws) {
  RandomStream stream(42, "node-1", "sandbox");
  EXPECT_EQ(stream.NextU64(), 15335483728686075638u);
  EXPECT_EQ(stream.NextU64(), 9148431916309703194u);
  EXPECT_EQ(stream.NextDouble(), 0x1.37105e9618a00p-9);
  EXPECT_EQ(stream.NextBelow(1'000'000), 136774u);
  EXPECT_EQ(KeyedDraw(42, HashName("node-1"), HashName("poll"), 7), 10340500306294028025u);
}

}  // namespace
}  // namespace cnisim
