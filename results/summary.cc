#include "results/summary.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace cnisim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

size_t Index(Metric metric) { return static_cast<size_t>(metric); }

template <typename T>
T& Slot(std::vector<T>& all, EntityId entity) {
  if (entity >= all.size()) all.resize(size_t{entity} + 1);
  return all[entity];
}

double Seconds(__int128 nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

// Of 1000; 0 for statistics that are no percentile.
int64_t PerMille(Statistic statistic) {
  switch (statistic) {
    case Statistic::kP50:
      return 500;
    case Statistic::kP90:
      return 900;
    case Statistic::kP95:
      return 950;
    case Statistic::kP99:
      return 990;
    case Statistic::kP999:
      return 999;
    default:
      return 0;
  }
}

// The `rank`-th smallest, counted from 1; censored values come last.
double AtRank(const Samples& samples, size_t rank) {
  return rank <= samples.values.size() ? Seconds(samples.values[rank - 1]) : kInfinity;
}

std::optional<double> SamplesValue(const Samples& samples, Statistic statistic) {
  const size_t n = samples.count();
  if (statistic == Statistic::kCount) return static_cast<double>(n);
  __int128 sum = 0;
  if (statistic == Statistic::kSum || statistic == Statistic::kMean) {
    for (const int64_t v : samples.values) sum += v;
    for (const int64_t v : samples.censored) sum += v;
  }
  if (statistic == Statistic::kSum) return Seconds(sum);
  if (n == 0) return std::nullopt;
  switch (statistic) {
    case Statistic::kMean:
      return Seconds(sum) / static_cast<double>(n);
    case Statistic::kMin:
      return AtRank(samples, 1);
    case Statistic::kMax:
      return AtRank(samples, n);
    default:
      break;
  }
  const int64_t per_mille = PerMille(statistic);
  if (per_mille == 0) return std::nullopt;
  return AtRank(samples, (n * static_cast<size_t>(per_mille) + 999) / 1000);
}

}  // namespace

std::string_view NameOf(Statistic statistic) {
  switch (statistic) {
    case Statistic::kMin:
      return "min";
    case Statistic::kMax:
      return "max";
    case Statistic::kMean:
      return "mean";
    case Statistic::kP50:
      return "p50";
    case Statistic::kP90:
      return "p90";
    case Statistic::kP95:
      return "p95";
    case Statistic::kP99:
      return "p99";
    case Statistic::kP999:
      return "p999";
    case Statistic::kLast:
      return "last";
    case Statistic::kSum:
      return "sum";
    case Statistic::kCount:
      return "count";
  }
  return "";
}

std::vector<Statistic> StatisticsOf(MetricKind kind) {
  using enum Statistic;
  switch (kind) {
    case MetricKind::kGauge:
      return {kMin, kMean, kMax, kLast};
    case MetricKind::kCounter:
      return {kSum, kLast};
    case MetricKind::kDistribution:
      return {kCount, kSum, kMin, kMean, kP50, kP90, kP95, kP99, kP999, kMax};
  }
  return {};
}

void Summary::OnEntity(const EntityRecord& r) {
  Slot(entities_, r.id) = Entity{r.kind, std::string(r.name)};
}

void Summary::OnPod(const PodRecord& r) {
  if (!r.first_add) return;
  if (r.running && *r.running >= from_) ++pods_started_;
  if (r.host_network || r.workload == kNoEntity) return;
  // A pod whose address came before the measurement began is none of its business.
  if (r.ip_assigned && *r.ip_assigned < from_) return;
  ++wait_reasons_[r.workload][static_cast<size_t>(r.wait_reason)];
  if (!r.ip_assigned) ++pods_without_ip_;
}

void Summary::OnApiAttempt(const ApiAttempt& r) {
  if (r.sent + r.latency < from_) return;
  ApiTotals& totals = api_[r.action];
  totals.latency_ns += r.latency.count();
  switch (r.outcome) {
    case ApiOutcome::kOk:
      ++totals.ok;
      break;
    case ApiOutcome::kThrottled:
      ++totals.throttled;
      break;
    case ApiOutcome::kFailed:
      ++totals.failed;
      break;
  }
  if (r.node == kNoEntity) return;
  uint8_t& calls = Slot(node_calls_, r.node);
  calls = std::max<uint8_t>(calls, r.outcome == ApiOutcome::kThrottled ? 2 : 1);
}

