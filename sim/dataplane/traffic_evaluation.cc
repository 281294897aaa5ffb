#include "sim/dataplane/traffic_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sim/dataplane/analytic_evaluation.h"
#include "sim/dataplane/event_evaluation.h"
#include "sim/dataplane/station_load.h"

namespace cnisim {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Visits that an evaluation by events would make.
double VisitsOf(const QueueNetwork& network, const Evaluation& evaluation, Duration time) {
  double per_second = 0;
  for (size_t s = 0; s < network.stations.size(); ++s) {
    per_second += evaluation.stations[s].visits_per_second;
  }
  return per_second * Seconds(time);
}

// What each entry's classes say together.
class Summary {
 public:
  Summary(std::span<const TrafficHost> hosts, std::span<const TrafficSpec> traffic,
          std::span<const TrafficPair> pairs, const TrafficNetwork& built,
          const Evaluation& evaluation)
      : hosts_(hosts), traffic_(traffic), pairs_(pairs), built_(built), evaluation_(evaluation) {
    result_.traffic.resize(traffic.size());
    result_.hosts.resize(hosts.size());
  }

  TrafficEvaluation Take() {
    CountPairs();
    CountClasses();
    FindBottlenecks();
    FindSaturation();
    FindBusiestCpus();
    return std::move(result_);
  }

 private:
  void CountPairs() {
    for (const TrafficPair& pair : pairs_) {
      TrafficResult& result = result_.traffic[pair.traffic];
      ++result.pairs;
      if (pair.path.too_big == TooBig::kLost) ++result.pairs_with_too_large_packets;
      if (pair.path.works()) continue;
      if (++result.lost.pairs > 1) continue;
      const PacketWay& way =
          pair.path.request.dropped != DropReason::kNone ? pair.path.request : pair.path.reply;
      result.lost.reason = fmt::format("{} at {}", DropReasonName(way.dropped),
                                       way.lost_at.empty() ? std::string("the VPC") : way.lost_at);
    }
  }

  void CountClasses() {
    const std::vector<double> rates = ClassRates();
    std::vector<double> sums(traffic_.size());
    for (size_t i = 0; i < rates.size(); ++i) sums[built_.network.classes[i].group] += rates[i];
    for (size_t i = 0; i < rates.size(); ++i) {
      const RequestClass& c = built_.network.classes[i];
      const TrafficPair& pair = pairs_[built_.pair_of[i]];
      const TrafficCost& cost = built_.costs[i];
      const TrafficSpec& spec = traffic_[c.group];
      TrafficCost& mean = result_.traffic[c.group].cost;
      const double rate = rates[i];
      const double share = sums[c.group] > 0 ? rate / sums[c.group] : 0;
      mean.client_cpu_ns += share * cost.client_cpu_ns;
      mean.server_cpu_ns += share * cost.server_cpu_ns;
      mean.wire_bytes += share * cost.wire_bytes;
      mean.wire_packets += share * cost.wire_packets;
      mean.payload_bytes += share * cost.payload_bytes;
      HostLoad& client = result_.hosts[pair.client];
      HostLoad& server = result_.hosts[pair.server];
      client.cpu_seconds_per_second += rate * cost.client_cpu_ns / 1e9;
      server.cpu_seconds_per_second += rate * cost.server_cpu_ns / 1e9;
      if (pair.client != pair.server) {
        client.wire_cpu_seconds_per_second += rate * cost.client_cpu_ns / 1e9;
        server.wire_cpu_seconds_per_second += rate * cost.server_cpu_ns / 1e9;
        client.packets_per_second += rate * cost.wire_packets;
        server.packets_per_second += rate * cost.wire_packets;
      }
      const double connections = spec.connection_per_request ? rate * kTimeWaitSeconds : 1;
      client.conntrack_entries += connections * pair.path.client_entries;
      server.conntrack_entries += connections * pair.path.server_entries;
    }
    for (size_t t = 0; t < traffic_.size(); ++t) {
      TrafficResult& result = result_.traffic[t];
      result.requests = evaluation_.groups[t];
      // Requests that nobody saw the end of.
      if (result.pairs > result.lost.pairs && result.requests.latency.total() == 0) {
        result.requests.mean_latency_ns = std::numeric_limits<double>::infinity();
        result.requests.latency.AddInfinite(1);
      }
      result.gigabits_per_second =
          result.requests.requests_per_second * result.cost.payload_bytes * 8 / 1e9;
    }
  }

