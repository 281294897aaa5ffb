// What one CNI ADD and DEL cost in the core: the datastore with its checkpoint write.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/ipam/datastore.h"

namespace cnisim {
namespace {

// Durability is not what is measured here.
class NoCheckpoint final : public CheckpointStore {
 public:
  Result<std::optional<std::vector<Allocation>>> Load() override { return std::nullopt; }
  Status Save(const AllocationChange&, const AllocationSource&) override { return {}; }
  Status Rewrite(const AllocationSource&) override { return {}; }
};

IpamKey KeyOf(int pod) {
  return {"aws-cni", std::string(56, 'c') + std::to_string(10000000 + pod), "eth0"};
}

// A node full of `pods` pods but for one address: each round a pod goes and another one comes.
void AddDelPairs(benchmark::State& state, bool prefix_mode) {
  const int pods = static_cast<int>(state.range(0));
  const int per_cidr = prefix_mode ? 16 : 1;
  NoCheckpoint checkpoint;
  Datastore::Config config;
  config.mode = prefix_mode ? PoolMode::kPrefixes : PoolMode::kSecondaryIps;
  config.ip_cooldown = Duration::zero();
  Datastore datastore(config, checkpoint, Choice::Random(1), nullptr);
  int left = pods + 1;
  for (int e = 0; left > 0; ++e) {
    EniAttributes eni;
    eni.id = "eni-" + std::to_string(e);
    eni.is_primary = e == 0;
    eni.device_number = e;
    static_cast<void>(datastore.AddEni(eni, kTimeZero));
    for (int c = 0; c < 29 && left > 0; ++c, left -= per_cidr) {
      const Ipv4Address base(10, static_cast<uint8_t>(e), static_cast<uint8_t>(c), 0);
      static_cast<void>(datastore.AddCidr(eni.id, Ipv4Cidr(base, prefix_mode ? 28 : 32)));
    }
  }
  TimePoint now;
  const IpamMetadata metadata{"default", "pod"};
  std::vector<IpamKey> keys;
  for (int p = 0; p < pods; ++p) {
    keys.push_back(KeyOf(p));
    static_cast<void>(datastore.Assign(keys.back(), metadata, now));
  }
  size_t next = 0;
  for (auto _ : state) {
    now += std::chrono::seconds(1);
    benchmark::DoNotOptimize(datastore.Unassign(keys[next], now));
    now += std::chrono::seconds(1);
    benchmark::DoNotOptimize(datastore.Assign(keys[next], metadata, now));
    next = next + 1 == keys.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(AddDelPairs, secondary, false)->Arg(50)->Arg(250);
BENCHMARK_CAPTURE(AddDelPairs, prefix, true)->Arg(50)->Arg(250);

}  // namespace
}  // namespace cnisim

BENCHMARK_MAIN();
