// One figure of a run, "metric[{label="value"}].statistic", read from its summary or from a results
// file.
#ifndef CNISIM_RESULTS_FIGURE_H_
#define CNISIM_RESULTS_FIGURE_H_

#include <optional>
#include <string_view>

#include "results/database.h"
#include "results/summary.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

// The unit of its value: "seconds", "addresses", ...
std::string_view UnitOf(const FigureSpec& figure);

// Empty if nothing of the kind was measured, or there is no such entity.
std::optional<double> ValueOf(const FigureSpec& figure, const Summary& summary);
// The same of a run in a results file.
Result<std::optional<double>> ValueOf(const FigureSpec& figure, Database& db, int64_t run_id);

}  // namespace cnisim

#endif  // CNISIM_RESULTS_FIGURE_H_
