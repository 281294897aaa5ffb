#include "sim/cloud/token_bucket.h"

#include <gtest/gtest.h>

#include "sim/engine/random.h"

namespace cnisim {
namespace {

TimePoint At(int64_t ns) { return TimePoint(Duration(ns)); }

// The slow twin fills nanosecond by nanosecond.
class SlowBucket {
 public:
  SlowBucket(int64_t capacity, int64_t millitokens_per_second)
      : capacity_(capacity * 1'000'000'000'000), rate_(millitokens_per_second), level_(capacity_) {}
  bool TryTake(int64_t now) {
    for (; now_ < now; ++now_) level_ = std::min(capacity_, level_ + rate_);
    if (level_ < 1'000'000'000'000) return false;
    level_ -= 1'000'000'000'000;
    return true;
  }

 private:
  int64_t capacity_, rate_, level_, now_ = 0;
};

TEST(TokenBucket, AgreesWithTheSlowTwin) {
  RandomStream random(1, "bucket", "test");
  for (int round = 0; round < 200; ++round) {
    const auto capacity = static_cast<int64_t>(random.NextBelow(5));
    const auto rate = static_cast<int64_t>(random.NextBelow(900'000'000));
    TokenBucket bucket(static_cast<double>(capacity), static_cast<double>(rate) / 1e3, At(0));
    TokenBucket watched = bucket;
    SlowBucket slow(capacity, rate);
    int64_t now = 0;
    for (int i = 0; i < 60; ++i) {
      now += static_cast<int64_t>(random.NextBelow(random.NextBelow(4) == 0 ? 6000 : 300));
      const bool expected = slow.TryTake(now);
      EXPECT_EQ(bucket.TryTake(At(now)), expected);
      // Looking in between changes nothing.
      EXPECT_GE(watched.tokens(At(now)), 0);
      EXPECT_EQ(watched.TryTake(At(now)), expected);
      EXPECT_TRUE(bucket.Valid());
    }
  }
}

TEST(TokenBucket, BurstThenRefill) {
  TokenBucket bucket(100, 5, At(0));
  int taken = 0;
  for (int64_t ms = 0; ms < 10'000; ++ms) taken += bucket.TryTake(At(ms * 1'000'000)) ? 1 : 0;
  EXPECT_EQ(taken, 100 + 49);  // the 50th refilled token is whole at 10 s
  EXPECT_TRUE(bucket.TryTake(At(10'000'000'000)));
  EXPECT_FALSE(bucket.TryTake(At(10'000'000'000)));
}

TEST(TokenBucket, FractionalRatesAreExactOverYears) {
  TokenBucket bucket(4, 0.3, At(0));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(bucket.TryTake(At(0)));
  // A token every 10/3 s, looked at every 100 ms.
  int taken = 0;
  for (int64_t t = 1; t <= 1'000'000; ++t) taken += bucket.TryTake(At(t * 100'000'000)) ? 1 : 0;
  EXPECT_EQ(taken, 30'000);
  EXPECT_EQ(bucket.tokens(TimePoint::max()), 4);
}

TEST(TokenBucket, DegenerateBuckets) {
  TokenBucket empty(0, 1000, At(0));
  EXPECT_FALSE(empty.TryTake(At(1'000'000'000)));
  TokenBucket never_filled(1, 0, At(0));
  EXPECT_TRUE(never_filled.TryTake(At(5)));
  EXPECT_FALSE(never_filled.TryTake(TimePoint::max()));
  TokenBucket huge(1e300, 1e300, At(-1'000'000));
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(huge.TryTake(At(i)));
  EXPECT_TRUE(huge.Valid());
}

}  // namespace
}  // namespace cnisim
