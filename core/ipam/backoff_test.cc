#include "core/ipam/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace cnisim {
namespace {

using std::chrono::seconds;

// E4: 30 % of 10 s is added at random, never more, and not always the same.
TEST(Backoff, JitterStaysInItsRange) {
  const BackoffRule rule{seconds(10), seconds(60), 30, 2, 5};
  const Choice choice = Choice::Random(7);
  std::set<Duration> seen;
  for (int i = 0; i < 1000; ++i) {
    Backoff backoff(rule, choice, 1);
    ASSERT_TRUE(backoff.Next());
    const Duration pause = backoff.Pause(kTimeZero + seconds(i));
    EXPECT_GE(pause, seconds(10));
    EXPECT_LT(pause, seconds(13));
    seen.insert(pause);
    // The jitter of one pause does not add to the next.
    const Duration second = backoff.Pause(kTimeZero + seconds(i));
    EXPECT_GE(second, seconds(20));
    EXPECT_LT(second, seconds(26));
  }
  EXPECT_GT(seen.size(), 900u);
}

TEST(Backoff, AFirstPauseAboveTheLongestIsCut) {
  const BackoffRule rule{seconds(90), seconds(60), 0, 2, 3};
  const Choice choice = Choice::Oldest();
  Backoff backoff(rule, choice, 0);
  EXPECT_EQ(backoff.Pause(kTimeZero), seconds(60));
  EXPECT_EQ(backoff.Pause(kTimeZero), seconds(60));
}

}  // namespace
}  // namespace cnisim
