// Retrying with growing pauses, as the agent does around EC2 calls.
//
// backoff(b, max, j, m, n) of amazon-vpc-cni-k8s v1.23.1 (utils/retry): at most n tries; pause k is
// min(b * m^(k-1), max) plus a jitter uniform in [0, j * pause).
#ifndef CNISIM_CORE_IPAM_BACKOFF_H_
#define CNISIM_CORE_IPAM_BACKOFF_H_

#include <algorithm>

#include "core/ports/choice.h"
#include "core/ports/clock.h"

namespace cnisim {

struct BackoffRule {
  Duration first;
  Duration maximum;
  int jitter_percent;
  int multiplier;
  int tries;
};

class Backoff {
 public:
  // `salt` keeps the jitters of different loops apart.
  Backoff(const BackoffRule& rule, const Choice& choice, uint64_t salt)
      : rule_(rule), choice_(choice), salt_(salt), pause_(std::min(rule.first, rule.maximum)) {}

  // Another try is allowed: call before each try, the first included.
  bool Next() { return tried_++ < rule_.tries; }
  // Whether a further try would follow the current one, so that pausing makes sense.
  bool MoreToCome() const { return tried_ < rule_.tries; }
  // How long to pause before the next try.
  Duration Pause(TimePoint now) {
    const Duration pause = pause_ + choice_.Jitter(pause_ * rule_.jitter_percent / 100, now, salt_);
    pause_ = std::min(pause_ * rule_.multiplier, rule_.maximum);
    return pause;
  }

 private:
  BackoffRule rule_;
  const Choice& choice_;
  uint64_t salt_;
  Duration pause_;
  int tried_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_BACKOFF_H_
