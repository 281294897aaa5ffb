// Time as the core sees it: what time it is, and being called back later.
//
// The same flows run under virtual and wall-clock time; only the Clock differs.
#ifndef CNISIM_CORE_PORTS_CLOCK_H_
#define CNISIM_CORE_PORTS_CLOCK_H_

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <utility>

namespace cnisim {

using Duration = std::chrono::nanoseconds;

// Nanoseconds since an origin that the clock defines: in a simulation, the start of the measured
// run (so warm-up lies before zero).
struct Epoch {
  using duration = Duration;
  using rep = Duration::rep;
  using period = Duration::period;
  using time_point = std::chrono::time_point<Epoch, Duration>;
  static constexpr bool is_steady = true;
};
using TimePoint = Epoch::time_point;

inline constexpr TimePoint kTimeZero{};
inline constexpr TimePoint kForever = TimePoint::max();
// Before anything happened, yet near enough to be subtracted from any time of a run.
inline constexpr TimePoint kLongAgo{std::chrono::hours(-24 * 365)};

constexpr double ToSeconds(Duration d) { return static_cast<double>(d.count()) / 1e9; }

// Something that happens once at a time.
class Timer {
 public:
  virtual void Fire() = 0;

 protected:
  ~Timer() = default;
};

using TimerId = uint64_t;

class Clock {
 public:
  virtual ~Clock() = default;

  virtual TimePoint Now() const = 0;

  // Calls timer.Fire() when it is `at` (at once in the future if that has passed, never inline).
  // Timers of equal time fire in the order in which they were started. The timer must live until
  // it fires or is cancelled.
  virtual TimerId StartTimer(TimePoint at, Timer& timer) = 0;
  // The timer will not fire. Only for a timer that has not fired yet.
  virtual void CancelTimer(TimerId id) = 0;

  class SleepAwaiter;
  // co_await clock.Sleep(d): goes on d later. A flow destroyed while asleep cancels its timer.
  SleepAwaiter Sleep(Duration d);
  SleepAwaiter SleepUntil(TimePoint at);
};

class [[nodiscard]] Clock::SleepAwaiter final : public Timer {
 public:
  SleepAwaiter(Clock& clock, TimePoint at) : clock_(clock), at_(at) {}
  SleepAwaiter(const SleepAwaiter&) = delete;
  SleepAwaiter& operator=(const SleepAwaiter&) = delete;
  ~SleepAwaiter() {
    if (waiter_) clock_.CancelTimer(id_);
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    id_ = clock_.StartTimer(at_, *this);
  }
  void await_resume() const noexcept {}

  void Fire() override { std::exchange(waiter_, nullptr).resume(); }

 private:
  Clock& clock_;
  TimePoint at_;
  TimerId id_ = 0;
  std::coroutine_handle<> waiter_;
};

inline Clock::SleepAwaiter Clock::Sleep(Duration d) { return SleepAwaiter(*this, Now() + d); }
inline Clock::SleepAwaiter Clock::SleepUntil(TimePoint at) { return SleepAwaiter(*this, at); }

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_CLOCK_H_
