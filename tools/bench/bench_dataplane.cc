// The cost of a visit in an evaluation by events, and of a class in an analytic one.
//
// A cluster of nodes with 30 pods each; a node is two CPU cores and the two directions of its NIC.
// Every class is a pair of pods on different nodes: a request of 14 visits from a core of the
// client's node over NICs and wire to the server's node, its work there, and the way back. The
// busiest queue is at 60 %.
//  - ByEvents/NODES/PAIRS: items are visits; PAIRS classes a pod. at_once: requests under way and
//    pending arrivals of classes, each of which takes an event and 96 bytes.
//  - Analytically/NODES/PAIRS: items are classes. bytes_per_class: of the network itself. In
//    half_closed, every second class is four users.
// items_per_second is of CPU time; both include everything from the network to the result.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "sim/dataplane/analytic_evaluation.h"
#include "sim/dataplane/event_evaluation.h"
#include "sim/dataplane/station_load.h"
#include "sim/dataplane/test_networks.h"
#include "sim/engine/random.h"

namespace cnisim {
namespace {

constexpr uint64_t kPodsPerNode = 30;
constexpr int64_t kVisitsPerClass = 14;

struct NodeStations {
  uint32_t cores[2];
  uint32_t out;
  uint32_t in;
};

QueueNetwork MakeCluster(uint64_t node_count, uint64_t pairs_per_pod, bool closed) {
  NetworkBuilder b;
  RandomStream random(42, "bench", "cluster");
  std::vector<NodeStations> nodes(node_count);
  for (NodeStations& node : nodes) node = {{b.Queue(), b.Queue()}, b.Queue(), b.Queue()};
  const uint32_t wire = b.Delay();
  const uint32_t server = b.Delay();
  const uint32_t work = b.Exponential(50'000);
  const uint32_t think = b.Exponential(10'000'000);
  b.network.groups.push_back("traffic");
  for (uint64_t pod = 0; pod < node_count * kPodsPerNode; ++pod) {
    for (uint64_t pair = 0; pair < pairs_per_pod; ++pair) {
      const uint64_t from = pod / kPodsPerNode;
      const uint64_t to = (from + 1 + random.NextBelow(node_count - 1)) % node_count;
      const NodeStations& client = nodes[from];
      const NodeStations& peer = nodes[to];
      const uint32_t client_core = client.cores[random.NextBelow(2)];
      const uint32_t peer_core = peer.cores[random.NextBelow(2)];
      const auto cpu_ns = static_cast<int64_t>(5'000 + random.NextBelow(5'000));
      const std::vector<Visit> visits = {
          {client_core, kNone, cpu_ns}, {client_core, kNone, 800},   {client.out, kNone, 1'200},
          {wire, kNone, 20'000},        {peer.in, kNone, 1'200},     {peer_core, kNone, 900},
          {peer_core, kNone, cpu_ns},   {server, work, 0},           {peer_core, kNone, cpu_ns},
          {peer.out, kNone, 4'800},     {wire, kNone, 20'000},       {client.in, kNone, 4'800},
          {client_core, kNone, 900},    {client_core, kNone, cpu_ns}};
      RequestClass c;
      c.key = b.network.classes.size();
      c.first_visit = static_cast<uint32_t>(b.network.visits.size());
      c.visit_count = static_cast<uint32_t>(visits.size());
      c.load = OpenLoop{1 + random.NextDouble()};
      if (closed && random.NextBelow(2) == 0) c.load = ClosedLoop{4, think};
      b.network.visits.insert(b.network.visits.end(), visits.begin(), visits.end());
      b.network.classes.push_back(c);
    }
  }
  const ServiceTimes services(b.network);
  const double factor = 0.6 * Headroom(b.network, OfferedLoads(b.network, services));
  for (RequestClass& c : b.network.classes) {
    if (auto* open = std::get_if<OpenLoop>(&c.load)) open->requests_per_second *= factor;
  }
  return b.network;
}

uint64_t Nodes(const benchmark::State& state) { return static_cast<uint64_t>(state.range(0)); }
uint64_t Pairs(const benchmark::State& state) { return static_cast<uint64_t>(state.range(1)); }

void BM_ByEvents(benchmark::State& state) {
  const QueueNetwork network = MakeCluster(Nodes(state), Pairs(state), false);
  // About four million visits, a tenth more to warm up.
  double requests_per_second = 0;
  for (const RequestClass& c : network.classes) {
    requests_per_second += std::get<OpenLoop>(c.load).requests_per_second;
  }
  EventSettings settings;
  settings.window =
      Duration(static_cast<int64_t>(4e6 / (requests_per_second * kVisitsPerClass) * 1e9));
  settings.warm_up = settings.window / 10;
  double visits = 0;
  double at_once = 0;
  for (auto _ : state) {
    const Evaluation e = *EvaluateByEvents(network, settings);
    at_once = static_cast<double>(network.classes.size());
    for (const StationResult& station : e.stations) {
      visits += station.visits_per_second * ToSeconds(settings.window + settings.warm_up);
      at_once += station.mean_jobs;
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(visits));
  state.counters["at_once"] = at_once;
}

void BM_Analytically(benchmark::State& state, bool closed) {
  const QueueNetwork network = MakeCluster(Nodes(state), Pairs(state), closed);
  for (auto _ : state) benchmark::DoNotOptimize(EvaluateAnalytically(network));
  const auto classes = static_cast<int64_t>(network.classes.size());
  state.SetItemsProcessed(state.iterations() * classes);
  state.counters["bytes_per_class"] =
      static_cast<double>(sizeof(RequestClass) + kVisitsPerClass * sizeof(Visit));
}

BENCHMARK(BM_ByEvents)
    ->Args({10, 1})
    ->Args({100, 1})
    ->Args({1'000, 1})
    ->Args({1'000, 3})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Analytically, open, false)
    ->Args({10, 1})
    ->Args({1'000, 1})
    ->Args({1'000, 16})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Analytically, half_closed, true)
    ->Args({1'000, 1})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cnisim

BENCHMARK_MAIN();
