#include "results/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "results/record_stream_testing.h"

namespace cnisim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// --- The twin: everything from the list of records, nanosecond by nanosecond ---------------------

struct NaiveGauge {
  double min, max, mean, last;
};

std::optional<NaiveGauge> NaiveGaugeOf(const RecordStream& stream, Metric metric, EntityId entity,
                                       TimePoint from) {
  std::vector<GaugeCall> calls;
  for (const GaugeCall& call : stream.All<GaugeCall>()) {
    if (call.metric == metric && call.entity == entity) calls.push_back(call);
  }
  if (calls.empty()) return std::nullopt;
  std::multiset<int64_t> levels;
  double area = 0, ticks = 0;
  for (size_t i = 0; i < calls.size(); ++i) {
    const TimePoint until = i + 1 < calls.size() ? calls[i + 1].time : stream.end();
    if (calls[i].time >= from || until > from) levels.insert(calls[i].level);
    for (TimePoint t = calls[i].time; t < until; t += Duration(1)) {
      if (t < from) continue;
      area += static_cast<double>(calls[i].level);
      ++ticks;
    }
  }
  const auto last = static_cast<double>(calls.back().level);
  if (levels.empty()) levels.insert(calls.back().level);
  return NaiveGauge{static_cast<double>(*levels.begin()), static_cast<double>(*levels.rbegin()),
                    ticks == 0 ? last : area / ticks, last};
}

