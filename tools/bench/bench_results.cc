// Rows per second into a results file, and records per second into summary and fingerprint.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "results/database.h"
#include "results/embedded_sql.h"
#include "results/fingerprint.h"
#include "results/recorder.h"
#include "results/summary.h"

namespace cnisim {
namespace {

constexpr int kRows = 200'000;

TimePoint At(int64_t nanoseconds) { return TimePoint(Duration(nanoseconds)); }

void TellPods(Observer& observer) {
  EntityRecord entity;
  for (EntityId id = 0; id < 102; ++id) {
    entity.id = id;
    entity.name = id == 1 ? "api" : "workers-17";
    observer.OnEntity(entity);
  }
  for (int i = 0; i < kRows; ++i) {
    PodRecord pod;
    pod.pod = static_cast<PodId>(i);
    pod.ns = "default";
    pod.name = "api-7d4b9c6f5-x2x4z";
    pod.workload = 1;
    pod.node = static_cast<EntityId>(2 + i % 100);
    pod.eni = "eni-0123456789abcdef0";
    pod.ip = Ipv4Address(0x0a000000 + static_cast<uint32_t>(i));
    pod.created = At(i * int64_t{1'000'000});
    pod.scheduled = pod.first_add = pod.ip_assigned = pod.running = pod.created;
    pod.add_attempts = 1;
    observer.OnPod(pod);
  }
}

void TellPools(Observer& observer) {
  for (int i = 0; i < kRows; ++i) {
    PoolChange change;
    change.node = static_cast<EntityId>(i % 100);
    change.time = At(i * int64_t{1'000'000});
    change.enis = 2;
    change.total_ips = 18;
    change.assigned_ips = i % 18;
    observer.OnPoolChange(change);
  }
}

void TellGauges(Observer& observer) {
  for (int i = 0; i < kRows; ++i) {
    observer.OnGauge(Metric::kSubnetFreeIps, static_cast<EntityId>(i % 4),
                     At(i * int64_t{1'000'000}), i % 1000);
  }
}

using Tell = void (*)(Observer&);

void Record(benchmark::State& state, Tell tell) {
  std::string folder = "/tmp/cnisim-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return state.SkipWithError("mkdtemp");
  const std::string path = folder + "/x.db";
  for (auto _ : state) {
    auto db = Database::Create(path);
    RecordSpec every;
    every.interval = Duration(0);
    Recorder recorder(*db, {}, every);
    const Summary nothing{TimePoint()};
    tell(recorder);
    recorder.OnEnd(At(0));
    if (!recorder.Finish({}, nothing, {}) || !db->Execute(IndexesSql())) {
      state.SkipWithError("not written");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
}
BENCHMARK_CAPTURE(Record, pods, TellPods)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Record, pool_changes, TellPools)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Record, series_points, TellGauges)->Unit(benchmark::kMillisecond);

void Hash(benchmark::State& state, Tell tell) {
  for (auto _ : state) {
    Fingerprint fingerprint;
    tell(fingerprint);
    benchmark::DoNotOptimize(fingerprint.digest());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK_CAPTURE(Hash, pods, TellPods)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Hash, gauges, TellGauges)->Unit(benchmark::kMillisecond);

void Summarise(benchmark::State& state, Tell tell) {
  for (auto _ : state) {
    Summary summary{TimePoint()};
    tell(summary);
    summary.OnEnd(At(kRows * int64_t{1'000'000}));
    benchmark::DoNotOptimize(summary.pods_started());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK_CAPTURE(Summarise, pods, TellPods)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Summarise, gauges, TellGauges)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cnisim

BENCHMARK_MAIN();