void Summary::OnFinding(const Finding& r) {
  findings_.push_back({std::string(r.code), r.severity, r.time, std::string(r.text)});
}

void Summary::Measure(Gauge& gauge, int64_t level, TimePoint at) {
  if (!gauge.measured || level < gauge.min) {
    gauge.min = level;
    gauge.min_at = at;
  }
  gauge.max = gauge.measured ? std::max(gauge.max, level) : level;
  gauge.measured = true;
}

// Accounts for the current level from `since` to `until`.
void Summary::Hold(Gauge& gauge, TimePoint until) {
  const TimePoint begin = std::max(gauge.since, from_);
  if (until <= begin) return;
  // A level from before measure_from that still held there.
  if (gauge.since < from_) Measure(gauge, gauge.level, begin);
  const int64_t held = (until - begin).count();
  gauge.area += static_cast<__int128>(gauge.level) * held;
  gauge.duration += held;
}

void Summary::OnGauge(Metric metric, EntityId entity, TimePoint time, int64_t level) {
  Gauge& gauge = Slot(gauges_[Index(metric)], entity);
  if (gauge.told) Hold(gauge, time);
  gauge.told = true;
  gauge.level = level;
  gauge.since = time;
  if (time >= from_) Measure(gauge, level, time);
}

void Summary::OnCount(Metric metric, EntityId entity, TimePoint time, int64_t increment) {
  Counter& counter = Slot(counters_[Index(metric)], entity);
  counter.told = true;
  if (time >= from_) counter.total += increment;
}

void Summary::OnSample(Metric metric, EntityId entity, TimePoint time, Duration value,
                       bool end_of_run) {
  if (time < from_) return;
  Samples& samples = Slot(samples_[Index(metric)], entity);
  (end_of_run ? samples.censored : samples.values).push_back(value.count());
}

void Summary::OnTraffic(const TrafficRecord& r) {
  if (!traffic_.empty() && traffic_.front().record.time != r.time) {
    traffic_.clear();
    node_traffic_.clear();
  }
  traffic_.emplace_back(r);
}

void Summary::OnNodeTraffic(const NodeTrafficRecord& r) { node_traffic_.push_back(r); }

void Summary::OnEnd(TimePoint time) {
  end_ = time;
  for (std::vector<Gauge>& gauges : gauges_) {
    for (Gauge& gauge : gauges) {
      if (!gauge.told) continue;
      Hold(gauge, time);
      gauge.since = time;
      // The run ended before the measurement began: the last level is all there is.
      if (!gauge.measured) Measure(gauge, gauge.level, time);
    }
  }
  for (size_t m = 0; m < kMetricCount; ++m) {
    size_t used = 0;
    for (Samples& samples : samples_[m]) {
      std::ranges::sort(samples.values);
      std::ranges::sort(samples.censored);
      if (samples.count() > 0) ++used;
    }
    if (used < 2) continue;
    Samples& merged = merged_[m];
    for (const Samples& samples : samples_[m]) {
      std::ranges::copy(samples.values, std::back_inserter(merged.values));
      std::ranges::copy(samples.censored, std::back_inserter(merged.censored));
    }
    std::ranges::sort(merged.values);
    std::ranges::sort(merged.censored);
  }
}

double Summary::MeanOf(const Gauge& gauge) {
  if (gauge.duration == 0) return static_cast<double>(gauge.level);
  return static_cast<double>(gauge.area) / static_cast<double>(gauge.duration);
}

std::optional<double> Summary::GaugeValue(const Gauge& gauge, Statistic statistic) const {
  if (!gauge.told) return std::nullopt;
  switch (statistic) {
    case Statistic::kMin:
      return static_cast<double>(gauge.min);
    case Statistic::kMax:
      return static_cast<double>(gauge.max);
    case Statistic::kMean:
      return MeanOf(gauge);
    case Statistic::kLast:
      return static_cast<double>(gauge.level);
    default:
      return std::nullopt;
  }
}

