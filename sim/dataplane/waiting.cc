#include "sim/dataplane/waiting.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

namespace cnisim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMaxIterations = 10'000;
constexpr double kTolerance = 1e-9;  // of the change of a class's throughput in an iteration

// What one class does at a station, in all of its visits there.
struct OwnShare {
  double work = 0;         // sum of E[S]
  double second = 0;       // sum of E[S^2]
  double jobs_work = 0;    // sum over its requests at the station of E[S] ...
  double jobs_second = 0;  // ... and of E[S^2]
};

struct StationState {
  bool has_server = false;
  bool takes_time = true;  // services do
  double idle = 1;         // the share of time that open classes leave
  double backlog = 0;   // the work that an observer finds, without waiting requests of open classes
  double price = 1;     // by which waits are raised
  double variance = 0;  // of the closed classes' work that an observer finds
  double next_backlog = 0;
  double next_work = 0;  // utilisation by closed classes
  OwnShare own;          // of the class that is being looked at; else 0
};

struct ClassState {
  std::span<const Visit> visits;
  double population = 0;
  double free_time = 0;     // thinking and all services
  double most = kInfinity;  // the rate that stations which pace allow
  double rate = 0;
};

// Of the waits in an M/G/1 queue.
double OpenVariance(const StationLoad& load) {
  const double idle = 1 - load.work;
  const double mean = load.second / (2 * idle);
  return load.third / (3 * idle) + mean * mean;
}

// The variance of the work that the requests of one class make at a station, each there or not.
double VarianceOf(const OwnShare& own, double population) {
  return own.jobs_second - own.jobs_work * own.jobs_work / population;
}

class Solver {
 public:
  Solver(const QueueNetwork& network, const ServiceTimes& services,
         const std::vector<StationLoad>& open);

  Waiting Solve(const std::atomic<bool>* interrupt);

 private:
  void AddClass(const RequestClass& c, const ClosedLoop& load);
  bool Iterate();
  void AddVariances(const ClassState& c);
  Waiting::ClosedClass Tell(const ClassState& c, std::vector<Waiting::ClosedShare>& shares);
  // Fills waits_, as the class's visits.
  void FindWaits(const ClassState& c);
  // Sets the sums over requests in the stations' `own`, from waits_.
  void FindJobs(const ClassState& c);
  void ForgetOwn(const ClassState& c);
  double Utilisation(size_t at) const { return open_[at].work + stations_[at].next_work; }

  const QueueNetwork& network_;
  const ServiceTimes& services_;
  const std::vector<StationLoad>& open_;
  std::vector<StationState> stations_;
  std::vector<ClassState> classes_;
  std::vector<double> waits_;
};

Solver::Solver(const QueueNetwork& network, const ServiceTimes& services,
               const std::vector<StationLoad>& open)
    : network_(network), services_(services), open_(open), stations_(network.stations.size()) {
  for (size_t i = 0; i < stations_.size(); ++i) {
    StationState& station = stations_[i];
    station.has_server = network.stations[i].has_server();
    station.takes_time = network.stations[i].kind != Station::Kind::kPace;
    station.idle = std::max(0.0, 1 - open[i].work);
    station.backlog = open[i].second / 2;
  }
  for (const RequestClass& c : network.classes) {
    if (const auto* closed = std::get_if<ClosedLoop>(&c.load)) AddClass(c, *closed);
  }
}

// With a first guess: nobody waits, and no queue does more than it can.
void Solver::AddClass(const RequestClass& c, const ClosedLoop& load) {
  ClassState& state = classes_.emplace_back();
  state.visits = network_.VisitsOf(c);
  state.population = load.population;
  state.free_time = services_.MeanOf(load.think_time);
  double demand = 0;
  for (const Visit& visit : state.visits) {
    StationState& station = stations_[visit.station];
    const double service = services_.Of(visit).mean;
    if (station.takes_time) state.free_time += service;
    if (!station.has_server) continue;
    demand = std::max(demand, station.own.work += service);
    if (!station.takes_time) state.most = std::min(state.most, 1 / station.own.work);
  }
  ForgetOwn(state);
  state.rate = std::min(state.population / state.free_time, 1 / demand);
  for (const Visit& visit : state.visits) {
    stations_[visit.station].backlog += state.rate * services_.Of(visit).second / 2;
  }
}

void Solver::ForgetOwn(const ClassState& c) {
  for (const Visit& visit : c.visits) stations_[visit.station].own = {};
}

void Solver::FindWaits(const ClassState& c) {
  for (const Visit& visit : c.visits) {
    const ServiceMoments service = services_.Of(visit);
    OwnShare& own = stations_[visit.station].own;
    own.work += service.mean;
    own.second += service.second;
  }
  waits_.clear();
  const double share = c.rate / c.population;
  for (const Visit& visit : c.visits) {
    const StationState& station = stations_[visit.station];
    double wait = 0;
    if (station.has_server && station.idle <= 0) {
      wait = kInfinity;
    } else if (station.has_server) {
      const double found = std::max(0.0, station.backlog - share * station.own.second / 2);
      wait = station.price * found / (station.idle + station.price * share * station.own.work);
    }
    waits_.push_back(wait);
  }
  ForgetOwn(c);
}

