#include "sim/cluster/traffic_report.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "sim/cluster/traffic_survey.h"
#include "sim/dataplane/traffic_evaluation.h"
#include "sim/scenario/network_choice.h"

namespace cnisim {
namespace {

// Infinite and absurd ones are the largest.
Duration DurationOf(double nanoseconds) {
  constexpr double kMost = 9.2e18;
  if (!(nanoseconds < kMost)) return Duration::max();
  return Duration(std::llround(nanoseconds));
}

class Report {
 public:
  Report(const WorldView& world, Observer& observer)
      : world_(world), observer_(observer), network_(NameOf(world.scenario().network)) {}

  void TellEntry(EntityId entity, const TrafficResult& result, bool by_events) {
    TrafficRecord record;
    record.traffic = entity;
    record.time = world_.Now();
    record.network = network_;
    record.by_events = by_events;
    record.saturated = result.saturated;
    record.pairs = result.pairs;
    record.lost_pairs = result.lost.pairs;
    record.lost_because = result.lost.reason;
    record.too_large_pairs = result.pairs_with_too_large_packets;
    record.requests_per_second = result.requests.requests_per_second;
    record.gigabits_per_second = result.gigabits_per_second;
    const auto quantile = [&](double p) { return DurationOf(result.requests.latency.Quantile(p)); };
    record.mean = DurationOf(result.requests.mean_latency_ns);
    record.p50 = quantile(0.5);
    record.p90 = quantile(0.9);
    record.p99 = quantile(0.99);
    record.p999 = quantile(0.999);
    record.saturation_per_second = result.saturation_per_second;
    record.bottleneck = result.bottleneck;
    record.bottleneck_utilisation = result.bottleneck_utilisation;
    record.client_cpu_ns = result.cost.client_cpu_ns;
    record.server_cpu_ns = result.cost.server_cpu_ns;
    record.payload_bytes = result.cost.payload_bytes;
    record.wire_bytes = result.cost.wire_bytes;
    record.wire_packets = result.cost.wire_packets;
    observer_.OnTraffic(record);

    observer_.OnGauge(Metric::kLostPairs, entity, world_.Now(), result.lost.pairs);
    observer_.OnGauge(Metric::kRequestsPerSecond, entity, world_.Now(),
                      std::llround(result.requests.requests_per_second));
    if (result.requests.latency.total() == 0) return;
    std::vector<double> told(kToldLatencies);
    for (int i = 0; i < kToldLatencies; ++i) told[i] = (i + 0.5) / kToldLatencies;
    for (const double nanoseconds : result.requests.latency.Quantiles(told)) {
      const Duration latency = DurationOf(nanoseconds);
      observer_.OnSample(Metric::kRequestLatencySeconds, entity, world_.Now(), latency,
                         /*end_of_run=*/latency == Duration::max());
    }
  }

  void TellLosses(const std::string& traffic, const TrafficResult& result) {
    if (result.lost.pairs > 0) {
      TellFinding("traffic-lost",
                  fmt::format("{} of the {} pairs of pods of traffic '{}' cannot "
                              "reach one another: {}",
                              result.lost.pairs, result.pairs, traffic, result.lost.reason));
    }
    if (result.pairs_with_too_large_packets > 0) {
      TellFinding(
          "traffic-packets-too-large",
          fmt::format(
              "full-sized packets of {} of the {} pairs of pods of traffic '{}' are lost on "
              "the way and nobody tells the sender: the pods' MTU is too large",
              result.pairs_with_too_large_packets, result.pairs, traffic));
    }
    if (result.pairs == 0) {
      TellFinding("traffic-without-pairs",
                  fmt::format("there is no pair of running pods for traffic '{}'", traffic));
    }
  }

  void TellFinding(std::string_view code, const std::string& text) {
    Finding finding;
    finding.code = code;
    finding.time = world_.Now();
    finding.text = text;
    observer_.OnFinding(finding);
  }

  void TellNodes(const TrafficSurvey& survey, const TrafficEvaluation& evaluation) {
    std::map<std::string, EntityId> entities;
    for (const NodeView& node : world_.Nodes()) entities.emplace(node.name, node.entity);
    for (size_t h = 0; h < survey.hosts.size(); ++h) {
      const HostLoad& load = evaluation.hosts[h];
      NodeTrafficRecord record;
      record.node = entities.at(survey.hosts[h].name);
      record.time = world_.Now();
      record.cpu_seconds_per_second = load.cpu_seconds_per_second;
      record.wire_cpu_seconds_per_second = load.wire_cpu_seconds_per_second;
      record.busiest_cpu = load.busiest_cpu;
      record.packets_per_second = load.packets_per_second;
      record.conntrack_entries = load.conntrack_entries;
      record.ip_rules = survey.tables[h].rules;
      record.routes = survey.tables[h].routes;
      record.iptables_rules = survey.tables[h].iptables_rules;
      observer_.OnNodeTraffic(record);
    }
  }

 private:
  const WorldView& world_;
  Observer& observer_;
  std::string network_;
};

}  // namespace

void TellTraffic(const WorldView& world, uint64_t seed, std::span<const EntityId> entities,
                 Observer& observer, const std::atomic<bool>* interrupt) {
  const Scenario& scenario = world.scenario();
  const TrafficSurvey survey = SurveyTraffic(world);
  const Result<TrafficEvaluation> evaluation = EvaluateTraffic(
      survey.hosts, scenario.traffic, survey.pairs, scenario.data_plane, seed, interrupt);
  if (!evaluation && interrupt != nullptr && *interrupt) return;
  Report report(world, observer);
  if (!evaluation) {
    report.TellFinding("traffic-not-evaluated", evaluation.error().message);
    return;
  }
  for (size_t t = 0; t < scenario.traffic.size(); ++t) {
    report.TellEntry(entities[t], evaluation->traffic[t], evaluation->by_events);
    report.TellLosses(scenario.traffic[t].name, evaluation->traffic[t]);
  }
  report.TellNodes(survey, *evaluation);
}

}  // namespace cnisim