  // Requests a second of each class. What open classes do is what they are offered, unless they
  // are offered too much: free of chance.
  std::vector<double> ClassRates() const {
    std::vector<double> rates = evaluation_.class_rates;
    if (evaluation_.saturated) return rates;
    for (size_t i = 0; i < rates.size(); ++i) {
      const auto* open = std::get_if<OpenLoop>(&built_.network.classes[i].load);
      if (open != nullptr) rates[i] = open->requests_per_second;
    }
    return rates;
  }

  void FindBottlenecks() {
    for (const RequestClass& c : built_.network.classes) {
      TrafficResult& result = result_.traffic[c.group];
      for (const Visit& visit : built_.network.VisitsOf(c)) {
        const double utilisation = evaluation_.stations[visit.station].utilisation;
        if (utilisation <= result.bottleneck_utilisation) continue;
        result.bottleneck_utilisation = utilisation;
        result.bottleneck = built_.network.stations[visit.station].name;
      }
    }
  }

  // From what is offered, whatever was measured. Open loads get what closed ones would have taken.
  void FindSaturation() {
    const QueueNetwork& network = built_.network;
    const ServiceTimes services(network);
    const std::vector<StationLoad> all = OfferedLoads(network, services);
    std::vector<double> own(network.stations.size());
    for (uint32_t t = 0; t < traffic_.size(); ++t) {
      TrafficResult& result = result_.traffic[t];
      const auto* open = std::get_if<OpenLoad>(&traffic_[t].load);
      std::vector<uint32_t> visited;
      double offered = 0;
      for (const RequestClass& c : network.classes) {
        if (c.group != t) continue;
        const auto* loop = std::get_if<OpenLoop>(&c.load);
        const double rate = loop == nullptr ? 0 : loop->requests_per_second / 1e9;
        offered += rate;
        for (const Visit& visit : network.VisitsOf(c)) {
          if (!network.stations[visit.station].has_server()) continue;
          if (own[visit.station] == 0) visited.push_back(visit.station);
          own[visit.station] += rate * services.Of(visit).mean;
        }
      }
      double growth = std::numeric_limits<double>::infinity();
      for (const uint32_t station : visited) {
        const double others = all[station].work - own[station];
        result.saturated = result.saturated || all[station].work >= 1;
        growth = std::min(growth, std::max(0.0, 1 - others) / own[station]);
        own[station] = 0;
      }
      // Closed loads are at what they can do already.
      result.saturation_per_second = open == nullptr   ? result.requests.requests_per_second
                                     : visited.empty() ? 0
                                                       : growth * offered * 1e9;
    }
  }

  void FindBusiestCpus() {
    for (size_t h = 0; h < hosts_.size(); ++h) {
      double& busiest = result_.hosts[h].busiest_cpu;
      for (int cpu = 0; cpu < hosts_[h].cpus; ++cpu) {
        busiest = std::max(busiest, evaluation_.stations[built_.first_cpu[h] + cpu].utilisation);
      }
    }
  }

  std::span<const TrafficHost> hosts_;
  std::span<const TrafficSpec> traffic_;
  std::span<const TrafficPair> pairs_;
  const TrafficNetwork& built_;
  const Evaluation& evaluation_;
  TrafficEvaluation result_;
};

}  // namespace

Result<TrafficEvaluation> EvaluateTraffic(std::span<const TrafficHost> hosts,
                                          std::span<const TrafficSpec> traffic,
                                          std::span<const TrafficPair> pairs,
                                          const DataPlaneSpec& spec, uint64_t seed,
                                          const std::atomic<bool>* interrupt) {
  const TrafficNetwork built = BuildTrafficNetwork(hosts, traffic, pairs, spec.profile);
  bool by_events = spec.evaluation == EvaluationBy::kEvents;
  Result<Evaluation> evaluation;
  if (!by_events) {
    evaluation = EvaluateAnalytically(built.network, interrupt);
    if (!evaluation) return tl::unexpected(evaluation.error());
    const Duration time = spec.warm_up + spec.window;
    by_events = spec.evaluation == EvaluationBy::kAuto &&
                VisitsOf(built.network, *evaluation, time) <= kMostVisitsByEvents;
  }
  if (by_events) {
    EventSettings settings;
    settings.seed = seed;
    settings.warm_up = spec.warm_up;
    settings.window = spec.window;
    settings.interrupt = interrupt;
    evaluation = EvaluateByEvents(built.network, settings);
    if (!evaluation) return tl::unexpected(evaluation.error());
  }
  TrafficEvaluation result = Summary(hosts, traffic, pairs, built, *evaluation).Take();
  result.by_events = by_events;
  return result;
}

}  // namespace cnisim
