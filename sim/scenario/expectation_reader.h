// Assertions over a run's metrics:
//   metric[{label="value"}].statistic (<=|<|>=|>|==) bound
// `pod_ip_wait_seconds{workload="api"}.p99 <= 5s`. The bound is a number in the metric's unit, or a
// duration where that is seconds. min, max, mean and last suit levels; sum and last counters;
// everything but last distributions.
#ifndef CNISIM_SIM_SCENARIO_EXPECTATION_READER_H_
#define CNISIM_SIM_SCENARIO_EXPECTATION_READER_H_

#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/scenario/scenario.h"

namespace cnisim {

struct ExpectationError {
  std::string message;
  std::string suggestion;
};

// Whether a label may have this value: an empty string, or what to suggest instead of it.
struct LabelCheck {
  bool known = true;
  std::string suggestion;
};
using LabelChecker = std::function<LabelCheck(EntityKind, const std::string&)>;

// Fills in everything but `name` and `warn_only`.
tl::expected<ExpectationSpec, ExpectationError> ParseExpectation(std::string_view assertion,
                                                                 const LabelChecker& check_label);
// What stands before the comparison, alone.
tl::expected<FigureSpec, ExpectationError> ParseFigure(std::string_view text,
                                                       const LabelChecker& check_label);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_EXPECTATION_READER_H_
