// Log-linear histogram buckets over non-negative integers, as in HdrHistogram: 128 buckets of equal
// width per power of two, so a bucket is at most 1/128 (0.8 %) of its values wide; values below 128
// have buckets of their own. The buckets are the same for all histograms, which makes merging a
// sum.
#ifndef CNISIM_SIM_OBSERVE_HISTOGRAM_H_
#define CNISIM_SIM_OBSERVE_HISTOGRAM_H_

#include <bit>
#include <cstdint>

namespace cnisim {

struct Bucket {
  int64_t low = 0;   // first value in it
  int64_t high = 0;  // first value after it

  friend bool operator==(const Bucket&, const Bucket&) = default;
};

inline constexpr int kBucketBits = 7;  // 2^7 buckets per power of two

// Buckets are numbered from 0 in the order of their values, without gaps.
inline constexpr int kBucketCount = (63 - kBucketBits + 1) << kBucketBits;

// The number of the bucket of `value`; negative values count as 0. Integer arithmetic only, O(1).
constexpr int BucketIndexOf(int64_t value) {
  if (value < 0) value = 0;
  const int bits = std::bit_width(static_cast<uint64_t>(value));
  const int shift = bits > kBucketBits + 1 ? bits - kBucketBits - 1 : 0;
  return (shift << kBucketBits) + static_cast<int>(value >> shift);
}

// The bucket of that number, 0 <= index < kBucketCount. O(1).
constexpr Bucket BucketAt(int index) {
  const int shift = index >> kBucketBits > 0 ? (index >> kBucketBits) - 1 : 0;
  const int64_t low = static_cast<int64_t>(index - (shift << kBucketBits)) << shift;
  // The last bucket of all ends at the largest integer.
  const uint64_t high = static_cast<uint64_t>(low) + (uint64_t{1} << shift);
  return {low, high > INT64_MAX ? INT64_MAX : static_cast<int64_t>(high)};
}

// The bucket of `value`; negative values count as 0. O(1).
constexpr Bucket BucketOf(int64_t value) { return BucketAt(BucketIndexOf(value)); }

}  // namespace cnisim

#endif  // CNISIM_SIM_OBSERVE_HISTOGRAM_H_
