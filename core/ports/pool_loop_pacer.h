// How the pool loop spends its time between two updates.
//
// The real loop sleeps 2.5 s, updates the pool, sleeps 2.5 s, and reconciles if that is due. Under
// virtual time, iterations that would change nothing need not happen one by one: the loop offers
// its idleness, and the pacer may bring it back just before the first update that can matter, as
// long as nobody could tell the difference.
#ifndef CNISIM_CORE_PORTS_POOL_LOOP_PACER_H_
#define CNISIM_CORE_PORTS_POOL_LOOP_PACER_H_

#include <cstddef>
#include <cstdint>

#include "core/ports/clock.h"
#include "core/ports/task.h"

namespace cnisim {

inline constexpr Duration kPoolLoopHalfPeriod = std::chrono::milliseconds(2500);
inline constexpr Duration kReconcileInterval = std::chrono::seconds(60);

// Made when the last update did nothing and nothing has changed since.
struct IdleOffer {
  TimePoint last_pool_action;
  // Updates before this time would do nothing either, unless the book of addresses changes.
  TimePoint next_decision_change;
  // Digest of what the book holds: a reconcile that finds the same in metadata changes nothing.
  uint64_t pool_digest = 0;
  size_t enis = 0;
};

struct IdleEnd {
  // As it would be by now: an elided reconcile counts as an action.
  TimePoint last_pool_action;
  // The loop goes on at its reconcile check instead of its update.
  bool at_reconcile_check = false;
};

// What the agent reads from instance metadata at a fixed interval, and acts upon only if it
// changes.
enum class PolledMetadata : uint8_t { kVpcCidrs, kSecurityGroups };
inline constexpr Duration kPolledMetadataInterval = std::chrono::seconds(30);

class PoolLoopPacer {
 public:
  virtual ~PoolLoopPacer() = default;

  // Sleeps half a period.
  virtual Task<void> HalfPeriod() = 0;

  // Called where an iteration begins. Returns at least half a period later, at a time at which
  // honest polling would have updated the pool or checked whether to reconcile.
  virtual Task<IdleEnd> SkipIdle(IdleOffer offer) = 0;

  // Returns one interval later, or any number of intervals later if until then every reading would
  // show what the one before did.
  virtual Task<void> UntilRead(PolledMetadata what) = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_POOL_LOOP_PACER_H_
