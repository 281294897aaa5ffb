// The figures of one run: statistics of every metric from `measure_from` on, and what the printed
// summary needs beside them.
//
// Gauges: a level counts for the time it held within [measure_from, end]; min and max are over the
// levels in force there (an instant is enough), the mean is weighted by time.
// Counters: sum and last are both the total of increments from measure_from on.
// Distributions: values told from measure_from on, all kept, so percentiles are exact (nearest
// rank: the ceil(p n)-th smallest). A right-censored value (see Observer::OnSample) ranks as
// +infinity in min, max and percentiles; the mean and the sum take its lower bound. Over all
// entities of a metric: min of mins, max of maxes, mean of means, sum of last, sum and count;
// distributions merged. Values are in the metric's unit (seconds for times).
//
// A record costs O(1); OnEnd sorts, O(n log n). Memory: 8 bytes a value, twice where a distribution
// has several entities. Statistics may be asked for after OnEnd only.
#ifndef CNISIM_RESULTS_SUMMARY_H_
#define CNISIM_RESULTS_SUMMARY_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/observe/observer.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

inline constexpr size_t kWaitReasonCount = static_cast<size_t>(WaitReason::kBranchEni) + 1;

// "min", "p99", ...
std::string_view NameOf(Statistic statistic);
// The statistics that a kind of metric has, in the order in which they print.
std::vector<Statistic> StatisticsOf(MetricKind kind);

// Values of one distribution, in nanoseconds. Sorted once OnEnd is over.
struct Samples {
  std::vector<int64_t> values;
  std::vector<int64_t> censored;  // lower bounds

  size_t count() const { return values.size() + censored.size(); }
};

struct ApiTotals {
  int64_t ok = 0;
  int64_t throttled = 0;
  int64_t failed = 0;
  int64_t latency_ns = 0;

  int64_t total() const { return ok + throttled + failed; }
};

using WaitReasonCounts = std::array<int64_t, kWaitReasonCount>;  // by WaitReason

struct KeptFinding {
  std::string code;
  Severity severity = Severity::kWarning;
  TimePoint time;
  std::string text;
};

// A TrafficRecord with texts of its own.
struct KeptTraffic {
  explicit KeptTraffic(const TrafficRecord& r)
      : record(r), network(r.network), lost_because(r.lost_because), bottleneck(r.bottleneck) {
    record.network = record.lost_because = record.bottleneck = {};
  }

  TrafficRecord record;
  std::string network, lost_because, bottleneck;
};

class Summary final : public Observer {
 public:
  struct Entity {
    EntityKind kind = EntityKind::kCluster;
    std::string name;
  };

  explicit Summary(TimePoint measure_from) : from_(measure_from), end_(measure_from) {}

  void OnEntity(const EntityRecord& r) override;
  void OnPod(const PodRecord& r) override;
  void OnApiAttempt(const ApiAttempt& r) override;
  void OnFinding(const Finding& r) override;
  void OnTraffic(const TrafficRecord& r) override;
  void OnNodeTraffic(const NodeTrafficRecord& r) override;
  void OnGauge(Metric metric, EntityId entity, TimePoint time, int64_t level) override;
  void OnCount(Metric metric, EntityId entity, TimePoint time, int64_t increment) override;
  void OnSample(Metric metric, EntityId entity, TimePoint time, Duration value,
                bool end_of_run) override;
  void OnEnd(TimePoint time) override;

  // Empty if nothing was measured (sums and counts are 0 then) or if the metric's kind has no such
  // statistic.
  std::optional<double> Value(Metric metric, Statistic statistic) const;
  std::optional<double> Value(Metric metric, EntityId entity, Statistic statistic) const;
  // When a gauge was first at its minimum.
  std::optional<TimePoint> MinimumAt(Metric metric, EntityId entity) const;

  // By id; entities of which nothing was told have an empty name.
  const std::vector<Entity>& entities() const { return entities_; }
  std::optional<EntityId> FindEntity(EntityKind kind, std::string_view name) const;
  // Entities with values of the metric, in order of id.
  std::vector<EntityId> EntitiesOf(Metric metric) const;
  // Empty for other metrics than distributions.
  const Samples& SamplesOf(Metric metric, EntityId entity) const;
  const Samples& MergedSamplesOf(Metric metric) const;

  // Pods that went through a CNI ADD and were told from measure_from on, by workload and reason.
  const std::map<EntityId, WaitReasonCounts>& wait_reasons() const { return wait_reasons_; }
  int64_t pods_started() const { return pods_started_; }        // running since measure_from
  int64_t pods_without_ip() const { return pods_without_ip_; }  // an ADD began, no address came
  const std::map<EntityId, ApiTotals>& api_totals() const { return api_; }  // by action
  int64_t calling_nodes() const;                                            // nodes that called EC2
  int64_t throttled_nodes() const;  // nodes of which EC2 throttled a request
  const std::vector<KeptFinding>& findings() const { return findings_; }
  // Of the last moment at which traffic was evaluated.
  const std::vector<KeptTraffic>& traffic() const { return traffic_; }
  const std::vector<NodeTrafficRecord>& node_traffic() const { return node_traffic_; }
  TimePoint measure_from() const { return from_; }
  TimePoint end() const { return end_; }

 private:
  struct Gauge {
    bool told = false;
    int64_t level = 0;
    TimePoint since;
    bool measured = false;  // the three below are set
    int64_t min = 0;
    int64_t max = 0;
    TimePoint min_at;
    __int128 area = 0;     // level x nanoseconds
    int64_t duration = 0;  // nanoseconds
  };
  struct Counter {
    bool told = false;
    int64_t total = 0;
  };

  void Hold(Gauge& gauge, TimePoint until);
  static void Measure(Gauge& gauge, int64_t level, TimePoint at);
  static double MeanOf(const Gauge& gauge);
  std::optional<double> GaugeValue(const Gauge& gauge, Statistic statistic) const;

  TimePoint from_;
  TimePoint end_;
  std::vector<Entity> entities_;
  std::array<std::vector<Gauge>, kMetricCount> gauges_;      // by metric and entity
  std::array<std::vector<Counter>, kMetricCount> counters_;  // by metric and entity
  std::array<std::vector<Samples>, kMetricCount> samples_;   // by metric and entity
  std::array<Samples, kMetricCount> merged_;                 // of metrics with several entities
  std::map<EntityId, WaitReasonCounts> wait_reasons_;
  std::vector<KeptTraffic> traffic_;
  std::vector<NodeTrafficRecord> node_traffic_;
  int64_t pods_started_ = 0;
  int64_t pods_without_ip_ = 0;
  std::map<EntityId, ApiTotals> api_;
  std::vector<uint8_t> node_calls_;  // by node: 1 called, 2 was throttled too
  std::vector<KeptFinding> findings_;
};

}  // namespace cnisim

#endif  // CNISIM_RESULTS_SUMMARY_H_
