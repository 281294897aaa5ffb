// EC2 failures on order: the next n requests of an action, or all of them.
#ifndef CNISIM_SIM_CLOUD_FAULT_PLAN_H_
#define CNISIM_SIM_CLOUD_FAULT_PLAN_H_

#include <optional>
#include <utility>

#include "core/ports/result.h"
#include "sim/cloud/ec2_defaults.h"

namespace cnisim {

class FaultPlan {
 public:
  // The next `n` HTTP requests of the action are answered with `error` and have no effect.
  void FailNext(Ec2Action action, int n, Error error) {
    Entry& entry = entries_[static_cast<size_t>(action)];
    entry.left = n;
    entry.error = std::move(error);
  }
  // So are all of them until Clear.
  void FailAlways(Ec2Action action, Error error) { FailNext(action, kNoEnd, std::move(error)); }
  void Clear(Ec2Action action) { entries_[static_cast<size_t>(action)].left = 0; }

  // The failure of the request that arrives now, if it has one.
  std::optional<Error> Take(Ec2Action action) {
    Entry& entry = entries_[static_cast<size_t>(action)];
    if (entry.left == 0) return std::nullopt;
    if (entry.left != kNoEnd) --entry.left;
    return entry.error;
  }

 private:
  static constexpr int kNoEnd = -1;
  struct Entry {
    int left = 0;
    Error error;
  };
  PerEc2Action<Entry> entries_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_FAULT_PLAN_H_
