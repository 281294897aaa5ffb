// The choices that the real agent leaves to Go's map order, made explicit.
//
// Go starts a map walk at a random place and goes round; so a walk over n things ordered by age
// begins at Start(n, ...) and wraps. Draws are keyed by time and salt, not by how many were made
// before, so leaving out a walk that would have changed nothing changes no later draw.
#ifndef CNISIM_CORE_PORTS_CHOICE_H_
#define CNISIM_CORE_PORTS_CHOICE_H_

#include <cstddef>
#include <cstdint>

#include "core/net/hash.h"
#include "core/ports/clock.h"

namespace cnisim {

class Choice {
 public:
  // Always 0: the oldest first.
  static Choice Oldest() { return Choice(0, false); }
  // Seeded; every agent has a seed of its own.
  static Choice Random(uint64_t seed) { return Choice(seed, true); }

  // Where a walk over `n` > 0 things begins, in [0, n). `salt` tells apart walks of one instant.
  size_t Start(size_t n, TimePoint now, uint64_t salt) const {
    if (!random_ || n <= 1) return 0;
    return static_cast<size_t>(Draw(now, salt) % n);
  }

  // A jitter: uniform in [0, range), or 0 when nothing is random.
  Duration Jitter(Duration range, TimePoint now, uint64_t salt) const {
    if (!random_ || range <= Duration::zero()) return Duration::zero();
    return Duration(static_cast<int64_t>(Draw(now, salt) % static_cast<uint64_t>(range.count())));
  }

 private:
  Choice(uint64_t seed, bool random) : seed_(seed), random_(random) {}

  uint64_t Draw(TimePoint now, uint64_t salt) const {
    const auto tick = static_cast<uint64_t>(now.time_since_epoch().count());
    return HashMix(seed_ ^ HashMix(tick ^ HashMix(salt)));
  }

  uint64_t seed_;
  bool random_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_CHOICE_H_
