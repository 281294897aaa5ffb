#include "sim/engine/simulation.h"

namespace cnisim {

Simulation::~Simulation() {
  // A destructor that runs here may itself end other flows, so take one at a time.
  while (!roots_.alone()) {
    auto& root = static_cast<Root::promise_type&>(*roots_.next);
    std::coroutine_handle<Root::promise_type>::from_promise(root).destroy();
  }
  while (!calls_.alone()) delete static_cast<CallBase*>(calls_.next);
}

Simulation::Root Simulation::RunRoot(Simulation& /*simulation*/, Task<void> task) {
  co_await std::move(task);
}

bool Simulation::Run(TimePoint limit, const std::atomic<bool>* interrupt) {
  const int64_t last = limit.time_since_epoch().count();
  Event event;
  for (;;) {
    if (stop_.load(std::memory_order_relaxed)) {
      stop_.store(false, std::memory_order_relaxed);
      return false;
    }
    if (interrupt != nullptr && interrupt->load(std::memory_order_relaxed)) return false;
    if (!queue_.PopUntil(last, event)) break;
    Execute(event);
  }
  now_ = std::max(now_, last);
  return true;
}

bool Simulation::RunNext() {
  Event event;
  if (!queue_.PopUntil(INT64_MAX, event)) return false;
  Execute(event);
  return true;
}

}  // namespace cnisim
