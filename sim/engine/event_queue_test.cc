#include "sim/engine/event_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/engine/id_set.h"
#include "sim/engine/random.h"

namespace cnisim {
namespace {

struct NullTimer final : Timer {
  void Fire() override {}
};

// Drives a queue and a std::map side by side and compares every pop.
class Twins {
 public:
  // Ordered as the queue promises: time, keyed first, key, order of pushing.
  using Order = std::tuple<int64_t, int, uint32_t, uint64_t>;

  void Push(int64_t time) {
    Timer& timer = NewTimer();
    Add(Order{time, 1, 0, pushes_}, timer, queue_.Push(time, timer));
  }
  void PushKeyed(int64_t time, uint32_t key) {
    Timer& timer = NewTimer();
    Add(Order{time, 0, key, pushes_}, timer, queue_.PushKeyed(time, key, timer));
  }

  // Cancels the first pending event that was pushed at or after a random one.
  void CancelSome(RandomStream& random) {
    if (pending_.empty()) return;
    const uint64_t from = random.NextBelow(pushes_) + 1;
    auto it = std::find_if(pending_.begin(), pending_.end(),
                           [&](const auto& entry) { return std::get<3>(entry.first) >= from; });
    if (it == pending_.end()) it = pending_.begin();
    queue_.Cancel(it->second.id);
    pending_.erase(it);
  }

  // True if an event was popped. Checks it against the map, and moves now on.
  bool Pop(int64_t limit) {
    Event event;
    const bool popped = queue_.PopUntil(limit, event);
    const bool expected = !pending_.empty() && std::get<0>(pending_.begin()->first) <= limit;
    EXPECT_EQ(popped, expected) << "limit " << limit;
    if (!popped || !expected) {
      if (!pending_.empty()) now_ = std::max(now_, limit);
      return false;
    }
    const auto& [order, entry] = *pending_.begin();
    EXPECT_EQ(event.time, std::get<0>(order));
    EXPECT_EQ(event.sequence, entry.id);
    EXPECT_EQ(event.timer, entry.timer);
    now_ = event.time;
    pending_.erase(pending_.begin());
    return true;
  }

  void PopAll() {
    while (Pop(INT64_MAX)) {
    }
    EXPECT_TRUE(pending_.empty());
  }

  bool Consistent() const {
    return queue_.size() == pending_.size() && queue_.stored() <= 2 * pending_.size() + 65;
  }
  int64_t now() const { return now_; }
  void set_now(int64_t now) { now_ = now; }
  size_t size() const { return pending_.size(); }

 private:
  struct Entry {
    uint64_t id;
    const Timer* timer;
  };

  // One of a few addresses in turn; the queue never looks at what is there.
  Timer& NewTimer() { return timers_[++pushes_ % timers_.size()]; }
  void Add(Order order, const Timer& timer, uint64_t id) {
    EXPECT_TRUE(ids_.insert(id).second);
    pending_.emplace(order, Entry{id, &timer});
  }