// One step of successive substitution. False when nothing changes any more.
bool Solver::Iterate() {
  for (size_t i = 0; i < stations_.size(); ++i) {
    stations_[i].next_backlog = open_[i].second / 2;
    stations_[i].next_work = 0;
  }
  double change = 0;
  for (ClassState& c : classes_) {
    if (c.rate == 0) continue;
    FindWaits(c);
    const double waiting = std::accumulate(waits_.begin(), waits_.end(), 0.0);
    const double rate = std::min(c.population / (c.free_time + waiting), c.most);
    change = std::max(change, std::abs(rate - c.rate) / c.rate);
    c.rate = rate;
    if (rate == 0) continue;
    for (size_t i = 0; i < c.visits.size(); ++i) {
      const ServiceMoments service = services_.Of(c.visits[i]);
      StationState& station = stations_[c.visits[i].station];
      station.next_backlog += rate * (waits_[i] * service.mean + service.second / 2);
      station.next_work += rate * service.mean;
    }
  }
  for (size_t i = 0; i < stations_.size(); ++i) {
    StationState& station = stations_[i];
    station.backlog = station.next_backlog;
    if (!station.has_server || station.idle <= 0) continue;
    const double price = std::max(1.0, station.price * Utilisation(i));
    change = std::max(change, std::abs(price - station.price));
    station.price = price;
  }
  return change > kTolerance;
}

void Solver::FindJobs(const ClassState& c) {
  for (size_t i = 0; i < c.visits.size(); ++i) {
    const ServiceMoments service = services_.Of(c.visits[i]);
    OwnShare& own = stations_[c.visits[i].station].own;
    const double jobs = c.rate * (waits_[i] + service.mean);
    own.jobs_work += jobs * service.mean;
    own.jobs_second += jobs * service.second;
  }
}

void Solver::AddVariances(const ClassState& c) {
  if (c.rate == 0) return;
  FindWaits(c);
  FindJobs(c);
  for (const Visit& visit : c.visits) {
    StationState& station = stations_[visit.station];
    station.variance += VarianceOf(station.own, c.population);
    station.own = {};
  }
}

Waiting::ClosedClass Solver::Tell(const ClassState& c, std::vector<Waiting::ClosedShare>& shares) {
  Waiting::ClosedClass told{c.rate, {0, 0, 0}};
  if (c.population == 0) return told;
  if (c.rate == 0) {
    told.wait.mean = kInfinity;
    return told;
  }
  FindWaits(c);
  FindJobs(c);
  for (size_t i = 0; i < c.visits.size(); ++i) {
    const uint32_t at = c.visits[i].station;
    const double service = services_.Of(c.visits[i]).mean;
    shares[at].rate += c.rate;
    shares[at].work += c.rate * service;
    const StationState& station = stations_[at];
    shares[at].jobs += c.rate * (waits_[i] + (station.takes_time ? service : 0));
    if (!station.has_server) continue;
    const double others = station.variance - VarianceOf(station.own, c.population) / c.population;
    told.wait.mean += waits_[i];
    told.wait.variance +=
        OpenVariance(open_[at]) + std::max(0.0, others) / (station.idle * station.idle);
  }
  ForgetOwn(c);
  if (c.rate == c.most) told.wait.mean = std::max(0.0, c.population / c.rate - c.free_time);
  return told;
}

Waiting Solver::Solve(const std::atomic<bool>* interrupt) {
  for (int i = 0; i < kMaxIterations && Iterate(); ++i) {
    if (interrupt != nullptr && *interrupt) break;
  }
  for (const ClassState& c : classes_) AddVariances(c);
  Waiting waiting;
  waiting.waits.resize(stations_.size());
  for (size_t i = 0; i < stations_.size(); ++i) {
    const StationState& station = stations_[i];
    if (!station.has_server) continue;
    Waiting::Wait& wait = waiting.waits[i];
    if (station.idle <= 0) {
      wait = {kInfinity, 0, 0};
      continue;
    }
    wait.mean = station.price * station.backlog / station.idle;
    wait.variance = OpenVariance(open_[i]) + station.variance / (station.idle * station.idle);
    wait.unhindered = std::max(0.0, 1 - Utilisation(i));
  }
  waiting.closed.resize(stations_.size());
  for (const ClassState& c : classes_) waiting.classes.push_back(Tell(c, waiting.closed));
  return waiting;
}

}  // namespace

Waiting SolveWaiting(const QueueNetwork& network, const ServiceTimes& services,
                     const std::vector<StationLoad>& open, const std::atomic<bool>* interrupt) {
  return Solver(network, services, open).Solve(interrupt);
}

}  // namespace cnisim
