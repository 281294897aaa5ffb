#include "results/expectation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "results/record_stream_testing.h"

namespace cnisim {
namespace {

class ExpectationTest : public testing::Test {
 protected:
  ExpectationTest() : summary_(At(0)) {
    EntityRecord api;
    api.id = 1;
    api.kind = EntityKind::kWorkload;
    api.name = "api";
    summary_.OnEntity(api);
    for (int i = 1; i <= 100; ++i) {
      summary_.OnSample(Metric::kPodIpWaitSeconds, 1, At(i), std::chrono::milliseconds(10 * i),
                        false);
    }
  }

  ExpectationResult Judge(std::optional<std::string> entity, Statistic statistic,
                          Comparison comparison, double bound) {
    ExpectationSpec spec;
    spec.name = "n";
    spec.assertion = "a";
    spec.figure.metric = Metric::kPodIpWaitSeconds;
    spec.figure.entity = std::move(entity);
    spec.figure.statistic = statistic;
    spec.comparison = comparison;
    spec.bound = bound;
    return Evaluate({&spec, 1}, summary_).at(0);
  }

  Summary summary_;
};

TEST_F(ExpectationTest, ComparesExactly) {
  summary_.OnEnd(At(200));
  for (const double bound : {0.98, 0.99, 1.0}) {
    const double p99 = 0.99;
    EXPECT_EQ(Judge({}, Statistic::kP99, Comparison::kLessEqual, bound).passed, p99 <= bound);
    EXPECT_EQ(Judge({}, Statistic::kP99, Comparison::kLess, bound).passed, p99 < bound);
    EXPECT_EQ(Judge({}, Statistic::kP99, Comparison::kGreaterEqual, bound).passed, p99 >= bound);
    EXPECT_EQ(Judge({}, Statistic::kP99, Comparison::kGreater, bound).passed, p99 > bound);
    EXPECT_EQ(Judge({}, Statistic::kP99, Comparison::kEqual, bound).passed, p99 == bound);
  }
  EXPECT_EQ(Judge("api", Statistic::kP99, Comparison::kLess, 1).observed, 0.99);
}

TEST_F(ExpectationTest, PodThatNeverGotAnAddressFailsUpperBounds) {
  for (int i = 0; i < 2; ++i) {
    summary_.OnSample(Metric::kPodIpWaitSeconds, 1, At(200), Duration(1), true);
  }
  summary_.OnEnd(At(200));
  EXPECT_TRUE(Judge({}, Statistic::kP90, Comparison::kLessEqual, 1).passed);
  const ExpectationResult p99 = Judge({}, Statistic::kP99, Comparison::kLessEqual, 1e9);
  EXPECT_FALSE(p99.passed);
  EXPECT_TRUE(std::isinf(*p99.observed));
  EXPECT_FALSE(Judge({}, Statistic::kMax, Comparison::kLess, 1e300).passed);
}

TEST_F(ExpectationTest, WhatWasNotMeasuredHasNotPassed) {
  summary_.OnEnd(At(200));
  for (const Comparison c : {Comparison::kLessEqual, Comparison::kGreaterEqual}) {
    const ExpectationResult result = Judge("nobody", Statistic::kP99, c, 1);
    EXPECT_FALSE(result.passed);
    EXPECT_FALSE(result.observed);
  }
}

TEST(Expectation, WarnOnlyDoesNotFailTheRun) {
  ExpectationResult result;
  EXPECT_TRUE(result.fails_run());
  result.warn_only = true;
  EXPECT_FALSE(result.fails_run());
}

}  // namespace
}  // namespace cnisim
