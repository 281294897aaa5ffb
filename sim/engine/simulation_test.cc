#include "sim/engine/simulation.h"

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/engine/one_shot.h"

namespace cnisim {
namespace {

using std::chrono::seconds;

TimePoint At(int64_t s) { return TimePoint(seconds(s)); }

// Does what a test says.
struct LambdaTimer final : Timer {
  explicit LambdaTimer(std::function<void()> f) : function(std::move(f)) {}
  void Fire() override { function(); }
  std::function<void()> function;
};

TEST(SimulationTest, EqualTimesFireInTheOrderOfStarting) {
  Simulation simulation;
  std::string log;
  simulation.Call(At(1), [&] {
    log += 'a';
    simulation.Call(simulation.Now(), [&] { log += 'd'; });  // zero delay: behind b and c
    simulation.Call(At(0), [&] { log += 'e'; });             // in the past: now
    EXPECT_EQ(log, "a");                                     // never inline
  });
  simulation.Call(At(1), [&] { log += 'b'; });
  simulation.Call(At(1), [&] { log += 'c'; });
  EXPECT_EQ(simulation.pending(), 3u);
  EXPECT_TRUE(simulation.Run(At(1)));
  EXPECT_EQ(log, "abcde");
  EXPECT_EQ(simulation.events_executed(), 5u);
  EXPECT_EQ(simulation.pending(), 0u);
}

TEST(SimulationTest, KeyedTimersFireFirst) {
  Simulation simulation;
  std::string log;
  LambdaTimer tick1([&] { log += '1'; });
  LambdaTimer tick2([&] { log += '2'; });
  LambdaTimer tick3([&] { log += '3'; });
  simulation.Call(At(1), [&] {
    log += 'a';
    simulation.StartKeyedTimer(At(1), 1, tick1);  // late, and still before b
  });
  simulation.Call(At(1), [&] { log += 'b'; });
  simulation.StartKeyedTimer(At(1), 3, tick3);
  simulation.StartKeyedTimer(At(1), 2, tick2);
  simulation.Run(At(2));
  EXPECT_EQ(log, "23a1b");
}

TEST(SimulationTest, RunStopsAtItsLimit) {
  Simulation simulation;
  std::vector<TimePoint> fired;
  for (const int s : {3, 1, 2}) {
    simulation.Call(At(s), [&] { fired.push_back(simulation.Now()); });
  }
  EXPECT_TRUE(simulation.Run(At(2)));
  EXPECT_EQ(fired, (std::vector{At(1), At(2)}));
  EXPECT_EQ(simulation.Now(), At(2));
  EXPECT_TRUE(simulation.Run(At(2)));  // again: nothing
  EXPECT_TRUE(simulation.Run(At(1)));  // the past: nothing
  EXPECT_EQ(simulation.Now(), At(2));
  simulation.Call(At(2) + seconds(0), [&] { fired.push_back(simulation.Now()); });
  EXPECT_TRUE(simulation.Run(At(10)));
  EXPECT_EQ(fired, (std::vector{At(1), At(2), At(2), At(3)}));
  EXPECT_EQ(simulation.Now(), At(10));
}

TEST(SimulationTest, RunNextExecutesOneEvent) {
  Simulation simulation;
  simulation.Call(At(5), [] {});
  simulation.Call(At(7), [] {});
  EXPECT_TRUE(simulation.RunNext());
  EXPECT_EQ(simulation.Now(), At(5));
  EXPECT_TRUE(simulation.RunNext());
  EXPECT_FALSE(simulation.RunNext());
  EXPECT_EQ(simulation.Now(), At(7));
}

TEST(SimulationTest, TimeMayStartBeforeZero) {
  Simulation simulation(At(-100));
  EXPECT_EQ(simulation.Now(), At(-100));
  std::vector<TimePoint> fired;
  for (const int s : {0, -50, -99, 3}) {
    simulation.Call(At(s), [&] { fired.push_back(simulation.Now()); });
  }
  simulation.Call(At(-1000), [&] { fired.push_back(simulation.Now()); });
  simulation.Run(At(3));
  EXPECT_EQ(fired, (std::vector{At(-100), At(-99), At(-50), At(0), At(3)}));
}

TEST(SimulationTest, StopFromAnEventAndFromASignalHandler) {
  Simulation simulation;
  int count = 0;
  for (int s = 1; s <= 4; ++s) {
    simulation.Call(At(s), [&, s] {
      ++count;
      if (s == 2) simulation.Stop();
    });
  }
  EXPECT_FALSE(simulation.Run(At(10)));
  EXPECT_EQ(count, 2);
  EXPECT_EQ(simulation.Now(), At(2));

  static Simulation* target = &simulation;
  const auto old = std::signal(SIGUSR1, [](int) { target->Stop(); });
  std::raise(SIGUSR1);
  std::signal(SIGUSR1, old);
  EXPECT_FALSE(simulation.Run(At(10)));
  EXPECT_EQ(count, 2);
  EXPECT_TRUE(simulation.Run(At(10)));
  EXPECT_EQ(count, 4);
}

TEST(SimulationTest, AnInterruptIsSeenBetweenEventsOfOneInstant) {
  Simulation simulation;
  std::atomic<bool> interrupt{false};
  int count = 0;
  for (int i = 0; i < 1000; ++i) {
    simulation.Call(At(1), [&] { interrupt = ++count == 10; });
  }
  EXPECT_FALSE(simulation.Run(At(2), &interrupt));
  EXPECT_FALSE(simulation.Run(At(2), &interrupt));
  EXPECT_EQ(count, 10);
  EXPECT_EQ(simulation.Now(), At(1));
  interrupt = false;
  EXPECT_TRUE(simulation.Run(At(2), &interrupt));
  EXPECT_EQ(count, 1000);
}

TEST(SimulationTest, CancelInsideAnEventOfTheSameTime) {
  Simulation simulation;
  bool fired = false;
  auto victim = std::make_unique<LambdaTimer>([&] { fired = true; });
  TimerId id = 0;
  simulation.Call(At(1), [&] {
    simulation.CancelTimer(id);
    victim.reset();  // a cancelled timer may die at once
  });
  id = simulation.StartTimer(At(1), *victim);
  simulation.Run(At(2));
  EXPECT_FALSE(fired);
  EXPECT_EQ(simulation.events_executed(), 1u);
  EXPECT_EQ(simulation.pending(), 0u);
}

TEST(SimulationTest, AnEventMayRestartItsOwnTimer) {
  Simulation simulation;
  int count = 0;
  LambdaTimer timer([&] {
    if (++count < 5) simulation.StartTimer(simulation.Now() + seconds(1), timer);
  });
  simulation.StartTimer(At(1), timer);
  simulation.Run(At(100));
  EXPECT_EQ(count, 5);
}

TEST(SimulationTest, CallsThatNeverFireAreFreed) {
  const auto token = std::make_shared<int>(0);
  {
    Simulation simulation;
    for (int s = 1; s <= 3; ++s) simulation.Call(At(s), [token] {});
    EXPECT_EQ(token.use_count(), 4);
    simulation.Run(At(1));
    EXPECT_EQ(token.use_count(), 3);
  }
  EXPECT_EQ(token.use_count(), 1);
}

Task<int> Add(Simulation& simulation, int a, int b) {
  co_await simulation.Sleep(seconds(1));
  co_return a + b;
}

Task<void> Sum(Simulation& simulation, int& sum, std::shared_ptr<int> token) {
  for (int i = 0; i < 3; ++i) sum = co_await Add(simulation, sum, i);
  *token = sum;
}

TEST(SimulationTest, SpawnedTasksRunAndAreFreedWhenTheyEnd) {
  Simulation simulation;
  const auto token = std::make_shared<int>(-1);
  int sum = 10;
  simulation.Spawn(Sum(simulation, sum, token));
  EXPECT_EQ(token.use_count(), 2);
  simulation.Run(At(2));
  EXPECT_EQ(sum, 11);
  EXPECT_EQ(token.use_count(), 2);
  simulation.Run(At(3));
  EXPECT_EQ(*token, 13);
  EXPECT_EQ(token.use_count(), 1);
}

Task<void> Immediate(std::shared_ptr<int> token) {
  ++*token;
  co_return;
}

TEST(SimulationTest, ATaskThatNeverWaitsEndsInSpawn) {
  Simulation simulation;
  const auto token = std::make_shared<int>(0);
  simulation.Spawn(Immediate(token));
  EXPECT_EQ(*token, 1);
  EXPECT_EQ(token.use_count(), 1);
}

TEST(SimulationTest, TasksAsleepAreDestroyedWithTheSimulation) {
  const auto token = std::make_shared<int>(0);
  int sum = 0;
  {
    Simulation simulation;
    for (int i = 0; i < 200; ++i) simulation.Spawn(Sum(simulation, sum, token));
    simulation.Run(At(1) - Duration(1));
    EXPECT_EQ(token.use_count(), 201);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(SimulationTest, ATaskThatIsKilledAsleepNeverWakes) {
  Simulation simulation;
  const auto token = std::make_shared<int>(0);
  int sum = 0;
  Task<void> task = Sum(simulation, sum, token);
  task.Start();
  EXPECT_EQ(simulation.pending(), 1u);
  simulation.Call(At(1) - Duration(1), [&] { task = Task<void>(); });
  simulation.Run(At(10));
  EXPECT_EQ(sum, 0);
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(simulation.pending(), 0u);
  EXPECT_EQ(simulation.events_executed(), 1u);
}

TEST(SimulationTest, TasksMaySpawnTasks) {
  Simulation simulation;
  int ended = 0;
  const std::function<Task<void>(int)> tree = [&](int depth) -> Task<void> {
    co_await simulation.Sleep(seconds(1));
    if (depth > 0) {
      simulation.Spawn(tree(depth - 1));
      simulation.Spawn(tree(depth - 1));
    }
    ++ended;
  };
  simulation.Spawn(tree(6));
  simulation.Run(At(100));
  EXPECT_EQ(ended, 127);
}

// A call that owns a sleeping task: destroyed after the roots, and it cancels its own timer.
TEST(SimulationTest, ACallMayOwnASleepingTask) {
  const auto token = std::make_shared<int>(0);
  int sum = 0;
  {
    Simulation simulation;
    Task<void> task = Sum(simulation, sum, token);
    task.Start();
    simulation.Call(At(100), [task = std::move(task)] {});
    simulation.Run(At(1) - Duration(1));
  }
  EXPECT_EQ(token.use_count(), 1);
}

Task<void> Receive(OneShot<std::unique_ptr<int>> one_shot, int& got) {
  const std::unique_ptr<int> value = co_await one_shot.Wait();
  got = *value;
}

TEST(OneShotTest, WaitThenComplete) {
  Simulation simulation;
  OneShot<std::unique_ptr<int>> one_shot;
  int got = 0;
  simulation.Spawn(Receive(one_shot, got));
  EXPECT_FALSE(one_shot.completed());
  EXPECT_EQ(got, 0);
  one_shot.Complete(std::make_unique<int>(7));
  EXPECT_EQ(got, 7);
  EXPECT_TRUE(one_shot.completed());
}

TEST(OneShotTest, CompleteThenWait) {
  Simulation simulation;
  OneShot<std::unique_ptr<int>> one_shot;
  int got = 0;
  one_shot.Complete(std::make_unique<int>(8));
  simulation.Spawn(Receive(one_shot, got));
  EXPECT_EQ(got, 8);
}

TEST(OneShotTest, TheCompleterMayOutliveTheWaiter) {
  Simulation simulation;
  int got = 0;
  OneShot<std::unique_ptr<int>> one_shot;
  Task<void> task = Receive(one_shot, got);
  task.Start();
  task = Task<void>();
  one_shot.Complete(std::make_unique<int>(9));
  EXPECT_EQ(got, 0);
}

TEST(OneShotTest, TheWaiterMayOutliveTheCompleter) {
  const auto token = std::make_shared<int>(0);
  {
    Simulation simulation;
    const auto wait = [](OneShot<int> one_shot, std::shared_ptr<int> held) -> Task<void> {
      *held = co_await one_shot.Wait();
    };
    simulation.Spawn(wait(OneShot<int>(), token));  // no completer is left
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(*token, 0);
}

TEST(OneShotTest, TheLastCopyMayDieInTheWaiter) {
  Simulation simulation;
  int got = 0;
  auto owner = std::make_unique<OneShot<int>>();
  const auto wait = [&]() -> Task<void> {
    got = co_await owner->Wait();
    owner.reset();  // what Complete is being called on
  };
  simulation.Spawn(wait());
  simulation.Call(At(1), [&] { owner->Complete(5); });
  simulation.Run(At(1));
  EXPECT_EQ(got, 5);
  EXPECT_EQ(owner, nullptr);
}

}  // namespace
}  // namespace cnisim