std::vector<double> NaiveSamples(const RecordStream& stream, Metric metric,
                                 std::optional<EntityId> entity, TimePoint from) {
  std::vector<double> seconds;
  for (const SampleCall& call : stream.All<SampleCall>()) {
    if (call.metric != metric || (entity && call.entity != *entity) || call.time < from) continue;
    seconds.push_back(call.end_of_run ? kInfinity : static_cast<double>(call.value.count()) / 1e9);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

// The smallest value that at least p percent of the values do not exceed.
double NaivePercentile(const std::vector<double>& values, double percent) {
  for (const double v : values) {
    const auto below =
        std::count_if(values.begin(), values.end(), [&](double w) { return w <= v; });
    if (static_cast<double>(below) * 100 >= percent * static_cast<double>(values.size()) - 1e-9) {
      return v;
    }
  }
  return kInfinity;
}

class SummaryTwin : public testing::TestWithParam<int> {
 protected:
  SummaryTwin()
      : stream_(static_cast<uint64_t>(GetParam()) * 1000, 60 + 40 * (GetParam() % 10), 3),
        from_(GetParam() % 3 == 0 ? At(0) : At(stream_.end().time_since_epoch().count() / 3)),
        summary_(from_) {
    stream_.PlayAll(summary_);
  }

  RecordStream stream_;
  TimePoint from_;
  Summary summary_;
};

TEST_P(SummaryTwin, Gauges) {
  for (const MetricInfo& info : AllMetrics()) {
    if (info.kind != MetricKind::kGauge) continue;
    std::vector<NaiveGauge> all;
    for (EntityId entity = 0; entity < 12; ++entity) {
      const auto naive = NaiveGaugeOf(stream_, info.id, entity, from_);
      ASSERT_EQ(summary_.Value(info.id, entity, Statistic::kMin).has_value(), naive.has_value());
      if (!naive) continue;
      all.push_back(*naive);
      EXPECT_EQ(summary_.Value(info.id, entity, Statistic::kMin), naive->min);
      EXPECT_EQ(summary_.Value(info.id, entity, Statistic::kMax), naive->max);
      EXPECT_EQ(summary_.Value(info.id, entity, Statistic::kLast), naive->last);
      EXPECT_NEAR(*summary_.Value(info.id, entity, Statistic::kMean), naive->mean, 1e-9);
      EXPECT_FALSE(summary_.Value(info.id, entity, Statistic::kP99));
    }
    if (all.empty()) {
      EXPECT_FALSE(summary_.Value(info.id, Statistic::kMin));
      continue;
    }
    NaiveGauge sum{kInfinity, -kInfinity, 0, 0};
    for (const NaiveGauge& g : all) {
      sum = {std::min(sum.min, g.min), std::max(sum.max, g.max), sum.mean + g.mean,
             sum.last + g.last};
    }
    EXPECT_EQ(summary_.Value(info.id, Statistic::kMin), sum.min);
    EXPECT_EQ(summary_.Value(info.id, Statistic::kMax), sum.max);
    EXPECT_EQ(summary_.Value(info.id, Statistic::kLast), sum.last);
    EXPECT_NEAR(*summary_.Value(info.id, Statistic::kMean),
                sum.mean / static_cast<double>(all.size()), 1e-9);
  }
}

TEST_P(SummaryTwin, Counters) {
  for (const MetricInfo& info : AllMetrics()) {
    if (info.kind != MetricKind::kCounter) continue;
    double total = 0;
    std::map<EntityId, double> by_entity;
    for (const CountCall& call : stream_.All<CountCall>()) {
      if (call.metric != info.id || call.time < from_) continue;
      total += static_cast<double>(call.increment);
      by_entity[call.entity] += static_cast<double>(call.increment);
    }
    EXPECT_EQ(summary_.Value(info.id, Statistic::kSum), total);
    EXPECT_EQ(summary_.Value(info.id, Statistic::kLast), total);
    EXPECT_FALSE(summary_.Value(info.id, Statistic::kMean));
    for (EntityId entity = 0; entity < 12; ++entity) {
      EXPECT_EQ(summary_.Value(info.id, entity, Statistic::kSum), by_entity[entity]);
    }
  }
}

TEST_P(SummaryTwin, Distributions) {
  const auto compare = [](const std::vector<double>& naive, const auto& value) {
    EXPECT_EQ(value(Statistic::kCount), static_cast<double>(naive.size()));
    if (naive.empty()) {
      EXPECT_EQ(value(Statistic::kSum), 0.0);
      EXPECT_FALSE(value(Statistic::kP50));
      EXPECT_FALSE(value(Statistic::kMean));
      return;
    }
    EXPECT_EQ(value(Statistic::kMin), naive.front());
    EXPECT_EQ(value(Statistic::kMax), naive.back());
    EXPECT_EQ(value(Statistic::kP50), NaivePercentile(naive, 50));
    EXPECT_EQ(value(Statistic::kP90), NaivePercentile(naive, 90));
    EXPECT_EQ(value(Statistic::kP95), NaivePercentile(naive, 95));
    EXPECT_EQ(value(Statistic::kP99), NaivePercentile(naive, 99));
    EXPECT_EQ(value(Statistic::kP999), NaivePercentile(naive, 99.9));
    if (!std::isinf(naive.back())) {
      double sum = 0;
      for (const double v : naive) sum += v;
      EXPECT_NEAR(*value(Statistic::kSum), sum, 1e-9 * sum);
      EXPECT_NEAR(*value(Statistic::kMean), sum / static_cast<double>(naive.size()), 1e-9 * sum);
    }
  };
  for (const MetricInfo& info : AllMetrics()) {
    if (info.kind != MetricKind::kDistribution) continue;
    compare(NaiveSamples(stream_, info.id, std::nullopt, from_),
            [&](Statistic s) { return summary_.Value(info.id, s); });
    for (EntityId entity = 0; entity < 12; ++entity) {
      compare(NaiveSamples(stream_, info.id, entity, from_),
              [&](Statistic s) { return summary_.Value(info.id, entity, s); });
    }
  }
}

TEST_P(SummaryTwin, PodsAndCalls) {
  int64_t started = 0, without_ip = 0;
  std::map<EntityId, WaitReasonCounts> reasons;
  for (const PodRecord& r : stream_.All<PodRecord>()) {
    if (!r.first_add) continue;
    if (r.running && *r.running >= from_) ++started;
    if (r.host_network || (r.ip_assigned && *r.ip_assigned < from_)) continue;
    ++reasons[r.workload][static_cast<size_t>(r.wait_reason)];
    without_ip += r.ip_assigned ? 0 : 1;
  }
  EXPECT_EQ(summary_.pods_started(), started);
  EXPECT_EQ(summary_.pods_without_ip(), without_ip);
  EXPECT_EQ(summary_.wait_reasons(), reasons);

  std::map<EntityId, std::array<int64_t, 3>> calls;
  std::set<EntityId> calling, throttled;
  for (const ApiAttempt& r : stream_.All<ApiAttempt>()) {
    if (r.sent + r.latency < from_) continue;
    ++calls[r.action][static_cast<size_t>(r.outcome)];
    calling.insert(r.node);
    if (r.outcome == ApiOutcome::kThrottled) throttled.insert(r.node);
  }
  ASSERT_EQ(summary_.api_totals().size(), calls.size());
  for (const auto& [action, totals] : summary_.api_totals()) {
    EXPECT_EQ((std::array<int64_t, 3>{totals.ok, totals.throttled, totals.failed}), calls[action]);
  }
  EXPECT_EQ(summary_.calling_nodes(), static_cast<int64_t>(calling.size()));
  EXPECT_EQ(summary_.throttled_nodes(), static_cast<int64_t>(throttled.size()));
  EXPECT_EQ(summary_.findings().size(), stream_.All<Finding>().size());
}

INSTANTIATE_TEST_SUITE_P(Seeds, SummaryTwin, testing::Range(0, 40));

TEST(Summary, LowWaterMarkIsWhereItWasFirstReached) {
  Summary summary(At(10));
  const auto tell = [&](int64_t t, int64_t level) {
    summary.OnGauge(Metric::kSubnetFreeIps, 1, At(t), level);
  };
  tell(0, 3);
  tell(10, 8);  // 3 held until the measurement began, not in it
  tell(20, 5);
  tell(30, 9);
  tell(40, 5);
  summary.OnEnd(At(50));
  EXPECT_EQ(summary.Value(Metric::kSubnetFreeIps, 1, Statistic::kMin), 5);
  EXPECT_EQ(summary.MinimumAt(Metric::kSubnetFreeIps, 1), At(20));
}

TEST(Summary, MeanOfLargeLevelsOverLongTimesDoesNotOverflow) {
  Summary summary(At(0));
  const int64_t month = int64_t{30} * 24 * 3600 * 1'000'000'000;
  summary.OnGauge(Metric::kVpcAddressesHeld, 0, At(0), int64_t{1} << 40);
  summary.OnEnd(At(month));
  EXPECT_EQ(summary.Value(Metric::kVpcAddressesHeld, Statistic::kMean), std::ldexp(1.0, 40));
}

TEST(Summary, RunThatEndsBeforeTheMeasurementHasItsLastLevel) {
  Summary summary(At(100));
  summary.OnGauge(Metric::kPodsRunning, 0, At(0), 7);
  summary.OnEnd(At(50));
  for (const Statistic s : StatisticsOf(MetricKind::kGauge)) {
    EXPECT_EQ(summary.Value(Metric::kPodsRunning, s), 7) << NameOf(s);
  }
}

}  // namespace
}  // namespace cnisim
