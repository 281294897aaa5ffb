#include "results/recorder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "results/embedded_sql.h"
#include "results/fan_out.h"
#include "results/record_stream_testing.h"
#include "results/temporary_folder_testing.h"
#include "sim/observe/histogram.h"

namespace cnisim {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class RecorderTest : public testing::Test {
 protected:
  // Records `stream` into the file "x.db".
  Database Record(const RecordStream& stream, RecordSpec spec = {}) {
    auto db = Database::Create(folder_ / "x.db");
    EXPECT_TRUE(db) << db.error().message;
    RunInfo info;
    info.scenario = "s";
    info.seed = 42;
    info.repetition = 3;
    info.version = "v";
    info.resolved_yaml = "yaml";
    info.params = {{"spec.a", "1"}};
    Recorder recorder(*db, info, spec);
    FanOut both({&recorder, &summary_});
    stream.PlayAll(both);
    RunOutcome outcome;
    outcome.ended = stream.end();
    outcome.events = 7;
    outcome.wall_seconds = 0.5;
    outcome.peak_rss_bytes = 1000;
    outcome.fingerprint = "f";
    ExpectationResult passed, unknown;
    passed.name = "p";
    passed.assertion = "a <= 1";
    passed.observed = 0.5;
    passed.passed = true;
    unknown.name = "u";
    unknown.assertion = "b <= 1";
    unknown.warn_only = true;
    const std::vector<ExpectationResult> expectations{passed, unknown};
    const Status status = recorder.Finish(outcome, summary_, expectations);
    EXPECT_TRUE(status) << status.error().message;
    return std::move(*db);
  }

