// Paces a simulated agent's pool loop: by honest polling, or parked while nothing can happen.
//
// Parked, a node costs no events. It is woken when its book of addresses changes (Poke), when time
// alone may change the pool decision, or when EC2 or metadata change behind the agent's back. It
// goes on at the very time, and in the same order among nodes, at which polling would have acted:
// ticks are keyed timers, and elided iterations are walked through on paper: an update every half
// period after the loop's top, then a reconcile if one is due, which in sync costs nothing but its
// metadata requests. These are counted all the same.
#ifndef CNISIM_SIM_CLUSTER_POOL_LOOP_PACER_SIM_H_
#define CNISIM_SIM_CLUSTER_POOL_LOOP_PACER_SIM_H_

#include <coroutine>
#include <optional>
#include <vector>

#include "core/ports/pool_loop_pacer.h"
#include "sim/cloud/metadata.h"
#include "sim/engine/simulation.h"

namespace cnisim {

class SimPoolLoopPacer final : public PoolLoopPacer {
 public:
  // `key` orders this node's ticks among those of other nodes at the same time.
  SimPoolLoopPacer(Simulation& simulation, MetadataService& metadata, uint32_t key, bool may_park)
      : simulation_(simulation), metadata_(metadata), key_(key), may_park_(may_park) {}

  Task<void> HalfPeriod() override;
  Task<IdleEnd> SkipIdle(IdleOffer offer) override;
  Task<void> UntilRead(PolledMetadata what) override;

  // The book of addresses has changed: the next update must be a real one.
  void Poke();
  // EC2 or metadata have changed: so must the next reconcile that is due.
  void MetadataChanged();
  // Counts the metadata requests that a parked loop would have made up to now.
  void CatchUp();

 private:
  class KeyedSleep;
  class Parked;
  class NeverChanging;

  Simulation& simulation_;
  MetadataService& metadata_;
  uint32_t key_;
  bool may_park_;
  Parked* parked_ = nullptr;
  std::vector<NeverChanging*> polled_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_POOL_LOOP_PACER_SIM_H_
