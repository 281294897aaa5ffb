#include "results/recorder.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "sim/observe/histogram.h"

namespace cnisim {
namespace {

constexpr int64_t kRunId = 1;
constexpr Duration kMinute = std::chrono::minutes(1);

int64_t Nanoseconds(TimePoint t) { return t.time_since_epoch().count(); }

std::optional<int64_t> Nanoseconds(const std::optional<TimePoint>& t) {
  if (!t) return std::nullopt;
  return Nanoseconds(*t);
}

// As ToString, without its allocation: there is one per pod.
std::string_view WriteIp(IpAddress address, std::array<char, 48>& buffer) {
  char* end = buffer.data();
  if (!address.is_v4()) {
    const std::string text = address.ToString();
    return {buffer.data(), text.copy(buffer.data(), buffer.size())};
  }
  const Ipv4Address ip = address.v4();
  for (int shift = 24; shift >= 0; shift -= 8) {
    end = std::to_chars(end, buffer.data() + buffer.size(), ip.bits() >> shift & 0xff).ptr;
    if (shift > 0) *end++ = '.';
  }
  return {buffer.data(), static_cast<size_t>(end - buffer.data())};
}

void Append(std::string& text, int64_t value) {
  std::array<char, 24> digits;
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), static_cast<size_t>(end - digits.data()));
}

}  // namespace

std::string_view NameOf(RunStatus status) {
  switch (status) {
    case RunStatus::kOk:
      return "ok";
    case RunStatus::kInterrupted:
      return "interrupted";
    case RunStatus::kViolated:
      return "violated";
  }
  return "";
}

void Recorder::ApiCounts::Add(const ApiAttempt& r) {
  latency_ns += r.latency.count();
  switch (r.outcome) {
    case ApiOutcome::kOk:
      ++ok;
      break;
    case ApiOutcome::kThrottled:
      ++throttled;
      break;
    case ApiOutcome::kFailed:
      ++failed;
      break;
  }
}

Recorder::Recorder(Database& db, RunInfo info, RecordSpec record)
    : db_(db),
      info_(std::move(info)),
      record_(record),
      run_(db,
           "run(run_id, scenario, seed, repetition, cell, status, version, resolved_yaml, sim_ns, "
           "measure_from_ns, wall_seconds, events, peak_rss_bytes, fingerprint)"),
      param_(db, "run_param(run_id, key, value)"),
      metric_(db, "metric(metric_id, name, kind, unit, help)"),
      entity_(db, "entity(entity_id, run_id, kind, name, parent_id)"),
      scalar_(db, "scalar(run_id, entity_id, metric_id, statistic, value)"),
      histogram_(db, "histogram(run_id, entity_id, metric_id, low_ns, high_ns, count, censored)"),
      series_(db, "series(run_id, entity_id, metric_id, t0_ns, t1_ns, n, data)"),
      node_(db,
            "node(run_id, node_id, name, instance_type, zone, subnet, max_pods, joined_ns, "
            "ready_ns, removed_ns)"),
      pod_(db,
           "pod(run_id, pod_id, namespace, name, workload, node_id, host_network, eni_id, ip, "
           "created_ns, scheduled_ns, first_add_ns, ip_assigned_ns, running_ns, deleted_ns, "
           "add_attempts, wait_reason)"),
      pool_(db,
            "pool_change(run_id, node_id, time_ns, enis, total_ips, assigned_ips, cooling_ips, "
            "prefixes)"),
      address_(db, "address_history(run_id, ip, pod_id, node_id, from_ns, to_ns)"),
      api_call_(db, "api_call(run_id, minute, action, ok, throttled, failed, latency_seconds_sum)"),
      api_node_(db, "api_node(run_id, node_id, action, ok, throttled, failed)"),
      wait_(db, "wait_reason(run_id, workload, wait_reason, pods)"),
      expectation_(db, "expectation(run_id, name, assert, severity, observed, passed)"),
      finding_(db, "finding(run_id, code, severity, time_ns, text)"),
      latency_(db,
               "latency(run_id, time_ns, traffic, network, evaluated_by, saturated, pairs, "
               "lost_pairs, lost_because, too_large_pairs, requests_per_second, "
               "gigabits_per_second, mean_ns, p50_ns, p90_ns, p99_ns, p999_ns, "
               "saturation_per_second, bottleneck, bottleneck_utilisation, client_cpu_ns, "
               "server_cpu_ns, payload_bytes, wire_bytes, wire_packets)"),
      node_network_(db,
                    "node_network(run_id, node_id, time_ns, cpu_seconds_per_second, "
                    "wire_cpu_seconds_per_second, busiest_cpu, "
                    "packets_per_second, conntrack_entries, ip_rules, routes, iptables_rules)") {
  status_ = db_.Execute("BEGIN");
}

