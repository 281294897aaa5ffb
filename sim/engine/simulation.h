// The Clock of a simulated world: virtual time that jumps from event to event.
//
// Events fire in order of (time, keyed before ordinary, key, order of starting). A timer started
// for now or the past goes behind every ordinary timer of that time that is already queued. The
// order is a function of the calls alone, so equal programs give equal runs.
//
// Ownership: Spawn and Call hand a task or a function over to the simulation, which frees it once
// it has finished or fired. Whatever is left at the end is destroyed by the destructor while the
// queue is still there, so that destructors may cancel their timers.
//
// Single-threaded, but for Stop. Cost of an event: see event_queue.h; Spawn and Call are
// O(1) and take their memory from the frame pool.
#ifndef CNISIM_SIM_ENGINE_SIMULATION_H_
#define CNISIM_SIM_ENGINE_SIMULATION_H_

#include <algorithm>
#include <atomic>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <utility>

#include "core/ports/clock.h"
#include "core/ports/frame_pool.h"
#include "core/ports/task.h"
#include "sim/engine/event_queue.h"

namespace cnisim {

class Simulation final : public Clock {
 public:
  // Time may start before zero: warm-up comes before the measured run.
  explicit Simulation(TimePoint start = kTimeZero) : now_(start.time_since_epoch().count()) {}
  ~Simulation() override;
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  TimePoint Now() const override { return TimePoint(Duration(now_)); }

  TimerId StartTimer(TimePoint at, Timer& timer) override {
    return queue_.Push(NotPast(at), timer);
  }
  // Fires before every ordinary timer of the same time, and among keyed ones in ascending order of
  // `key`, no matter when each was started.
  TimerId StartKeyedTimer(TimePoint at, uint32_t key, Timer& timer) {
    return queue_.PushKeyed(NotPast(at), key, timer);
  }
  void CancelTimer(TimerId id) override { queue_.Cancel(id); }

  // Runs `task` up to its first wait, and owns it from then on.
  void Spawn(Task<void> task) { RunRoot(*this, std::move(task)); }

  // Calls f() once at `at`, ordered like an ordinary timer.
  template <typename F>
  void Call(TimePoint at, F f) {
    StartTimer(at, *new CallTimer<F>(&calls_, std::move(f)));
  }

  // Executes all events up to and at `limit`, then sets the time to `limit`. After a stop the time
  // stays that of the last event, and another Run goes on from there. A limit before now does
  // nothing. Not to be called from an event. False if it was stopped, which `*interrupt` does too
  // as long as it is true.
  bool Run(TimePoint limit, const std::atomic<bool>* interrupt = nullptr);
  // Executes the next event, whenever it is. False if there is none.
  bool RunNext();

  // Run returns after the current event. A stop requested outside Run makes the next Run return
  // before its first event. Each request stops one Run. Safe in a signal handler and from another
  // thread.
  void Stop() { stop_.store(true, std::memory_order_relaxed); }

  uint64_t events_executed() const { return events_executed_; }
  // Timers that have been started and neither fired nor were cancelled.
  size_t pending() const { return queue_.size(); }

 private:
  // A member of a circular list, so that the simulation finds what it still owns.
  struct Link {
    Link() = default;
    explicit Link(Link* list) : previous(list->previous), next(list) {
      previous->next = this;
      next->previous = this;
    }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() {
      previous->next = next;
      next->previous = previous;
    }
    bool alone() const { return next == this; }

    Link* previous = this;
    Link* next = this;
  };

  // The coroutine around a spawned task. Its frame goes when the task ends.
  struct Root {
    struct promise_type : Link {
      promise_type(Simulation& simulation, Task<void>&) : Link(&simulation.roots_) {}

      Root get_return_object() noexcept { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() { std::terminate(); }

      static void* operator new(size_t size) { return FramePool::Allocate(size); }
      static void operator delete(void* frame, size_t size) { FramePool::Free(frame, size); }
    };
  };
  static Root RunRoot(Simulation& simulation, Task<void> task);

  struct CallBase : Timer, Link {
    explicit CallBase(Link* list) : Link(list) {}
    virtual ~CallBase() = default;
  };
  template <typename F>
  struct CallTimer final : CallBase {
    CallTimer(Link* list, F f) : CallBase(list), function(std::move(f)) {}

    void Fire() override {
      F f = std::move(function);
      delete this;
      f();
    }

    static void* operator new(size_t size) { return FramePool::Allocate(size); }
    static void operator delete(void* timer, size_t size) { FramePool::Free(timer, size); }

    F function;
  };

  int64_t NotPast(TimePoint at) const { return std::max(at.time_since_epoch().count(), now_); }

  void Execute(const Event& event) {
    now_ = event.time;
    ++events_executed_;
    event.timer->Fire();
  }

  EventQueue queue_;  // first, so that it outlives the rest
  int64_t now_;
  uint64_t events_executed_ = 0;
  std::atomic<bool> stop_{false};
  Link roots_;
  Link calls_;
};

static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace cnisim

#endif  // CNISIM_SIM_ENGINE_SIMULATION_H_
