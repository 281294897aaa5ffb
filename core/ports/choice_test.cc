#include "core/ports/choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace cnisim {
namespace {

using std::chrono::seconds;

TEST(Choice, OldestIsAlwaysFirst) {
  const Choice choice = Choice::Oldest();
  for (size_t n = 1; n < 20; ++n) EXPECT_EQ(choice.Start(n, kTimeZero + seconds(n), n), 0u);
  EXPECT_EQ(choice.Jitter(seconds(10), kTimeZero, 1), Duration::zero());
}

// 3000 draws over 6 places: each gets 500 on average; 400 to 600 is five standard deviations.
TEST(Choice, RandomReachesEveryPlaceEvenly) {
  const Choice choice = Choice::Random(1);
  std::vector<int> hits(6);
  for (int i = 0; i < 3000; ++i) ++hits[choice.Start(6, kTimeZero + seconds(i), 3)];
  EXPECT_GE(std::ranges::min(hits), 400);
  EXPECT_LE(std::ranges::max(hits), 600);
}

TEST(Choice, DrawsDependOnSeedTimeAndSaltOnly) {
  const Choice a = Choice::Random(1);
  const Choice b = Choice::Random(2);
  int same_seed = 0;
  int same_salt = 0;
  int same_time = 0;
  for (int i = 0; i < 1000; ++i) {
    const TimePoint now = kTimeZero + seconds(i);
    const size_t drawn = a.Start(1000, now, 1);
    EXPECT_EQ(drawn, a.Start(1000, now, 1));
    same_seed += drawn == b.Start(1000, now, 1) ? 1 : 0;
    same_salt += drawn == a.Start(1000, now, 2) ? 1 : 0;
    same_time += drawn == a.Start(1000, now + Duration(1), 1) ? 1 : 0;
  }
  EXPECT_LT(same_seed, 10);
  EXPECT_LT(same_salt, 10);
  EXPECT_LT(same_time, 10);
}

}  // namespace
}  // namespace cnisim