std::array<BulkInsert*, 17> Recorder::Inserts() {
  return {&param_, &metric_,      &entity_,  &scalar_,  &histogram_,   &series_,
          &node_,  &pod_,         &pool_,    &address_, &api_call_,    &api_node_,
          &wait_,  &expectation_, &finding_, &latency_, &node_network_};
}

bool Recorder::failed() const {
  return !status_ || series_.failed() || pod_.failed() || pool_.failed() || address_.failed() ||
         node_.failed() || entity_.failed() || finding_.failed() || latency_.failed() ||
         node_network_.failed();
}

std::string_view Recorder::NameOfEntity(EntityId id) const {
  return id < names_.size() ? std::string_view(names_[id]) : std::string_view();
}

void Recorder::OnEntity(const EntityRecord& r) {
  if (r.id >= names_.size()) names_.resize(size_t{r.id} + 1);
  names_[r.id] = std::string(r.name);
  entity_.Int(r.id).Int(kRunId).Text(NameOf(r.kind)).Text(r.name);
  if (r.parent == kNoEntity) {
    entity_.Null();
  } else {
    entity_.Int(r.parent);
  }
  entity_.EndRow();
}

void Recorder::OnNode(const NodeRecord& r) {
  node_.Int(kRunId)
      .Int(r.node)
      .Text(NameOfEntity(r.node))
      .Text(r.instance_type)
      .Text(r.zone)
      .TextOrNull(NameOfEntity(r.subnet))
      .Int(r.max_pods)
      .Int(Nanoseconds(r.joined))
      .IntOrNull(Nanoseconds(r.ready))
      .IntOrNull(Nanoseconds(r.removed))
      .EndRow();
}

void Recorder::OnPod(const PodRecord& r) {
  if (record_.pods == PodRows::kNone) return;
  std::array<char, 48> ip;
  pod_.Int(kRunId).Int(r.pod).Text(r.ns).Text(r.name).TextOrNull(NameOfEntity(r.workload));
  if (r.node == kNoEntity) {
    pod_.Null();
  } else {
    pod_.Int(r.node);
  }
  pod_.Int(r.host_network ? 1 : 0)
      .TextOrNull(r.eni)
      .TextOrNull(r.ip ? WriteIp(*r.ip, ip) : std::string_view())
      .Int(Nanoseconds(r.created))
      .IntOrNull(Nanoseconds(r.scheduled))
      .IntOrNull(Nanoseconds(r.first_add))
      .IntOrNull(Nanoseconds(r.ip_assigned))
      .IntOrNull(Nanoseconds(r.running))
      .IntOrNull(Nanoseconds(r.deleted))
      .Int(r.add_attempts)
      .Text(cnisim::NameOf(r.wait_reason))
      .EndRow();
}

void Recorder::OnTenure(const AddressTenure& r) {
  if (record_.pods == PodRows::kNone) return;
  std::array<char, 48> ip;
  address_.Int(kRunId)
      .Text(WriteIp(r.ip, ip))
      .Int(r.pod)
      .Int(r.node)
      .Int(Nanoseconds(r.from))
      .IntOrNull(Nanoseconds(r.to))
      .EndRow();
}

void Recorder::OnPoolChange(const PoolChange& r) {
  pool_.Int(kRunId)
      .Int(r.node)
      .Int(Nanoseconds(r.time))
      .Int(r.enis)
      .Int(r.total_ips)
      .Int(r.assigned_ips)
      .Int(r.cooling_ips)
      .Int(r.prefixes)
      .EndRow();
}

void Recorder::OnApiAttempt(const ApiAttempt& r) {
  const Duration answered = (r.sent + r.latency).time_since_epoch();
  by_minute_[{std::chrono::floor<std::chrono::minutes>(answered) / kMinute, r.action}].Add(r);
  if (r.node == kNoEntity) return;
  if (r.node >= by_node_.size()) by_node_.resize(size_t{r.node} + 1);
  by_node_[r.node][r.action].Add(r);
}

void Recorder::OnFinding(const Finding& r) {
  finding_.Int(kRunId)
      .Text(r.code)
      .Text(cnisim::NameOf(r.severity))
      .Int(Nanoseconds(r.time))
      .Text(r.text)
      .EndRow();
}

void Recorder::OnTraffic(const TrafficRecord& r) {
  latency_.Int(kRunId)
      .Int(Nanoseconds(r.time))
      .Text(NameOfEntity(r.traffic))
      .Text(r.network)
      .Text(r.by_events ? "events" : "analysis")
      .Int(r.saturated ? 1 : 0)
      .Int(r.pairs)
      .Int(r.lost_pairs)
      .TextOrNull(r.lost_because)
      .Int(r.too_large_pairs)
      .Real(r.requests_per_second)
      .Real(r.gigabits_per_second)
      .Int(r.mean.count())
      .Int(r.p50.count())
      .Int(r.p90.count())
      .Int(r.p99.count())
      .Int(r.p999.count())
      .Real(r.saturation_per_second)
      .TextOrNull(r.bottleneck)
      .Real(r.bottleneck_utilisation)
      .Real(r.client_cpu_ns)
      .Real(r.server_cpu_ns)
      .Real(r.payload_bytes)
      .Real(r.wire_bytes)
      .Real(r.wire_packets)
      .EndRow();
}

