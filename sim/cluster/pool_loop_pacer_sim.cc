#include "sim/cluster/pool_loop_pacer_sim.h"

#include <algorithm>
#include <utility>

namespace cnisim {

class [[nodiscard]] SimPoolLoopPacer::KeyedSleep final : public Timer {
 public:
  KeyedSleep(Simulation& simulation, TimePoint at, uint32_t key)
      : simulation_(simulation), at_(at), key_(key) {}
  KeyedSleep(const KeyedSleep&) = delete;
  KeyedSleep& operator=(const KeyedSleep&) = delete;
  ~KeyedSleep() {
    if (waiter_) simulation_.CancelTimer(id_);
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    id_ = simulation_.StartKeyedTimer(at_, key_, *this);
  }
  void await_resume() const noexcept {}
  void Fire() override { std::exchange(waiter_, nullptr).resume(); }

 private:
  Simulation& simulation_;
  TimePoint at_;
  uint32_t key_;
  TimerId id_ = 0;
  std::coroutine_handle<> waiter_;
};

// The elided loop on paper. `top_` is where the current iteration began; its update is half a
// period later and its reconcile check a period later.
class [[nodiscard]] SimPoolLoopPacer::Parked final : public Timer {
 public:
  static constexpr Duration kPeriod = 2 * kPoolLoopHalfPeriod;

  Parked(SimPoolLoopPacer& pacer, const IdleOffer& offer)
      : pacer_(pacer), offer_(offer), top_(pacer.simulation_.Now()) {}
  Parked(const Parked&) = delete;
  Parked& operator=(const Parked&) = delete;
  ~Parked() {
    if (armed_) pacer_.simulation_.CancelTimer(id_);
    if (pacer_.parked_ == this) pacer_.parked_ = nullptr;
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    pacer_.parked_ = this;
    if (offer_.next_decision_change == kForever) return;
    // The first update at or after the change; the current iteration's if that is later.
    WakeAtUpdateNotBefore(offer_.next_decision_change);
  }
  IdleEnd await_resume() const noexcept { return end_; }

  void Fire() override {
    armed_ = false;
    WalkTo(pacer_.simulation_.Now());
    pacer_.parked_ = nullptr;
    end_.last_pool_action = offer_.last_pool_action;
    std::exchange(waiter_, nullptr).resume();
  }

  void Poke() {
    const TimePoint now = pacer_.simulation_.Now();
    WalkTo(now);
    WakeAtUpdateNotBefore(now + Duration(1));
  }

  void MetadataChanged() {
    const TimePoint now = pacer_.simulation_.Now();
    WalkTo(now);
    // An iteration whose update has passed goes on at its check; else at its update.
    if (Update() <= now && now < Check()) {
      end_.at_reconcile_check = true;
      Wake(Check());
    } else {
      WakeAtUpdateNotBefore(now + Duration(1));
    }
  }

  // Goes through the iterations that ended before `now`, counting their metadata requests.
  void WalkTo(TimePoint now) {
    while (Check() <= now) {
      if (!Due()) {
        // Iterations without a reconcile, in one step.
        const Duration not_due = kReconcileInterval - (Check() - offer_.last_pool_action);
        top_ += kPeriod * (1 + std::min(not_due, now - Check()) / kPeriod);
        continue;
      }
      if (!counted_) {
        pacer_.metadata_.CountRequests(EnumerationRequests(offer_.enis));
        counted_ = true;
      }
      const TimePoint end = ReconcileEnd();
      if (end > now) return;
      offer_.last_pool_action = end;
      top_ = end;
      counted_ = false;
    }
  }

 private:
  TimePoint Update() const { return top_ + kPoolLoopHalfPeriod; }
  TimePoint Check() const { return top_ + kPeriod; }
  bool Due() const { return Check() - offer_.last_pool_action > kReconcileInterval; }
  TimePoint ReconcileEnd() const {
    return Check() + pacer_.metadata_.RequestTime(EnumerationRequests(offer_.enis), Check());
  }

