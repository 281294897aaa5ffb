// One node's world whose every port takes time, and whose agent can be killed anywhere.
//
// A FakeWorld behind ports that answer late: a call has its effect at some moment of its own and
// its reply some time after that, and the effect happens even if the caller is gone by then. Every
// place where the agent waits, and every step of a checkpoint, is a *point* with a name; the world
// counts them, and from a given point on the agent is dead: nothing it does has an effect any more,
// until its owner notices and destroys it. No call takes longer than kLongestCall.
#ifndef CNISIM_CORE_IPAM_TESTING_SLOW_WORLD_H_
#define CNISIM_CORE_IPAM_TESTING_SLOW_WORLD_H_

#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "core/ipam/testing/fake_world.h"

namespace cnisim {

// Where the agent can be killed, and how often: by name, "Create" where a call has been sent,
// "Create done" where it has taken effect but was not answered yet.
using Points = std::map<std::string, int, std::less<>>;

inline constexpr Duration kLongestCall = std::chrono::seconds(3);

// When the agent dies: at the n-th point of this name, or of any if it is empty.
struct Death {
  std::string point;
  int count = 0;  // 0: never
};

class SlowWorld;

// The clock as the agent has it: its waits are points.
class PointClock final : public Clock {
 public:
  explicit PointClock(SlowWorld& world) : world_(world) {}

  TimePoint Now() const override;
  TimerId StartTimer(TimePoint at, Timer& timer) override;
  void CancelTimer(TimerId id) override;

 private:
  SlowWorld& world_;
};

class SlowPacer final : public PoolLoopPacer {
 public:
  explicit SlowPacer(SlowWorld& world) : world_(world) {}

  // How many half periods the pool loop sleeps instead of one.
  int slowness = 1;

  Task<void> HalfPeriod() override;
  Task<IdleEnd> SkipIdle(IdleOffer offer) override;
  Task<void> UntilRead(PolledMetadata what) override;

 private:
  SlowWorld& world_;
};

// Saves nothing once the agent is dead.
class MortalCheckpointStore final : public CheckpointStore {
 public:
  MortalCheckpointStore(SlowWorld& world, MemoryCheckpointStore& store)
      : world_(world), store_(store) {}

  Result<std::optional<std::vector<Allocation>>> Load() override;
  Status Save(const AllocationChange& change, const AllocationSource& all) override;
  Status Rewrite(const AllocationSource& all) override;

 private:
  SlowWorld& world_;
  MemoryCheckpointStore& store_;
};

class MortalCheckpointStores final : public CheckpointStores {
 public:
  explicit MortalCheckpointStores(SlowWorld& world) : world_(world) {}
  MortalCheckpointStore& ForCard(int network_card) override;

 private:
  SlowWorld& world_;
  std::map<int, MortalCheckpointStore> stores_;
};

class SlowWorld {
 public:
  SlowWorld(FakeInstance instance, std::vector<FakeSubnet> subnets, uint64_t seed, Death death);
  ~SlowWorld();

  // Ports whose calls are points.
  AgentPorts ports();

  // Moves the clock, stopping early, with true, where the agent dies.
  bool RunUntilDeathFor(Duration d);
  // A new agent may live, for ever.
  void Bury();

  bool dead() const { return dead_; }
  const Points& seen() const { return seen_; }
  const std::string& died_at() const { return died_at_; }

  // Counts a point. Whoever calls it goes on without effect if the agent is dead then.
  void Pass(std::string_view name);
  // A call of the agent's: a point, an effect later, a point, and the reply.
  template <typename T>
  Task<T> Call(std::string name, Duration longest, Task<T> effect);

  uint64_t Draw(uint64_t below) { return random_() % below; }
  Duration DrawDuration(Duration from, Duration to);

  FakeWorld world;
  SlowPacer pacer;
  PointClock clock;

 private:
  class Ec2;
  class Metadata;
  class Host;
  class Kubernetes;
  friend class PointClock;

  struct Effect : Timer {
    virtual ~Effect() = default;
  };
  template <typename T>
  struct EffectOf;

  std::mt19937_64 random_;
  Death death_;
  bool dead_ = false;
  std::string died_at_;
  Points seen_;
  int passed_ = 0;
  bool calling_ = false;  // the next timer is that of a call
  std::list<std::shared_ptr<Effect>> in_flight_;
  MortalCheckpointStores checkpoints_;
  std::unique_ptr<Ec2> ec2_;
  std::unique_ptr<Metadata> metadata_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Kubernetes> kubernetes_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_TESTING_SLOW_WORLD_H_
