#include "sim/observe/histogram.h"

#include <gtest/gtest.h>

#include "core/net/hash.h"

namespace cnisim {
namespace {

TEST(Histogram, SmallValuesFallIntoAdjacentBucketsWithoutGaps) {
  Bucket previous = BucketOf(0);
  EXPECT_EQ(previous.low, 0);
  for (int64_t value = 0; value < 200'000; ++value) {
    const Bucket bucket = BucketOf(value);
    ASSERT_LE(bucket.low, value);
    ASSERT_GT(bucket.high, value);
    ASSERT_TRUE(bucket == previous || bucket.low == previous.high) << value;
    previous = bucket;
  }
}

TEST(Histogram, BucketsAreAtMostOnePart128thWide) {
  for (uint64_t i = 0; i < 100'000; ++i) {
    const auto value = static_cast<int64_t>(HashMix(i) >> (1 + i % 60));
    const Bucket bucket = BucketOf(value);
    ASSERT_LE(bucket.low, value);
    ASSERT_TRUE(bucket.high > value || value == INT64_MAX);
    const uint64_t width = static_cast<uint64_t>(bucket.high) - static_cast<uint64_t>(bucket.low);
    ASSERT_TRUE(width == 1 || width <= static_cast<uint64_t>(bucket.low) / 128) << value;
    ASSERT_EQ(BucketOf(bucket.low), bucket);
    if (bucket.high != INT64_MAX) {
      ASSERT_EQ(BucketOf(bucket.high).low, bucket.high);
    }
  }
}

TEST(Histogram, NumbersRunThroughTheBucketsWithoutGaps) {
  int64_t low = 0;
  for (int index = 0; index < kBucketCount; ++index) {
    const Bucket bucket = BucketAt(index);
    ASSERT_EQ(bucket.low, low);
    ASSERT_EQ(BucketIndexOf(bucket.low), index);
    ASSERT_EQ(BucketIndexOf(bucket.high - 1), index);
    low = bucket.high;
  }
  EXPECT_EQ(low, INT64_MAX);
}

TEST(Histogram, Extremes) {
  EXPECT_EQ(BucketOf(-5), (Bucket{0, 1}));
  EXPECT_EQ(BucketOf(255), (Bucket{255, 256}));
  EXPECT_EQ(BucketOf(257), (Bucket{256, 258}));
  EXPECT_EQ(BucketOf(INT64_MAX).high, INT64_MAX);
}

}  // namespace
}  // namespace cnisim
