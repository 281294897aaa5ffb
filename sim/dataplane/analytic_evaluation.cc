#include "sim/dataplane/analytic_evaluation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/dataplane/gamma_quantiles.h"
#include "sim/dataplane/station_load.h"
#include "sim/dataplane/waiting.h"

namespace cnisim {
namespace {

// Of one class's requests.
struct Latency {
  double rate = 0;      // a nanosecond
  double fixed = 0;     // services that are always the same
  double random = 0;    // the mean of other services ...
  double variance = 0;  // ... and their variance
  Waiting::Wait wait;   // of all visits together

  double Mean() const { return fixed + random + wait.mean; }
};

void AddServices(const QueueNetwork& network, const RequestClass& c, const ServiceTimes& services,
                 Latency& latency) {
  for (const Visit& visit : network.VisitsOf(c)) {
    if (network.stations[visit.station].kind == Station::Kind::kPace) continue;
    const ServiceMoments service = services.Of(visit);
    if (service.variance > 0) {
      latency.fixed += static_cast<double>(visit.service_ns);
      latency.random += service.mean - static_cast<double>(visit.service_ns);
      latency.variance += service.variance;
    } else {
      latency.fixed += service.mean;
    }
  }
}

void AddWaits(std::span<const Visit> visits, const std::vector<StationLoad>& loads,
              const std::vector<Waiting::Wait>& waits, Latency& latency) {
  for (const Visit& visit : visits) {
    const Waiting::Wait& wait = waits[visit.station];
    latency.wait.mean += wait.mean;
    latency.wait.variance += wait.variance;
    latency.wait.unhindered *= wait.unhindered;
  }
  if (std::isfinite(latency.wait.mean)) return;
  double cut = 1;
  for (const Visit& visit : visits) {
    if (std::isfinite(waits[visit.station].mean)) continue;
    cut = std::min(cut, 1 / loads[visit.station].work);
  }
  latency.rate *= cut;
}

void Spread(const Latency& latency, double weight, DensitySum& densities) {
  const GammaQuantiles& gamma = GammaQuantiles::Get();
  const Waiting::Wait& wait = latency.wait;
  if (latency.variance > 0) {
    gamma.Spread(latency.fixed, latency.random + wait.mean, latency.variance + wait.variance,
                 weight, densities);
    return;
  }
  gamma.Spread(latency.fixed, 0, 0, weight * wait.unhindered, densities);
  const double hindered = 1 - wait.unhindered;
  if (hindered <= 0) return;
  const double mean = wait.mean / hindered;
  const double second = (wait.variance + wait.mean * wait.mean) / hindered;
  gamma.Spread(latency.fixed, mean, std::max(0.0, second - mean * mean), weight * hindered,
               densities);
}

void AddTo(GroupResult& group, DensitySum& densities, const Latency& latency) {
  if (latency.rate == 0) return;
  const double weight = latency.rate * 1e9;
  group.requests_per_second += weight;
  group.mean_latency_ns += weight * latency.Mean();  // divided in the end
  if (std::isfinite(latency.Mean())) {
    Spread(latency, weight, densities);
  } else {
    group.latency.AddInfinite(weight);
  }
}

StationResult OfStation(Station::Kind kind, const StationLoad& open, const Waiting::Wait& wait,
                        const Waiting::ClosedShare& closed) {
  StationResult result;
  const double served = std::isfinite(wait.mean) ? 1 : 1 / open.work;
  const double rate = open.rate * served + closed.rate;
  result.visits_per_second = rate * 1e9;
  if (kind != Station::Kind::kDelay) {
    result.utilisation = std::min(1.0, open.work + closed.work);
  }
  if (rate == 0) return result;
  result.mean_jobs = (open.rate > 0 ? open.rate * wait.mean : 0) + closed.jobs;
  if (kind != Station::Kind::kPace) result.mean_jobs += open.work;
  result.mean_time_ns = result.mean_jobs / rate;
  return result;
}

}  // namespace

Result<Evaluation> EvaluateAnalytically(const QueueNetwork& network,
                                        const std::atomic<bool>* interrupt) {
  if (const Status status = Check(network); !status) return tl::unexpected(status.error());
  const ServiceTimes services(network);
  const std::vector<StationLoad> loads = OfferedLoads(network, services);
  const Waiting waiting = SolveWaiting(network, services, loads, interrupt);
  if (interrupt != nullptr && *interrupt) {
    return Fail("Interrupted", "the evaluation was interrupted");
  }

  Evaluation evaluation;
  evaluation.groups.resize(network.groups.size());
  std::vector<DensitySum> densities(network.groups.size());
  size_t closed_classes = 0;
  for (const RequestClass& c : network.classes) {
    const auto visits = network.VisitsOf(c);
    Latency latency;
    AddServices(network, c, services, latency);
    if (const auto* open = std::get_if<OpenLoop>(&c.load)) {
      latency.rate = open->requests_per_second / 1e9;
      AddWaits(visits, loads, waiting.waits, latency);
    } else {
      const Waiting::ClosedClass& closed = waiting.classes[closed_classes++];
      latency.rate = closed.rate;
      latency.wait = closed.wait;
    }
    evaluation.class_rates.push_back(latency.rate * 1e9);
    AddTo(evaluation.groups[c.group], densities[c.group], latency);
  }
  for (size_t i = 0; i < evaluation.groups.size(); ++i) {
    GroupResult& group = evaluation.groups[i];
    densities[i].AddTo(group.latency);
    if (group.requests_per_second > 0) group.mean_latency_ns /= group.requests_per_second;
  }
  evaluation.stations.reserve(network.stations.size());
  for (size_t i = 0; i < network.stations.size(); ++i) {
    evaluation.stations.push_back(
        OfStation(network.stations[i].kind, loads[i], waiting.waits[i], waiting.closed[i]));
  }
  std::vector<double> offered;
  offered.reserve(loads.size());
  for (size_t i = 0; i < loads.size(); ++i) {
    offered.push_back(loads[i].work + waiting.closed[i].work);
  }
  evaluation.bottleneck = FindBottleneck(network, offered);
  evaluation.headroom = Headroom(network, loads);
  evaluation.saturated = evaluation.headroom <= 1;
  return evaluation;
}

}  // namespace cnisim