  void Wake(TimePoint at) {
    if (armed_) pacer_.simulation_.CancelTimer(id_);
    armed_ = true;
    id_ = pacer_.simulation_.StartKeyedTimer(at, pacer_.key_, *this);
    wake_at_ = at;
  }

  void WakeAtUpdateNotBefore(TimePoint earliest) {
    // Look ahead on a copy of the position: the requests are counted when time gets there.
    TimePoint top = top_;
    TimePoint last_action = offer_.last_pool_action;
    while (top + kPoolLoopHalfPeriod < earliest) {
      const TimePoint check = top + kPeriod;
      top = check;
      if (check - last_action > kReconcileInterval) {
        top = check + pacer_.metadata_.RequestTime(EnumerationRequests(offer_.enis), check);
        last_action = top;
      }
    }
    const TimePoint update = top + kPoolLoopHalfPeriod;
    if (armed_ && wake_at_ <= update) return;
    Wake(update);
  }

  SimPoolLoopPacer& pacer_;
  IdleOffer offer_;
  TimePoint top_;
  bool counted_ = false;  // the requests of the reconcile that is under way
  bool armed_ = false;
  TimerId id_ = 0;
  TimePoint wake_at_;
  IdleEnd end_;
  std::coroutine_handle<> waiter_;
};

// Readings of what does not change while an instance runs: its VPC's blocks and its security
// groups. They are never made, only counted.
class [[nodiscard]] SimPoolLoopPacer::NeverChanging {
 public:
  explicit NeverChanging(SimPoolLoopPacer& pacer)
      : pacer_(pacer), next_(pacer.simulation_.Now() + kPolledMetadataInterval) {
    pacer_.polled_.push_back(this);
  }
  NeverChanging(const NeverChanging&) = delete;
  NeverChanging& operator=(const NeverChanging&) = delete;
  ~NeverChanging() { std::erase(pacer_.polled_, this); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) {}
  void await_resume() const noexcept {}

  void WalkTo(TimePoint now) {
    if (next_ > now) return;
    MetadataService& metadata = pacer_.metadata_;
    int64_t readings = 0;
    if (const auto takes = metadata.fixed_request_time()) {
      readings = (now - next_) / (kPolledMetadataInterval + *takes) + 1;
      next_ += readings * (kPolledMetadataInterval + *takes);
    } else {
      for (; next_ <= now; ++readings) {
        next_ += metadata.RequestTime(1, next_) + kPolledMetadataInterval;
      }
    }
    metadata.CountRequests(readings);
  }

 private:
  SimPoolLoopPacer& pacer_;
  TimePoint next_;  // of a reading
};

Task<void> SimPoolLoopPacer::HalfPeriod() {
  co_await KeyedSleep(simulation_, simulation_.Now() + kPoolLoopHalfPeriod, key_);
}

Task<IdleEnd> SimPoolLoopPacer::SkipIdle(IdleOffer offer) {
  const bool in_sync =
      metadata_.settled() && metadata_.Answers() && metadata_.VisibleDigest() == offer.pool_digest;
  if (!may_park_ || !in_sync) {
    co_await KeyedSleep(simulation_, simulation_.Now() + kPoolLoopHalfPeriod, key_);
    IdleEnd end;
    end.last_pool_action = offer.last_pool_action;
    co_return end;
  }
  co_return co_await Parked(*this, offer);
}

Task<void> SimPoolLoopPacer::UntilRead(PolledMetadata) {
  if (may_park_) {
    co_await NeverChanging(*this);
  } else {
    co_await KeyedSleep(simulation_, simulation_.Now() + kPolledMetadataInterval, key_);
  }
}

void SimPoolLoopPacer::Poke() {
  if (parked_ != nullptr) parked_->Poke();
}

void SimPoolLoopPacer::MetadataChanged() {
  if (parked_ != nullptr) parked_->MetadataChanged();
}

void SimPoolLoopPacer::CatchUp() {
  if (parked_ != nullptr) parked_->WalkTo(simulation_.Now());
  for (NeverChanging* polled : polled_) polled->WalkTo(simulation_.Now());
}

}  // namespace cnisim
