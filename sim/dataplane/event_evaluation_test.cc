#include "sim/dataplane/event_evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

#include "core/net/hash.h"
#include "sim/dataplane/random_network_testing.h"
#include "sim/dataplane/test_networks.h"
#include "sim/engine/random.h"

namespace cnisim {
namespace {

constexpr int64_t kMicrosecond = 1'000;

Evaluation Evaluate(const QueueNetwork& network, EventSettings settings) {
  const Result<Evaluation> evaluation = EvaluateByEvents(network, settings);
  EXPECT_TRUE(evaluation) << evaluation.error().message;
  for (size_t i = 0; i < network.stations.size(); ++i) {
    const StationResult& station = evaluation->stations[i];
    EXPECT_LE(station.utilisation, 1);
    if (network.stations[i].kind == Station::Kind::kQueue) {
      EXPECT_LE(station.utilisation, station.mean_jobs);
    }
  }
  return *evaluation;
}

EventSettings Window(double seconds, uint64_t seed = 1) {
  EventSettings settings;
  settings.seed = seed;
  settings.warm_up = std::chrono::milliseconds(20);
  settings.window = Duration(static_cast<int64_t>(seconds * 1e9));
  return settings;
}

// As many seconds as let the mean of a queue with service times of about 1 us be within 1 %.
double LongEnough(double load) { return 0.7 + 0.15 / (load * (1 - load) * (1 - load)); }

TEST(EventEvaluationTest, MM1IsWithinOnePercentOfTheory) {
  for (const double load : {0.3, 0.6, 0.8}) {
    NetworkBuilder b;
    const uint32_t queue = b.Queue();
    b.AddClass({{queue, b.Exponential(kMicrosecond)}}, OpenLoop{load * 1e6});
    const Evaluation e = Evaluate(b.network, Window(LongEnough(load)));
    const double mean = kMicrosecond / (1 - load);
    EXPECT_NEAR(e.groups[0].mean_latency_ns, mean, 0.01 * mean);
    for (const double p : {0.5, 0.9, 0.99}) {
      const double quantile = -mean * std::log1p(-p);
      EXPECT_NEAR(e.groups[0].latency.Quantile(p), quantile, 0.015 * quantile) << load << " " << p;
    }
    const double last = -mean * std::log(0.001);
    EXPECT_NEAR(e.groups[0].latency.Quantile(0.999), last, 0.02 * last) << load;
    EXPECT_NEAR(e.stations[0].utilisation, load, 0.005 * load);
    EXPECT_NEAR(e.stations[0].mean_jobs, load / (1 - load), 0.015 * load / (1 - load));
    EXPECT_NEAR(e.stations[0].visits_per_second, load * 1e6, 0.005 * load * 1e6);
    EXPECT_NEAR(e.headroom, 1 / load, 1e-9);
    EXPECT_FALSE(e.saturated);
    EXPECT_EQ(e.bottleneck, 0);
  }
}

// Pollaczek and Khinchine, for constant, two-point and lognormal services.
TEST(EventEvaluationTest, MG1IsWithinOnePercentOfTheory) {
  const Distribution two_points =
      Distribution::Empirical({{Duration(400), 9}, {Duration(6'400), 1}}).value();
  const Distribution lognormal = Distribution::Lognormal(Duration(800), Duration(4'000)).value();
  for (const Distribution& service :
       {Distribution::Fixed(Duration(kMicrosecond)).value(), two_points, lognormal}) {
    for (const double load : {0.3, 0.6, 0.8}) {
      NetworkBuilder b;
      const uint32_t queue = b.Queue();
      const Distribution::Moments m = service.ComputeMoments();
      const double rate = load / m.mean;
      b.AddClass({{queue, b.Add(service)}}, OpenLoop{rate * 1e9});
      const double variability = (m.mean * m.mean + m.variance) / (m.mean * m.mean);
      const Evaluation e = Evaluate(b.network, Window(LongEnough(load) * variability / 3));
      const double mean = m.mean + rate * (m.mean * m.mean + m.variance) / (2 * (1 - load));
      EXPECT_NEAR(e.groups[0].mean_latency_ns, mean, 0.01 * mean) << service.ToString() << load;
    }
  }
}

// The latency through two M/M/1 queues of equal speed is Erlang-2 distributed.
TEST(EventEvaluationTest, TandemIsWithinOnePercentOfTheory) {
  for (const double load : {0.3, 0.6, 0.8}) {
    NetworkBuilder b;
    const uint32_t first = b.Queue();
    const uint32_t second = b.Queue();
    const uint32_t service = b.Exponential(kMicrosecond);
    b.AddClass({{first, service}, {second, service}}, OpenLoop{load * 1e6});
    const Evaluation e = Evaluate(b.network, Window(LongEnough(load)));
    const double each = kMicrosecond / (1 - load);
    EXPECT_NEAR(e.groups[0].mean_latency_ns, 2 * each, 0.01 * 2 * each) << load;
    const double q = e.groups[0].latency.Quantile(0.99) / each;
    EXPECT_NEAR(1 - (1 + q) * std::exp(-q), 0.99, 0.001) << load;
  }
}

// A textbook's simulation: explicit queues, a heap of events, services that begin and end.
class Twin {
 public:
  Twin(const QueueNetwork& network, const EventSettings& settings)
      : network_(network),
        settings_(settings),
        stations_(network.stations.size()),
        numbers_(network.classes.size()),
        sojourns_(network.stations.size()),
        latencies_(network.groups.size()) {}

  void Run() {
    for (uint32_t i = 0; i < network_.classes.size(); ++i) {
      const auto* closed = std::get_if<ClosedLoop>(&network_.classes[i].load);
      for (uint32_t n = 0; n < (closed == nullptr ? 1 : closed->population); ++n) New(0, i);
    }
    const int64_t end = (settings_.warm_up + settings_.window).count();
    while (events_.top().time <= end) {
      const Event event = events_.top();
      events_.pop();
      Handle(event);
    }
  }

  // Ends of visits and requests in the window, and their times.
  const std::vector<std::vector<int64_t>>& sojourns() const { return sojourns_; }
  const std::vector<std::vector<int64_t>>& latencies() const { return latencies_; }

 private:
  struct Request {
    uint32_t class_index = 0;
    uint64_t number = 0;
    int64_t started = 0;
    uint32_t visits_done = 0;
    int64_t arrived = 0;
    uint64_t order = 0;  // of coming to the present station, among all
    int64_t service = 0;
  };
  struct Event {
    int64_t time = 0;
    uint64_t order = 0;
    bool is_start = false;
    Request request;
    uint32_t free_station = kNone;  // which paces and whose server is free again; else kNone

    friend bool operator>(const Event& a, const Event& b) {
      return std::pair(a.time, a.order) > std::pair(b.time, b.order);
    }
  };

  uint64_t Draw(const Request& r, uint64_t purpose) const {
    return KeyedDraw(settings_.seed, network_.classes[r.class_index].key, purpose, r.number);
  }

  void New(int64_t now, uint32_t class_index) {
    Request r;
    r.class_index = class_index;
    r.number = numbers_[class_index]++;
    const RequestClass& c = network_.classes[class_index];
    if (const auto* open = std::get_if<OpenLoop>(&c.load)) {
      const double u = UnitDouble(Draw(r, HashName("arrival")));
      r.started =
          now + static_cast<int64_t>(-std::log(1 - u) * (1e9 / open->requests_per_second) + 0.5);
    } else {
      const uint32_t think = std::get<ClosedLoop>(c.load).think_time;
      r.started = now;
      if (think != kNone) {
        r.started += network_.distributions[think].Sample(Draw(r, HashName("thinking"))).count();
      }
    }
    events_.push(Event{r.started, ++order_, true, r});
  }

  void Handle(const Event& event) {
    if (event.free_station != kNone) {
      std::deque<Request>& waiting = stations_[event.free_station];
      waiting.pop_front();
      if (!waiting.empty()) Pace(event.time, event.free_station);
      return;
    }
    Request r = event.request;
    const RequestClass& c = network_.classes[r.class_index];
    const bool open = std::holds_alternative<OpenLoop>(c.load);
    const bool counts = event.time > settings_.warm_up.count();
    if (event.is_start) {
      if (open) New(event.time, r.class_index);
    } else {
      const uint32_t at = network_.VisitsOf(c)[r.visits_done].station;
      if (counts) sojourns_[at].push_back(event.time - r.arrived);
      ++r.visits_done;
      if (network_.stations[at].kind == Station::Kind::kQueue) {
        stations_[at].pop_front();
        if (!stations_[at].empty()) Serve(event.time, stations_[at].front());
      }
    }
    if (r.visits_done == c.visit_count) {
      if (counts) latencies_[c.group].push_back(event.time - r.started);
      if (!open) New(event.time, r.class_index);
      return;
    }
    const Visit& visit = network_.VisitsOf(c)[r.visits_done];
    r.arrived = event.time;
    r.order = ++order_;
    r.service = visit.service_ns;
    if (visit.distribution != kNone) {
      r.service += network_.distributions[visit.distribution]
                       .Sample(Draw(r, HashName("service") + r.visits_done))
                       .count();
    }
    if (network_.stations[visit.station].kind == Station::Kind::kDelay) {
      Serve(event.time, r);
      return;
    }
    stations_[visit.station].push_back(r);
    if (stations_[visit.station].size() > 1) return;
    if (network_.stations[visit.station].kind == Station::Kind::kPace) {
      Pace(event.time, visit.station);
    } else {
      Serve(event.time, r);
    }
  }

  // The first one's service begins: it goes, and leaves its place taken. Of what happens at one
  // instant, servers become free first.
  void Pace(int64_t now, uint32_t station) {
    const Request& r = stations_[station].front();
    events_.push(Event{now + r.service, 0, false, {}, station});
    events_.push(Event{now, r.order, false, r});
  }

  void Serve(int64_t now, const Request& r) {
    events_.push(Event{now + r.service, r.order, false, r});
  }

  const QueueNetwork& network_;
  const EventSettings& settings_;
  std::vector<std::deque<Request>> stations_;  // the first is in service
  std::vector<uint64_t> numbers_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  uint64_t order_ = 0;
  std::vector<std::vector<int64_t>> sojourns_;
  std::vector<std::vector<int64_t>> latencies_;
};

double Mean(const std::vector<int64_t>& times) {
  int64_t sum = 0;
  for (const int64_t time : times) sum += time;
  return times.empty() ? 0 : static_cast<double>(sum) / static_cast<double>(times.size());
}

// Times are a few nanoseconds, so many requests meet at one instant.
TEST(EventEvaluationTest, IsExactlyATextbooksSimulation) {
  size_t ends = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    RandomNetworkShape shape;
    shape.longest_ns = seed % 2 == 0 ? 6 : 60;
    shape.population = 5;
    shape.pacing = seed % 4 < 2;
    const QueueNetwork network = MakeRandomNetwork(seed, shape);
    EventSettings settings;
    settings.seed = seed;
    settings.warm_up = Duration(500);
    settings.window = Duration(5'000);
    const Evaluation e = Evaluate(network, settings);
    Twin twin(network, settings);
    twin.Run();
    for (size_t i = 0; i < e.stations.size(); ++i) {
      const std::vector<int64_t>& sojourns = twin.sojourns()[i];
      ASSERT_EQ(e.stations[i].visits_per_second, static_cast<double>(sojourns.size()) / 5e3 * 1e9);
      ASSERT_EQ(e.stations[i].mean_time_ns, Mean(sojourns)) << seed << " " << i;
    }
    for (size_t i = 0; i < e.groups.size(); ++i) {
      const std::vector<int64_t>& latencies = twin.latencies()[i];
      LatencyHistogram histogram;
      for (const int64_t latency : latencies) histogram.Add(latency);
      ASSERT_EQ(e.groups[i].latency.weights(), histogram.weights()) << seed << " " << i;
      ASSERT_EQ(e.groups[i].mean_latency_ns, Mean(latencies)) << seed << " " << i;
      ends += latencies.size();
    }
  }
  EXPECT_GT(ends, 50'000);
}

TEST(EventEvaluationTest, ClassesRatesAreTheirGroups) {
  RandomNetworkShape shape;
  shape.population = 5;
  const QueueNetwork network = MakeRandomNetwork(11, shape);
  const Evaluation e = Evaluate(network, Window(0.01, 1));
  ASSERT_EQ(e.class_rates.size(), e.groups.size());  // each class is a group here
  for (size_t i = 0; i < e.groups.size(); ++i) {
    EXPECT_EQ(e.class_rates[i], e.groups[i].requests_per_second);
  }
}

TEST(EventEvaluationTest, IsGivenUpWhenInterrupted) {
  NetworkBuilder b;
  b.AddClass({{b.Queue(), kNone, 1'000}}, OpenLoop{1e5});
  EventSettings settings = Window(100);
  const std::atomic<bool> interrupt = true;
  settings.interrupt = &interrupt;
  const Result<Evaluation> e = EvaluateByEvents(b.network, settings);
  ASSERT_FALSE(e);
  EXPECT_EQ(e.error().code, "Interrupted");
}

// Windows that follow one another count every end once.
TEST(EventEvaluationTest, WindowsAddUp) {
  const QueueNetwork network = MakeRandomNetwork(7, {});
  const auto ends = [&](int64_t from, int64_t to) {
    EventSettings settings;
    settings.warm_up = Duration(from);
    settings.window = Duration(to - from);
    double sum = 0;
    for (const GroupResult& group : Evaluate(network, settings).groups) {
      sum += group.latency.total();
    }
    return sum;
  };
  EXPECT_GT(ends(0, 20'000'000), 1'000);
  EXPECT_EQ(ends(0, 20'000'000), ends(0, 1) + ends(1, 7'000'000) + ends(7'000'000, 7'000'001) +
                                     ends(7'000'001, 20'000'000));
}

TEST(EventEvaluationTest, SameSeedSameBitsAndAnotherSeedOthers) {
  const QueueNetwork network = MakeRandomNetwork(3, {});
  const auto run = [&](uint64_t seed) {
    std::vector<double> bits;
    const Evaluation e = Evaluate(network, Window(0.01, seed));
    for (const StationResult& s : e.stations) {
      bits.insert(bits.end(), {s.utilisation, s.mean_jobs, s.visits_per_second, s.mean_time_ns});
    }
    for (const GroupResult& g : e.groups) {
      bits.push_back(g.mean_latency_ns);
      bits.insert(bits.end(), g.latency.weights().begin(), g.latency.weights().end());
    }
    return bits;
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

// The other class comes first in the network and at the queue; arrivals at the first station and
// services there stay what they are, to the bit.
TEST(EventEvaluationTest, AnotherClassLeavesAClassesDrawsAlone) {
  const auto first_station = [](bool with_other) {
    NetworkBuilder b;
    const uint32_t front = b.Delay();
    const uint32_t shared = b.Queue();
    const uint32_t service = b.Exponential(900);
    b.AddClass({{front, service}, {shared, service}}, OpenLoop{3e5});
    if (with_other) {
      b.AddClass({{shared, service}}, OpenLoop{6e5});
      std::swap(b.network.classes[0], b.network.classes[1]);
    }
    const Evaluation e = Evaluate(b.network, Window(0.02));
    return std::pair(e.stations[0], e.stations[1].mean_time_ns);
  };
  const auto [alone, alone_later] = first_station(false);
  const auto [beside, beside_later] = first_station(true);
  EXPECT_EQ(alone.mean_jobs, beside.mean_jobs);
  EXPECT_EQ(alone.visits_per_second, beside.visits_per_second);
  EXPECT_EQ(alone.mean_time_ns, beside.mean_time_ns);
  EXPECT_LT(alone_later, beside_later);
}

TEST(EventEvaluationTest, UsersAreThinkingOrWaiting) {
  NetworkBuilder b;
  const uint32_t cpu = b.Queue();
  const uint32_t disk = b.Queue();
  b.AddClass({{cpu, b.Exponential(300)}, {disk, kNone, 700}, {cpu, kNone, 100}},
             ClosedLoop{12, b.Exponential(4'000)});
  const Evaluation e = Evaluate(b.network, Window(1));
  const double cycle = e.groups[0].mean_latency_ns + 4'000;
  EXPECT_NEAR(e.groups[0].requests_per_second * cycle / 1e9, 12, 0.05);
  EXPECT_EQ(e.headroom, std::numeric_limits<double>::infinity());
  EXPECT_EQ(e.bottleneck, disk);
}

TEST(EventEvaluationTest, OverloadIsToldAndBounded) {
  NetworkBuilder b;
  const uint32_t queue = b.Queue();
  b.AddClass({{queue, kNone, kMicrosecond}}, OpenLoop{2e6});
  EventSettings settings = Window(0.1);
  settings.max_requests = 1'000;
  const Evaluation e = Evaluate(b.network, settings);
  EXPECT_TRUE(e.saturated);
  EXPECT_NEAR(e.headroom, 0.5, 1e-12);
  EXPECT_EQ(e.stations[0].utilisation, 1);
  EXPECT_NEAR(static_cast<double>(e.refused), 100'000, 3'000);
  EXPECT_NEAR(e.groups[0].requests_per_second, 1e6, 100);
  EXPECT_LE(e.stations[0].mean_jobs, 1'000);
  EXPECT_GT(e.stations[0].mean_jobs, 990);
}

TEST(EventEvaluationTest, DegenerateNetworks) {
  const Evaluation empty = Evaluate(QueueNetwork(), Window(1));
  EXPECT_EQ(empty.bottleneck, kNone);
  EXPECT_EQ(empty.headroom, std::numeric_limits<double>::infinity());

  NetworkBuilder b;
  const uint32_t queue = b.Queue();
  const uint32_t never = b.Add(Distribution::Fixed(Duration::max()).value());
  b.AddClass({{queue, kNone, 5}}, OpenLoop{0});
  b.AddClass({{queue, kNone, 5}}, ClosedLoop{0, kNone});
  b.AddClass({{queue, kNone, 0}}, OpenLoop{1e6});
  b.AddClass({}, OpenLoop{1e6});
  b.AddClass({{queue, kNone, 5}}, OpenLoop{1e-300});
  b.AddClass({}, ClosedLoop{2, never});
  const Evaluation e = Evaluate(b.network, Window(0.1));
  for (const size_t idle : {0, 1, 4, 5}) EXPECT_EQ(e.groups[idle].requests_per_second, 0);
  for (const size_t busy : {2, 3}) {
    EXPECT_NEAR(e.groups[busy].requests_per_second, 1e6, 2e4);
    EXPECT_EQ(e.groups[busy].mean_latency_ns, 0);
  }
  EXPECT_EQ(e.stations[0].utilisation, 0);
  EXPECT_EQ(e.bottleneck, kNone);

  // A service that outlasts all time.
  NetworkBuilder endless;
  endless.AddClass(
      {{endless.Queue(), endless.Add(Distribution::Fixed(Duration::max()).value()), 9}},
      OpenLoop{1e6});
  EXPECT_EQ(Evaluate(endless.network, Window(0.001)).stations[0].utilisation, 1);
}

TEST(EventEvaluationTest, RefusesWindowsThatAreEmptyOrTooLongAndTooManyUsers) {
  for (const int64_t window : {int64_t{0}, int64_t{-1}, INT64_MAX / 1'000'000}) {
    EventSettings settings;
    settings.warm_up = Duration(1'000);
    settings.window = Duration(window);
    const Result<Evaluation> e = EvaluateByEvents(QueueNetwork(), settings);
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().code, "InvalidWindow");
  }
  NetworkBuilder b;
  b.AddClass({{b.Queue(), kNone, 1}}, ClosedLoop{600'000, kNone});
  b.AddClass({{b.Queue(), kNone, 1}}, ClosedLoop{600'000, kNone});
  const Result<Evaluation> e = EvaluateByEvents(b.network, Window(0.001));
  ASSERT_FALSE(e);
  EXPECT_EQ(e.error().code, "TooManyUsers");
}

}  // namespace
}  // namespace cnisim
