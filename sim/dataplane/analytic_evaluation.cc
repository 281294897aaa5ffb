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
  double rate = 0;  // a nanosecond
  double fixed = 0;
  double random = 0;  // the mean of the rest
  double variance = 0;
};

// The services alone.
Latency WithoutWaiting(std::span<const Visit> visits, const ServiceTimes& services) {
  Latency latency;
  for (const Visit& visit : visits) {
    const ServiceMoments service = services.Of(visit);
    if (service.variance > 0) {
      latency.fixed += static_cast<double>(visit.service_ns);
      latency.random += service.mean - static_cast<double>(visit.service_ns);
      latency.variance += service.variance;
    } else {
      latency.fixed += service.mean;
    }
  }
  return latency;
}

Latency OfOpenClass(double rate, std::span<const Visit> visits, const ServiceTimes& services,
                    const std::vector<StationLoad>& loads, const Waiting& waiting) {
  Latency latency = WithoutWaiting(visits, services);
  latency.rate = rate;
  for (const Visit& visit : visits) {
    const Waiting::Wait& wait = waiting.waits[visit.station];
    latency.random += wait.mean;
    latency.variance += wait.variance;
  }
  if (std::isfinite(latency.random)) return latency;
  double cut = 1;
  for (const Visit& visit : visits) {
    if (std::isfinite(waiting.waits[visit.station].mean)) continue;
    cut = std::min(cut, 1 / loads[visit.station].work);
  }
  latency.rate *= cut;
  return latency;
}

void AddTo(GroupResult& group, DensitySum& densities, const Latency& latency) {
  if (latency.rate == 0) return;
  const double weight = latency.rate * 1e9;
  group.requests_per_second += weight;
  group.mean_latency_ns += weight * (latency.fixed + latency.random);  // divided in the end
  if (std::isfinite(latency.random)) {
    GammaQuantiles::Get().Spread(latency.fixed, latency.random, latency.variance, weight,
                                 densities);
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
  if (kind == Station::Kind::kQueue) {
    result.utilisation = std::min(1.0, open.work + closed.work);
  }
  if (rate == 0) return result;
  result.mean_jobs = open.work + (open.rate > 0 ? open.rate * wait.mean : 0) + closed.jobs;
  result.mean_time_ns = result.mean_jobs / rate;
  return result;
}

}  // namespace

Result<Evaluation> EvaluateAnalytically(const QueueNetwork& network) {
  if (const Status status = Check(network); !status) return tl::unexpected(status.error());
  const ServiceTimes services(network);
  const std::vector<StationLoad> loads = OfferedLoads(network, services);
  const Waiting waiting = SolveWaiting(network, services, loads);

  Evaluation evaluation;
  evaluation.groups.resize(network.groups.size());
  std::vector<DensitySum> densities(network.groups.size());
  size_t closed_classes = 0;
  for (const RequestClass& c : network.classes) {
    const auto visits = network.VisitsOf(c);
    Latency latency;
    if (const auto* open = std::get_if<OpenLoop>(&c.load)) {
      latency = OfOpenClass(open->requests_per_second / 1e9, visits, services, loads, waiting);
    } else {
      const Waiting::ClosedClass& closed = waiting.classes[closed_classes++];
      latency = WithoutWaiting(visits, services);
      latency.rate = closed.rate;
      latency.random += closed.waiting;
      latency.variance = closed.variance;
    }
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
  evaluation.bottleneck = FindBottleneck(network, evaluation.stations);
  evaluation.headroom = Headroom(network, loads);
  evaluation.saturated = evaluation.headroom <= 1;
  return evaluation;
}

}  // namespace cnisim