std::optional<double> Summary::Value(Metric metric, EntityId entity, Statistic statistic) const {
  switch (InfoOf(metric).kind) {
    case MetricKind::kGauge: {
      const auto& gauges = gauges_[Index(metric)];
      if (entity >= gauges.size()) return std::nullopt;
      return GaugeValue(gauges[entity], statistic);
    }
    case MetricKind::kCounter: {
      if (statistic != Statistic::kSum && statistic != Statistic::kLast) return std::nullopt;
      const auto& counters = counters_[Index(metric)];
      return entity < counters.size() ? static_cast<double>(counters[entity].total) : 0.0;
    }
    case MetricKind::kDistribution:
      return SamplesValue(SamplesOf(metric, entity), statistic);
  }
  return std::nullopt;
}

std::optional<double> Summary::Value(Metric metric, Statistic statistic) const {
  switch (InfoOf(metric).kind) {
    case MetricKind::kCounter: {
      if (statistic != Statistic::kSum && statistic != Statistic::kLast) return std::nullopt;
      int64_t total = 0;
      for (const Counter& counter : counters_[Index(metric)]) total += counter.total;
      return static_cast<double>(total);
    }
    case MetricKind::kDistribution:
      return SamplesValue(MergedSamplesOf(metric), statistic);
    case MetricKind::kGauge:
      break;
  }
  std::optional<double> all;
  int64_t entities = 0;
  for (const Gauge& gauge : gauges_[Index(metric)]) {
    const std::optional<double> one = GaugeValue(gauge, statistic);
    if (!one) continue;
    ++entities;
    if (!all) {
      all = one;
    } else if (statistic == Statistic::kMin) {
      all = std::min(*all, *one);
    } else if (statistic == Statistic::kMax) {
      all = std::max(*all, *one);
    } else {
      *all += *one;
    }
  }
  if (all && statistic == Statistic::kMean) *all /= static_cast<double>(entities);
  return all;
}

std::optional<TimePoint> Summary::MinimumAt(Metric metric, EntityId entity) const {
  const auto& gauges = gauges_[Index(metric)];
  if (entity >= gauges.size() || !gauges[entity].told) return std::nullopt;
  return gauges[entity].min_at;
}

std::optional<EntityId> Summary::FindEntity(EntityKind kind, std::string_view name) const {
  for (size_t id = 0; id < entities_.size(); ++id) {
    if (entities_[id].kind == kind && entities_[id].name == name) {
      return static_cast<EntityId>(id);
    }
  }
  return std::nullopt;
}

std::vector<EntityId> Summary::EntitiesOf(Metric metric) const {
  const size_t m = Index(metric);
  const size_t n = std::max({gauges_[m].size(), counters_[m].size(), samples_[m].size()});
  std::vector<EntityId> ids;
  for (size_t id = 0; id < n; ++id) {
    if ((id < gauges_[m].size() && gauges_[m][id].told) ||
        (id < counters_[m].size() && counters_[m][id].told) ||
        (id < samples_[m].size() && samples_[m][id].count() > 0)) {
      ids.push_back(static_cast<EntityId>(id));
    }
  }
  return ids;
}

const Samples& Summary::SamplesOf(Metric metric, EntityId entity) const {
  static const Samples kNoSamples;
  const auto& samples = samples_[Index(metric)];
  return entity < samples.size() ? samples[entity] : kNoSamples;
}

const Samples& Summary::MergedSamplesOf(Metric metric) const {
  const Samples& merged = merged_[Index(metric)];
  if (merged.count() > 0) return merged;
  for (const Samples& samples : samples_[Index(metric)]) {
    if (samples.count() > 0) return samples;
  }
  return merged;
}

int64_t Summary::calling_nodes() const {
  return std::ranges::count_if(node_calls_, [](uint8_t calls) { return calls > 0; });
}

int64_t Summary::throttled_nodes() const { return std::ranges::count(node_calls_, uint8_t{2}); }

}  // namespace cnisim