void Recorder::OnNodeTraffic(const NodeTrafficRecord& r) {
  node_network_.Int(kRunId)
      .Int(r.node)
      .Int(Nanoseconds(r.time))
      .Real(r.cpu_seconds_per_second)
      .Real(r.wire_cpu_seconds_per_second)
      .Real(r.busiest_cpu)
      .Real(r.packets_per_second)
      .Real(r.conntrack_entries)
      .Int(r.ip_rules)
      .Int(r.routes)
      .Int(r.iptables_rules)
      .EndRow();
}

Recorder::Series& Recorder::SeriesOf(Metric metric, EntityId entity) {
  std::vector<Series>& all = points_[static_cast<size_t>(metric)];
  if (entity >= all.size()) all.resize(size_t{entity} + 1);
  return all[entity];
}

void Recorder::OnGauge(Metric metric, EntityId entity, TimePoint time, int64_t level) {
  AddPoint(metric, entity, SeriesOf(metric, entity), {Nanoseconds(time), level});
}

void Recorder::OnCount(Metric metric, EntityId entity, TimePoint time, int64_t increment) {
  Series& series = SeriesOf(metric, entity);
  series.total += increment;
  AddPoint(metric, entity, series, {Nanoseconds(time), series.total});
}

// Keeps the first point, and of every interval the last one.
void Recorder::AddPoint(Metric metric, EntityId entity, Series& series, Point point) {
  if (series.told && point.time != series.last.time) {
    const int64_t interval = record_.interval.count();
    const bool same_interval = interval > 0 && series.last.time / interval == point.time / interval;
    if (!series.has_first || !same_interval) KeepPoint(metric, entity, series, series.last);
  }
  series.told = true;
  series.last = point;
}

void Recorder::KeepPoint(Metric metric, EntityId entity, Series& series, Point point) {
  series.has_first = true;
  if (series.n == 0) series.t0 = point.time;
  series.t1 = point.time;
  series.data += series.n == 0 ? "[[" : ",[";
  Append(series.data, point.time);
  series.data += ',';
  Append(series.data, point.value);
  series.data += ']';
  if (++series.n == kPointsAChunk) WriteChunk(metric, entity, series);
}

void Recorder::WriteChunk(Metric metric, EntityId entity, Series& series) {
  series.data += ']';
  series_.Int(kRunId)
      .Int(entity)
      .Int(static_cast<int64_t>(metric))
      .Int(series.t0)
      .Int(series.t1)
      .Int(series.n)
      .Text(series.data)
      .EndRow();
  series.n = 0;
  series.data.clear();
}

void Recorder::OnEnd(TimePoint) {
  for (const MetricInfo& info : AllMetrics()) {
    std::vector<Series>& all = points_[static_cast<size_t>(info.id)];
    for (size_t entity = 0; entity < all.size(); ++entity) {
      Series& series = all[entity];
      if (!series.told) continue;
      const auto id = static_cast<EntityId>(entity);
      KeepPoint(info.id, id, series, series.last);
      if (series.n > 0) WriteChunk(info.id, id, series);
    }
  }
}

void Recorder::WriteMetrics() {
  for (const MetricInfo& info : AllMetrics()) {
    metric_.Int(static_cast<int64_t>(info.id))
        .Text(info.name)
        .Text(NameOf(info.kind))
        .Text(info.unit)
        .Text(info.help)
        .EndRow();
  }
}

void Recorder::WriteRun(const RunOutcome& outcome) {
  run_.Int(kRunId)
      .Text(info_.scenario)
      .Int(static_cast<int64_t>(info_.seed))
      .Int(info_.repetition)
      .Int(info_.cell)
      .Text(NameOf(outcome.status))
      .Text(info_.version)
      .Text(info_.resolved_yaml)
      .Int(Nanoseconds(outcome.ended))
      .Int(Nanoseconds(info_.measure_from))
      .Real(outcome.wall_seconds)
      .Int(static_cast<int64_t>(outcome.events))
      .Int(outcome.peak_rss_bytes)
      .Text(outcome.fingerprint)
      .EndRow();
  for (const auto& [key, value] : info_.params) param_.Int(kRunId).Text(key).Text(value).EndRow();
}