  EventQueue queue_;
  std::map<Order, Entry> pending_;
  std::set<uint64_t> ids_;  // of all events ever
  std::array<NullTimer, 64> timers_;
  uint64_t pushes_ = 0;
  int64_t now_ = 0;
};

// How far ahead events are pushed.
enum class Delays { kTies, kShort, kUniform, kWide, kGrid, kTwoScales };

int64_t DrawDelay(Delays delays, RandomStream& random) {
  switch (delays) {
    case Delays::kTies:
      return static_cast<int64_t>(random.NextBelow(3));
    case Delays::kShort:
      return static_cast<int64_t>(random.NextBelow(100));
    case Delays::kUniform:
      return static_cast<int64_t>(random.NextBelow(1'000'000'000));
    case Delays::kWide:
      return static_cast<int64_t>(random.NextU64() >> (2 + random.NextBelow(62))) >> 8;
    case Delays::kGrid:
      return static_cast<int64_t>(random.NextBelow(4)) * 2'500'000'000;
    case Delays::kTwoScales:
      return static_cast<int64_t>(random.Bernoulli(0.9) ? random.NextBelow(1'000)
                                                        : random.NextBelow(10'000'000'000));
  }
  return 0;
}

struct Workload {
  Delays delays;
  size_t target;      // about how many events are pending
  double keyed;       // share of keyed pushes
  double cancels;     // cancels per step
  double bounded;     // share of pops with a limit near now
  int64_t start = 0;  // time of the first push
};

void RunTwins(const Workload& w, uint64_t seed, int steps) {
  RandomStream random(seed, "twins", "steps");
  Twins twins;
  twins.set_now(w.start);
  for (int step = 0; step < steps; ++step) {
    const double grow = twins.size() < w.target ? 0.7 : 0.3;
    if (random.Bernoulli(grow)) {
      // Saturating: the wide delays reach the end of time.
      const int64_t delay = DrawDelay(w.delays, random);
      const int64_t time = twins.now() > INT64_MAX - delay ? INT64_MAX : twins.now() + delay;
      if (random.Bernoulli(w.keyed)) {
        twins.PushKeyed(time, static_cast<uint32_t>(
                                  random.Bernoulli(0.1) ? UINT32_MAX : random.NextBelow(1'000)));
      } else {
        twins.Push(time);
      }
    } else if (random.Bernoulli(w.bounded)) {
      const int64_t ahead = DrawDelay(w.delays, random) / 2;
      twins.Pop(twins.now() > INT64_MAX - ahead ? INT64_MAX : twins.now() + ahead);
    } else {
      twins.Pop(INT64_MAX);
    }
    if (random.Bernoulli(w.cancels)) twins.CancelSome(random);
    if (step % 64 == 0) {
      ASSERT_TRUE(twins.Consistent());
    }
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << " step " << step;
  }
  twins.PopAll();
  ASSERT_TRUE(twins.Consistent());
}

TEST(EventQueueTest, PopsAsASortedMapWould) {
  uint64_t seed = 1;
  for (const Delays delays : {Delays::kTies, Delays::kShort, Delays::kUniform, Delays::kWide,
                              Delays::kGrid, Delays::kTwoScales}) {
    for (const size_t target : {3, 60, 2'000}) {
      for (const double keyed : {0.0, 0.5}) {
        for (const double cancels : {0.0, 0.3}) {
          for (const double bounded : {0.0, 0.5}) {
            SCOPED_TRACE(::testing::Message()
                         << "delays " << static_cast<int>(delays) << " target " << target
                         << " keyed " << keyed << " cancels " << cancels << " bounded " << bounded);
            const int64_t start = seed % 3 == 0 ? -5'000'000'000 : seed % 3 == 1 ? 0 : INT64_MIN;
            RunTwins({delays, target, keyed, cancels, bounded, start}, seed++,
                     cancels > 0 && target > 100 ? 4'000 : 8'000);
            ASSERT_FALSE(HasFailure());
          }
        }
      }
    }
  }
}

TEST(EventQueueTest, BurstsOfTies) {
  // Crowds at one time beside stragglers, pushed while the crowd is at the front.
  RandomStream random(7, "twins", "bursts");
  Twins twins;
  for (int round = 0; round < 40; ++round) {
    const int64_t crowd = twins.now() + static_cast<int64_t>(random.NextBelow(50));
    for (int i = 0; i < 400; ++i) {
      twins.PushKeyed(crowd, static_cast<uint32_t>(random.NextBelow(10'000)));
      twins.Push(crowd);
      if (i % 50 == 0) twins.Push(twins.now() + static_cast<int64_t>(random.NextBelow(100)));
    }
    for (int i = 0; i < 700; ++i) {
      twins.Pop(INT64_MAX);
      if (i % 10 == 0) twins.PushKeyed(twins.now(), static_cast<uint32_t>(random.NextBelow(9'999)));
      if (i % 25 == 0) twins.Push(twins.now() + static_cast<int64_t>(random.NextBelow(3)));
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  twins.PopAll();
}

TEST(EventQueueTest, StartsAfreshWhenOnlyCancelledEventsWereLeft) {
  // Passing cancelled events moves the queue's horizon, but not the time of the next push.
  constexpr int64_t kFar = 10'000'000'000;
  RandomStream random(8, "twins", "afresh");
  for (int round = 0; round < 200; ++round) {
    Twins twins;
    for (int i = 0; i < 60; ++i) twins.Push(kFar + DrawDelay(Delays::kShort, random));
    while (twins.size() > 0) twins.CancelSome(random);
    ASSERT_FALSE(twins.Pop(INT64_MAX));
    for (int i = 0; i < 100; ++i) {
      twins.Push(DrawDelay(Delays::kUniform, random) * 10);
      twins.Push(kFar + DrawDelay(Delays::kShort, random) * 10);
    }
    twins.PopAll();
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

// Every program of five operations over a handful of times and kinds.
TEST(EventQueueTest, AllSmallPrograms) {
  constexpr int kOperations = 9;
  constexpr int kLength = 5;
  int programs = 1;
  for (int i = 0; i < kLength; ++i) programs *= kOperations;
  RandomStream random(3, "small", "cancel");
  for (int program = 0; program < programs; ++program) {
    Twins twins;
    twins.set_now(-33);  // digits change at -32 and at 0
    int rest = program;
    for (int i = 0; i < kLength; ++i, rest /= kOperations) {
      switch (rest % kOperations) {
        case 0:
          twins.Push(twins.now());
          break;
        case 1:
          twins.Push(twins.now() + 1);
          break;
        case 2:
          twins.Push(twins.now() + 33);
          break;
        case 3:
          twins.PushKeyed(twins.now(), 5);
          break;
        case 4:
          twins.PushKeyed(twins.now() + 1, 4);
          break;
        case 5:
          twins.Pop(INT64_MAX);
          break;
        case 6:
          twins.Pop(twins.now());
          break;
        case 7:
          twins.Pop(twins.now() + 16);
          break;
        case 8:
          twins.CancelSome(random);
          break;
      }
    }
    twins.PopAll();
    ASSERT_TRUE(twins.Consistent());
    ASSERT_FALSE(HasFailure()) << "program " << program;
  }
}

TEST(EventQueueTest, KeyedEventsComeFirstWheneverTheyWerePushed) {
  EventQueue queue;
  NullTimer timer;
  const uint64_t ordinary = queue.Push(10, timer);
  const uint64_t high = queue.PushKeyed(10, UINT32_MAX, timer);
  const uint64_t low = queue.PushKeyed(10, 0, timer);
  const uint64_t low_again = queue.PushKeyed(10, 0, timer);
  std::vector<uint64_t> order;
  for (Event event; queue.PopUntil(10, event);) order.push_back(event.sequence);
  EXPECT_EQ(order, (std::vector<uint64_t>{low, low_again, high, ordinary}));
}

TEST(EventQueueTest, EqualKeysAtDifferentTimesAreCancelledApart) {
  EventQueue queue;
  NullTimer timer;
  const uint64_t first = queue.PushKeyed(10, 1, timer);
  const uint64_t second = queue.PushKeyed(20, 1, timer);
  queue.Cancel(first);
  EXPECT_EQ(queue.size(), 1u);
  Event event;
  ASSERT_TRUE(queue.PopUntil(100, event));
  EXPECT_EQ(event.sequence, second);
  EXPECT_FALSE(queue.PopUntil(100, event));
}

TEST(EventQueueTest, RestartingATimerForeverTakesBoundedMemory) {
  EventQueue queue;
  NullTimer timer;
  uint64_t id = queue.Push(1'000'000'000, timer);
  for (int64_t i = 0; i < 100'000; ++i) {
    queue.Cancel(id);
    id = queue.Push(1'000'000'000 + i, timer);
    ASSERT_EQ(queue.size(), 1u);
    ASSERT_LE(queue.stored(), 70u);
  }
  Event event;
  ASSERT_TRUE(queue.PopUntil(INT64_MAX, event));
  EXPECT_EQ(event.sequence, id);
  EXPECT_FALSE(queue.PopUntil(INT64_MAX, event));
}

TEST(EventQueueTest, ALookAheadDoesNotDisturbEarlierPushes) {
  EventQueue queue;
  NullTimer timer;
  queue.Push(1'000'000'000'000, timer);
  Event event;
  EXPECT_FALSE(queue.PopUntil(5, event));
  for (int64_t i = 0; i < 1'000; ++i) queue.Push(1'000'000 - i, timer);
  int64_t last = 5;
  for (int i = 0; i < 1'001; ++i) {
    ASSERT_TRUE(queue.PopUntil(INT64_MAX, event));
    EXPECT_GT(event.time, last);
    last = event.time;
  }
}

TEST(EventQueueTest, EndsOfTime) {
  EventQueue queue;
  NullTimer timer;
  queue.Push(INT64_MAX, timer);
  queue.Push(INT64_MIN, timer);
  queue.Push(-1, timer);
  queue.Push(0, timer);
  std::vector<int64_t> times;
  for (Event event; queue.PopUntil(INT64_MAX, event);) times.push_back(event.time);
  EXPECT_EQ(times, (std::vector<int64_t>{INT64_MIN, -1, 0, INT64_MAX}));
}

TEST(IdSetTest, BehavesAsAStdSet) {
  RandomStream random(1, "ids", "steps");
  IdSet set;
  std::set<uint64_t> twin;
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t id = 1 + random.NextBelow(i < 100'000 ? 300 : 3'000);
    switch (random.NextBelow(3)) {
      case 0:
        ASSERT_EQ(set.Insert(id), twin.insert(id).second);
        break;
      case 1:
        ASSERT_EQ(set.Erase(id), twin.erase(id) == 1);
        break;
      default:
        ASSERT_EQ(set.Contains(id), twin.contains(id));
    }
    ASSERT_EQ(set.size(), twin.size());
  }
  for (uint64_t id = 1; id <= 3'000; ++id) ASSERT_EQ(set.Contains(id), twin.contains(id));
  set.Clear();
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.Contains(*twin.begin()));
}

}  // namespace
}  // namespace cnisim
