// Expectations judged against a run's summary.
#ifndef CNISIM_RESULTS_EXPECTATION_H_
#define CNISIM_RESULTS_EXPECTATION_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "results/summary.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

struct ExpectationResult {
  std::string name;
  std::string assertion;
  bool warn_only = false;
  std::string_view unit;           // of `observed`
  std::optional<double> observed;  // empty: the run measured nothing of the kind
  bool passed = false;

  bool fails_run() const { return !passed && !warn_only; }
};

// One result an expectation, in their order. What was not measured has not passed: an expectation
// on a metric or an entity without a value fails (sums and counts of nothing are 0). Infinity,
// where a pod never got its address, fails every `<=`.
std::vector<ExpectationResult> Evaluate(std::span<const ExpectationSpec> expectations,
                                        const Summary& summary);

}  // namespace cnisim

#endif  // CNISIM_RESULTS_EXPECTATION_H_