void Recorder::WriteApiCalls() {
  for (const auto& [key, counts] : by_minute_) {
    api_call_.Int(kRunId)
        .Int(key.first)
        .Text(NameOfEntity(key.second))
        .Int(counts.ok)
        .Int(counts.throttled)
        .Int(counts.failed)
        .Real(static_cast<double>(counts.latency_ns) / 1e9)
        .EndRow();
  }
  for (size_t node = 0; node < by_node_.size(); ++node) {
    for (const auto& [action, counts] : by_node_[node]) {
      api_node_.Int(kRunId)
          .Int(static_cast<int64_t>(node))
          .Text(NameOfEntity(action))
          .Int(counts.ok)
          .Int(counts.throttled)
          .Int(counts.failed)
          .EndRow();
    }
  }
}

void Recorder::WriteScalars(const Summary& summary) {
  for (const MetricInfo& info : AllMetrics()) {
    const std::vector<EntityId> entities = summary.EntitiesOf(info.id);
    if (entities.empty()) continue;
    for (const Statistic statistic : StatisticsOf(info.kind)) {
      if (const auto value = summary.Value(info.id, statistic)) {
        scalar_.Int(kRunId).Null().Int(static_cast<int64_t>(info.id));
        scalar_.Text(NameOf(statistic)).Real(*value).EndRow();
      }
    }
    if (info.label == EntityKind::kCluster) continue;
    for (const EntityId entity : entities) {
      for (const Statistic statistic : StatisticsOf(info.kind)) {
        if (const auto value = summary.Value(info.id, entity, statistic)) {
          scalar_.Int(kRunId).Int(entity).Int(static_cast<int64_t>(info.id));
          scalar_.Text(NameOf(statistic)).Real(*value).EndRow();
        }
      }
      if (const auto at = summary.MinimumAt(info.id, entity)) {
        scalar_.Int(kRunId).Int(entity).Int(static_cast<int64_t>(info.id));
        scalar_.Text("min_at_seconds").Real(static_cast<double>(Nanoseconds(*at)) / 1e9).EndRow();
      }
    }
  }
}

void Recorder::WriteHistograms(const Summary& summary) {
  for (const MetricInfo& info : AllMetrics()) {
    if (info.kind != MetricKind::kDistribution) continue;
    for (const EntityId entity : summary.EntitiesOf(info.id)) {
      const Samples& samples = summary.SamplesOf(info.id, entity);
      size_t v = 0, c = 0;  // next of values and censored, both sorted
      while (v < samples.values.size() || c < samples.censored.size()) {
        int64_t smallest = INT64_MAX;
        if (v < samples.values.size()) smallest = samples.values[v];
        if (c < samples.censored.size()) smallest = std::min(smallest, samples.censored[c]);
        const Bucket bucket = BucketOf(smallest);
        const size_t v0 = v, c0 = c;
        while (v < samples.values.size() && BucketOf(samples.values[v]) == bucket) ++v;
        while (c < samples.censored.size() && BucketOf(samples.censored[c]) == bucket) ++c;
        histogram_.Int(kRunId)
            .Int(entity)
            .Int(static_cast<int64_t>(info.id))
            .Int(bucket.low)
            .Int(bucket.high)
            .Int(static_cast<int64_t>(v - v0))
            .Int(static_cast<int64_t>(c - c0))
            .EndRow();
      }
    }
  }
}

void Recorder::WriteWaitReasons(const Summary& summary) {
  for (const auto& [workload, counts] : summary.wait_reasons()) {
    for (size_t reason = 0; reason < counts.size(); ++reason) {
      if (counts[reason] == 0) continue;
      wait_.Int(kRunId)
          .Text(NameOfEntity(workload))
          .Text(cnisim::NameOf(static_cast<WaitReason>(reason)))
          .Int(counts[reason])
          .EndRow();
    }
  }
}

void Recorder::WriteExpectations(std::span<const ExpectationResult> expectations) {
  for (const ExpectationResult& e : expectations) {
    expectation_.Int(kRunId).Text(e.name).Text(e.assertion).Text(e.warn_only ? "warn" : "error");
    if (e.observed) {
      expectation_.Real(*e.observed);
    } else {
      expectation_.Null();
    }
    expectation_.Int(e.passed ? 1 : 0).EndRow();
  }
}

Status Recorder::Finish(const RunOutcome& outcome, const Summary& summary,
                        std::span<const ExpectationResult> expectations) {
  WriteMetrics();
  WriteApiCalls();
  WriteScalars(summary);
  WriteHistograms(summary);
  WriteWaitReasons(summary);
  WriteExpectations(expectations);
  WriteRun(outcome);
  if (status_) status_ = run_.Finish();
  for (BulkInsert* insert : Inserts()) {
    const Status finished = insert->Finish();
    if (status_) status_ = finished;
  }
  if (status_) status_ = db_.Execute("COMMIT");
  return status_;
}

}  // namespace cnisim
