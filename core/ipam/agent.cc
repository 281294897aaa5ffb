#include "core/ipam/agent.h"

#include "core/ipam/pool_manager.h"
#include "core/ipam/reconciler.h"

namespace cnisim {

// LP-1: sleep, update, sleep, reconcile if due. Idle stretches are offered to the pacer.
Task<void> Agent::RunPoolLoop() {
  PoolLoopPacer& pacer = state_.ports.pacer;
  if (state_.settings.disable_network_provisioning) {
    for (;;) {
      co_await pacer.HalfPeriod();
      if (ReconcileDue(state_)) co_await Reconcile(state_);
    }
  }

  bool idle = false;
  uint64_t idle_version = 0;
  TimePoint next_change;
  for (;;) {
    IdleEnd idle_end;
    if (idle && state_.datastore.version() == idle_version && !ReconcileWouldVerify(state_)) {
      IdleOffer offer;
      offer.last_pool_action = state_.last_pool_action;
      offer.next_decision_change = next_change;
      offer.pool_digest = state_.datastore.digest();
      offer.enis = state_.datastore.enis().size();
      idle_end = co_await pacer.SkipIdle(offer);
      state_.last_pool_action = idle_end.last_pool_action;
    } else {
      co_await pacer.HalfPeriod();
    }
    if (!idle_end.at_reconcile_check) {
      idle_version = state_.datastore.version();
      const bool acted = co_await UpdatePool(state_);
      idle = !acted;
      next_change = NextDecisionChange(state_);
      co_await pacer.HalfPeriod();
    }
    if (ReconcileDue(state_)) co_await Reconcile(state_);
  }
}

}  // namespace cnisim