  TemporaryFolder folder_;
  Summary summary_{At(0)};
};

std::string Ns(const std::optional<TimePoint>& t) {
  return t ? std::to_string(t->time_since_epoch().count()) : "";
}

const char* const kNames[] = {"cluster",
                              "a",
                              "b",
                              "workers",
                              "workers-1",
                              "workers-2",
                              "workers-3",
                              "api",
                              "etl",
                              "AssignPrivateIpAddresses",
                              "CreateNetworkInterface"};

TEST_F(RecorderTest, FactRowsComeBackAsTold) {
  const RecordStream stream(11, 3000, kSecond / 7);
  Database db = Record(stream);

  std::vector<std::string> pods, addresses, pools, nodes, findings, entities;
  for (const PodRecord& r : stream.All<PodRecord>()) {
    pods.push_back(
        fmt::format("1|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", r.pod, r.ns, r.name,
                    kNames[r.workload], r.node == kNoEntity ? "" : std::to_string(r.node),
                    r.host_network ? 1 : 0, r.eni, r.ip ? r.ip->ToString() : "", Ns(r.created),
                    Ns(r.scheduled), Ns(r.first_add), Ns(r.ip_assigned), Ns(r.running),
                    Ns(r.deleted), r.add_attempts, NameOf(r.wait_reason)));
  }
  for (const AddressTenure& r : stream.All<AddressTenure>()) {
    addresses.push_back(
        fmt::format("1|{}|{}|{}|{}|{}", r.ip.ToString(), r.pod, r.node, Ns(r.from), Ns(r.to)));
  }
  for (const PoolChange& r : stream.All<PoolChange>()) {
    pools.push_back(fmt::format("1|{}|{}|{}|{}|{}|{}|{}", r.node, Ns(r.time), r.enis, r.total_ips,
                                r.assigned_ips, r.cooling_ips, r.prefixes));
  }
  for (const NodeRecord& r : stream.All<NodeRecord>()) {
    nodes.push_back(fmt::format("1|{}|{}|{}|{}|{}|{}|{}|{}|{}", r.node, kNames[r.node],
                                r.instance_type, r.zone, kNames[r.subnet], r.max_pods, Ns(r.joined),
                                Ns(r.ready), Ns(r.removed)));
  }
  for (const Finding& r : stream.All<Finding>()) {
    findings.push_back(
        fmt::format("1|{}|{}|{}|{}", r.code, NameOf(r.severity), Ns(r.time), r.text));
  }
  for (const EntityRecord& r : stream.All<EntityRecord>()) {
    entities.push_back(fmt::format("{}|1|{}|{}|{}", r.id, NameOf(r.kind), r.name,
                                   r.parent == kNoEntity ? "" : std::to_string(r.parent)));
  }
  ASSERT_GT(pods.size(), 200u);
  EXPECT_EQ(Rows(db, "SELECT * FROM pod"), pods);
  EXPECT_EQ(Rows(db, "SELECT * FROM address_history"), addresses);
  EXPECT_EQ(Rows(db, "SELECT * FROM pool_change"), pools);
  EXPECT_EQ(Rows(db, "SELECT * FROM node"), nodes);
  EXPECT_EQ(Rows(db, "SELECT * FROM finding"), findings);
  EXPECT_EQ(Rows(db, "SELECT * FROM entity"), entities);
  EXPECT_EQ(Rows(db, "SELECT * FROM run"),
            std::vector<std::string>{
                fmt::format("1|s|42|3|0|ok|v|yaml|{}|0|0.5|7|1000|f", Ns(stream.end()))});
  EXPECT_EQ(Rows(db, "SELECT * FROM run_param"), std::vector<std::string>{"1|spec.a|1"});
  EXPECT_EQ(Rows(db, "SELECT * FROM expectation"),
            (std::vector<std::string>{"1|p|a <= 1|error|0.5|1", "1|u|b <= 1|warn||0"}));
}

TEST_F(RecorderTest, SeriesKeepFirstLastAndTheLastOfEachInterval) {
  const RecordStream stream(12, 60'000, kSecond / 2);
  RecordSpec spec;
  spec.interval = std::chrono::seconds(1);
  Database db = Record(stream, spec);

  std::map<std::pair<Metric, EntityId>, std::vector<std::pair<int64_t, int64_t>>> told;
  for (const AnyRecord& record : stream.records()) {
    if (const auto* gauge = std::get_if<GaugeCall>(&record)) {
      told[{gauge->metric, gauge->entity}].emplace_back(gauge->time.time_since_epoch().count(),
                                                        gauge->level);
    } else if (const auto* count = std::get_if<CountCall>(&record)) {
      auto& points = told[{count->metric, count->entity}];
      const int64_t before = points.empty() ? 0 : points.back().second;
      points.emplace_back(count->time.time_since_epoch().count(), before + count->increment);
    }
  }
  std::vector<std::string> expected;
  for (const auto& [key, points] : told) {
    std::map<int64_t, int64_t> kept;  // by time
    std::map<int64_t, std::pair<int64_t, int64_t>> last_of;
    int64_t first_value = 0;
    for (const auto& [t, v] : points) {
      if (t == points.front().first) first_value = v;
      last_of[t / kSecond] = {t, v};
    }
    kept[points.front().first] = first_value;
    for (const auto& [interval, point] : last_of) kept[point.first] = point.second;
    for (const auto& [t, v] : kept) {
      expected.push_back(
          fmt::format("1|{}|{}|{}|{}", key.second, static_cast<int>(key.first), t, v));
    }
  }
  EXPECT_EQ(Rows(db, "SELECT * FROM series_point ORDER BY metric_id, entity_id, time_ns"),
            expected);
  EXPECT_EQ(Rows(db,
                 "SELECT 1 FROM series WHERE n > 512 OR n <> json_array_length(data) OR "
                 "t0_ns <> json_extract(data, '$[0][0]') OR "
                 "t1_ns <> json_extract(data, '$[#-1][0]')"),
            std::vector<std::string>{});
  EXPECT_NE(Rows(db, "SELECT 1 FROM series WHERE n = 512"), std::vector<std::string>{});
}

TEST_F(RecorderTest, CallsAreCountedByMinuteOfTheAnswerAndByNode) {
  const RecordStream stream(13, 5000, kSecond / 10);
  Database db = Record(stream);
  struct Totals {
    int64_t outcome[3] = {};
    int64_t latency = 0;
  };
  std::map<std::pair<int64_t, std::string>, Totals> by_minute, by_node;
  for (const ApiAttempt& r : stream.All<ApiAttempt>()) {
    const int64_t minute = (r.sent + r.latency).time_since_epoch().count() / (60 * kSecond);
    Totals& totals = by_minute[{minute, kNames[r.action]}];
    ++totals.outcome[static_cast<int>(r.outcome)];
    totals.latency += r.latency.count();
    ++by_node[{r.node, kNames[r.action]}].outcome[static_cast<int>(r.outcome)];
  }
  std::vector<std::string> minutes, nodes;
  for (const auto& [key, t] : by_minute) {
    minutes.push_back(fmt::format("1|{}|{}|{}|{}|{}|{}", key.first, key.second, t.outcome[0],
                                  t.outcome[1], t.outcome[2], t.latency));
  }
  for (const auto& [key, t] : by_node) {
    nodes.push_back(fmt::format("1|{}|{}|{}|{}|{}", key.first, key.second, t.outcome[0],
                                t.outcome[1], t.outcome[2]));
  }
  ASSERT_GT(minutes.size(), 10u);
  EXPECT_EQ(Rows(db,
                 "SELECT run_id, minute, action, ok, throttled, failed, "
                 "CAST(round(latency_seconds_sum * 1e9) AS INTEGER) FROM api_call"),
            minutes);
  EXPECT_EQ(Rows(db, "SELECT * FROM api_node"), nodes);
}

TEST_F(RecorderTest, ScalarsAndHistogramsAreTheSummarys) {
  const RecordStream stream(14, 4000, kSecond / 100);
  Database db = Record(stream);
  for (const MetricInfo& info : AllMetrics()) {
    for (const Statistic statistic : StatisticsOf(info.kind)) {
      auto query = db.Prepare(
          fmt::format("SELECT value FROM scalar_named WHERE metric = '{}' AND statistic = '{}' "
                      "AND entity IS NULL",
                      info.name, NameOf(statistic)));
      ASSERT_TRUE(query && query->Step().value_or(false)) << info.name;
      EXPECT_EQ(query->Real(0), summary_.Value(info.id, statistic)) << info.name;
    }
    if (info.kind != MetricKind::kDistribution) continue;
    // Buckets of all entities, summed, hold every value where it belongs.
    std::map<int64_t, std::pair<int64_t, int64_t>> buckets;
    const Samples& samples = summary_.MergedSamplesOf(info.id);
    for (const int64_t v : samples.values) ++buckets[BucketOf(v).low].first;
    for (const int64_t v : samples.censored) ++buckets[BucketOf(v).low].second;
    std::vector<std::string> expected;
    for (const auto& [low, counts] : buckets) {
      expected.push_back(
          fmt::format("{}|{}|{}|{}", low, BucketOf(low).high, counts.first, counts.second));
    }
    EXPECT_EQ(Rows(db, fmt::format("SELECT low_ns, max(high_ns), sum(count), sum(censored) FROM "
                                   "histogram JOIN metric USING (metric_id) WHERE name = '{}' "
                                   "GROUP BY low_ns ORDER BY low_ns",
                                   info.name)),
              expected);
  }
  EXPECT_EQ(Rows(db, "SELECT sum(pods) FROM wait_reason WHERE workload IN ('api', 'etl')"),
            Rows(db, "SELECT count(*) FROM pod WHERE first_add_ns >= 0 AND NOT host_network"));
}

TEST_F(RecorderTest, PodsNoneLeavesOutPodsAndAddressesOnly) {
  const RecordStream stream(15, 1000, kSecond);
  RecordSpec spec;
  spec.pods = PodRows::kNone;
  Database db = Record(stream, spec);
  EXPECT_EQ(Rows(db, "SELECT (SELECT count(*) FROM pod), (SELECT count(*) FROM address_history)"),
            std::vector<std::string>{"0|0"});
  EXPECT_NE(Rows(db, "SELECT count(*) FROM pool_change"), std::vector<std::string>{"0"});
  EXPECT_NE(Rows(db, "SELECT sum(pods) FROM wait_reason"), std::vector<std::string>{""});
}

TEST_F(RecorderTest, FullDiskIsToldOnceAndEndsTheRun) {
  auto db = Database::Create(folder_ / "x.db");
  ASSERT_TRUE(db->Execute("PRAGMA max_page_count = 40; PRAGMA cache_size = 10"));
  Recorder recorder(*db, {}, {});
  Summary summary(At(0));
  RecordStream(16, 200'000, kSecond).PlayAll(recorder);
  EXPECT_TRUE(recorder.failed());
  const Status status = recorder.Finish({}, summary, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, folder_ / "x.db" + ": the disk is full");
}

// All indexes fit the rows, and the same story makes the same bytes.
TEST_F(RecorderTest, FilesOfEqualRunsAreEqual) {
  std::string bytes[2];
  for (std::string& b : bytes) {
    Database db = Record(RecordStream(17, 5000, kSecond));
    const Status indexed = db.Execute(IndexesSql());
    ASSERT_TRUE(indexed) << indexed.error().message;
    ASSERT_TRUE(db.Close());
    std::FILE* file = std::fopen((folder_ / "x.db").c_str(), "rb");
    char buffer[65536];
    for (size_t n; (n = std::fread(buffer, 1, sizeof(buffer), file)) > 0;) b.append(buffer, n);
    std::fclose(file);
    summary_ = Summary(At(0));
  }
  EXPECT_GT(bytes[0].size(), 100'000u);
  EXPECT_TRUE(bytes[0] == bytes[1]);
}

}  // namespace
}  // namespace cnisim
