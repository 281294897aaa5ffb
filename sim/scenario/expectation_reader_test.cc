#include "sim/scenario/expectation_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

namespace cnisim {
namespace {

LabelCheck AnyLabel(EntityKind, const std::string&) { return {}; }

constexpr std::array<std::string_view, 11> kStatistics{"min", "max",  "mean", "p50", "p90",  "p95",
                                                       "p99", "p999", "last", "sum", "count"};

// Every metric with every statistic: accepted exactly as the header says.
TEST(ParseExpectation, StatisticsSuitTheirMetrics) {
  for (const MetricInfo& metric : AllMetrics()) {
    for (size_t i = 0; i < kStatistics.size(); ++i) {
      const std::string_view name = kStatistics[i];
      bool suits = false;
      switch (metric.kind) {
        case MetricKind::kGauge:
          suits = name == "min" || name == "max" || name == "mean" || name == "last";
          break;
        case MetricKind::kCounter:
          suits = name == "sum" || name == "last";
          break;
        case MetricKind::kDistribution:
          suits = name != "last";
          break;
      }
      const auto parsed = ParseExpectation(fmt::format("{}.{} >= 2", metric.name, name), AnyLabel);
      ASSERT_EQ(parsed.has_value(), suits) << metric.name << "." << name;
      if (!parsed) continue;
      EXPECT_EQ(parsed->figure.metric, metric.id);
      EXPECT_EQ(parsed->figure.statistic, static_cast<Statistic>(i));
      EXPECT_EQ(parsed->bound, 2);
    }
  }
}

TEST(ParseExpectation, ReadsEveryComparison) {
  const std::pair<const char*, Comparison> comparisons[] = {{"<=", Comparison::kLessEqual},
                                                            {"<", Comparison::kLess},
                                                            {">=", Comparison::kGreaterEqual},
                                                            {">", Comparison::kGreater},
                                                            {"==", Comparison::kEqual}};
  for (const auto& [token, comparison] : comparisons) {
    for (const char* space : {"", " ", "  "}) {
      const std::string text = fmt::format("pods_running.min{}{}{}7", space, token, space);
      const auto parsed = ParseExpectation(text, AnyLabel);
      ASSERT_TRUE(parsed) << text;
      EXPECT_EQ(parsed->comparison, comparison);
      EXPECT_EQ(parsed->assertion, text);
    }
  }
}

TEST(ParseExpectation, ReadsBoundsInTheMetricsUnit) {
  const auto bound = [](std::string_view text) {
    return ParseExpectation(text, AnyLabel).value().bound;
  };
  EXPECT_EQ(bound("pod_start_seconds.p99 <= 5"), 5);
  EXPECT_EQ(bound("pod_start_seconds.p99 <= 5s"), 5);
  EXPECT_EQ(bound("pod_start_seconds.p99 <= 1m30s"), 90);
  EXPECT_EQ(bound("pod_start_seconds.p99 <= 0.25"), 0.25);
  EXPECT_EQ(bound("pod_start_seconds.count >= 1e3"), 1000);
}

// The label key is the metric's own kind, and only that.
TEST(ParseExpectation, LabelsAreTheMetricsOwn) {
  constexpr EntityKind kKinds[] = {
      EntityKind::kCluster,  EntityKind::kSubnet, EntityKind::kNodeGroup, EntityKind::kNode,
      EntityKind::kWorkload, EntityKind::kAction, EntityKind::kTraffic};
  for (const MetricInfo& metric : AllMetrics()) {
    const char* statistic = metric.kind == MetricKind::kCounter        ? "sum"
                            : metric.kind == MetricKind::kDistribution ? "p50"
                                                                       : "min";
    for (const EntityKind kind : kKinds) {
      const std::string text =
          fmt::format("{}{{{}=\"x\"}}.{} > 0", metric.name, NameOf(kind), statistic);
      const auto parsed = ParseExpectation(text, AnyLabel);
      ASSERT_EQ(parsed.has_value(), kind == metric.label && kind != EntityKind::kCluster) << text;
      if (parsed) {
        EXPECT_EQ(parsed->figure.entity, "x");
      }
    }
  }
}

// Every proper beginning of an assertion is refused, with a message.
TEST(ParseExpectation, RefusesEveryTruncation) {
  const std::string text = "pod_ip_wait_seconds{workload=\"api\"}.p99 <= ";
  for (size_t n = 0; n <= text.size(); ++n) {
    const auto parsed = ParseExpectation(std::string_view(text).substr(0, n), AnyLabel);
    ASSERT_FALSE(parsed) << text.substr(0, n);
    EXPECT_FALSE(parsed.error().message.empty());
  }
  EXPECT_TRUE(ParseExpectation(text + "1", AnyLabel));
  for (const char* bad :
       {"pods_running.min > 1 2", "pods_running.min => 1", "pods_running.min <> 1",
        "pods_running.min >>1", "pods_running.min === 1", "pods_running.min > 1s",
        "pods_running.min > nan", "pods_running{}.min > 1"}) {
    EXPECT_FALSE(ParseExpectation(bad, AnyLabel)) << bad;
  }
}

}  // namespace
}  // namespace cnisim
