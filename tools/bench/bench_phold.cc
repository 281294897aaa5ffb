// The cost of an event: PHOLD (Fujimoto 1990) in the hold model, and a sleeping coroutine.
//
// N logical processes with one pending event each. An event draws an exponential delay of mean 1 s
// and a uniformly random process, and schedules the next event there. So N events are always
// pending.
//  - Phold: Simulation, with virtual Timer dispatch.
//  - Heap: the yardstick, std::priority_queue over 24-byte records and no dispatch but a switch.
//  - NoQueue: first in, first out instead of a queue; what random numbers and dispatch cost.
//  - SleepPing: one flow that only sleeps, N of them at once.
// All draw from the same stream; Phold and Heap execute the same events in the same order.
// items_per_second is events per second of CPU time.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "core/ports/task.h"
#include "sim/engine/random.h"
#include "sim/engine/simulation.h"

namespace cnisim {
namespace {

constexpr int64_t kEventsPerIteration = 1 << 20;
constexpr double kMeanNs = 1e9;

int64_t NextDelay(RandomStream& random) {
  return static_cast<int64_t>(-kMeanNs * std::log(1 - random.NextDouble()));
}

RandomStream BenchStream() { return RandomStream(42, "phold", "delay"); }

struct World {
  explicit World(size_t n);

  Simulation simulation;
  RandomStream random = BenchStream();
  std::vector<struct Process> processes;
};

struct Process final : Timer {
  void Fire() override {
    ++events;
    const Duration delay(NextDelay(world->random));
    Process& next = world->processes[world->random.NextBelow(world->processes.size())];
    world->simulation.StartTimer(world->simulation.Now() + delay, next);
  }

  World* world = nullptr;
  uint64_t events = 0;
};

World::World(size_t n) : processes(n) {
  for (Process& process : processes) {
    process.world = this;
    simulation.StartTimer(kTimeZero + Duration(NextDelay(random)), process);
  }
}

void BM_Phold(benchmark::State& state) {
  World world(static_cast<size_t>(state.range(0)));
  for (int64_t i = 0; i < 4 * state.range(0); ++i) world.simulation.RunNext();
  for (auto _ : state) {
    for (int64_t i = 0; i < kEventsPerIteration; ++i) world.simulation.RunNext();
  }
  state.SetItemsProcessed(state.iterations() * kEventsPerIteration);
}

struct Record {
  int64_t time;
  uint64_t sequence;
  uint32_t process;
  uint32_t type;

  friend bool operator>(const Record& a, const Record& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }
};

struct Counters {
  uint64_t events = 0;
  uint64_t last_type = 0;
};

// The next record of the process that `record` is for.
Record Handle(const Record& record, std::vector<Counters>& processes, RandomStream& random,
              uint64_t& sequence) {
  Counters& counters = processes[record.process];
  switch (record.type) {
    case 0:
      ++counters.events;
      break;
    default:
      counters.last_type = record.type;
  }
  const int64_t delay = NextDelay(random);
  const auto process = static_cast<uint32_t>(random.NextBelow(processes.size()));
  return Record{record.time + delay, ++sequence, process, 0};
}

void BM_Heap(benchmark::State& state) {
  const auto n = static_cast<size_t>(state.range(0));
  RandomStream random = BenchStream();
  std::vector<Counters> processes(n);
  std::priority_queue<Record, std::vector<Record>, std::greater<>> queue;
  uint64_t sequence = 0;
  for (uint32_t i = 0; i < n; ++i) queue.push(Record{NextDelay(random), ++sequence, i, 0});
  const auto step = [&] {
    const Record record = queue.top();
    queue.pop();
    queue.push(Handle(record, processes, random, sequence));
  };
  for (size_t i = 0; i < 4 * n; ++i) step();
  for (auto _ : state) {
    for (int64_t i = 0; i < kEventsPerIteration; ++i) step();
  }
  state.SetItemsProcessed(state.iterations() * kEventsPerIteration);
}

void BM_NoQueue(benchmark::State& state) {
  const auto n = static_cast<size_t>(state.range(0));
  RandomStream random = BenchStream();
  std::vector<Counters> processes(n);
  std::vector<Record> ring(n);
  uint64_t sequence = 0;
  for (uint32_t i = 0; i < n; ++i) ring[i] = Record{NextDelay(random), ++sequence, i, 0};
  size_t next = 0;
  for (auto _ : state) {
    for (int64_t i = 0; i < kEventsPerIteration; ++i) {
      ring[next] = Handle(ring[next], processes, random, sequence);
      if (++next == n) next = 0;
    }
  }
  state.SetItemsProcessed(state.iterations() * kEventsPerIteration);
}

Task<void> Ping(Simulation& simulation, Duration period) {
  for (;;) co_await simulation.Sleep(period);
}

void BM_SleepPing(benchmark::State& state) {
  Simulation simulation;
  for (int64_t i = 0; i < state.range(0); ++i) {
    simulation.Spawn(Ping(simulation, Duration(1'000'000 + i)));
  }
  for (auto _ : state) {
    for (int64_t i = 0; i < kEventsPerIteration; ++i) simulation.RunNext();
  }
  state.SetItemsProcessed(state.iterations() * kEventsPerIteration);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
}

BENCHMARK(BM_Phold)->Apply(Sizes);
BENCHMARK(BM_Heap)->Apply(Sizes);
BENCHMARK(BM_NoQueue)->Apply(Sizes);
BENCHMARK(BM_SleepPing)->Arg(1)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cnisim

BENCHMARK_MAIN();
