// Costs chosen such that a model comes near measurements: least squares within the costs' ranges.
#ifndef CNISIM_TOOLS_CNISIM_CALIBRATE_COST_FIT_H_
#define CNISIM_TOOLS_CNISIM_CALIBRATE_COST_FIT_H_

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "sim/dataplane/cost_profile.h"

namespace cnisim {

struct FittedCost {
  Cost cost = Cost::kSocketSend;
  double before = 0;
  double value = 0;
  bool at_bound = false;
  // How far the cost may be off if each measurement is off by one unit of its residual, all other
  // fitted costs free to make up for it. Nothing where the measurements do not tell: they do not
  // depend on it, or other costs do the same to them.
  std::optional<double> standard_error;
};

// A measurement's residual is how far the model is off, in units of what is to be expected.
using Residuals = std::function<std::vector<double>(const CostProfile&)>;

// Changes those costs of `profile` that the measurements tell, within their ranges, none of which
// may be empty, such that the sum of the residuals' squares is least. Local: starts at the
// profile's values.
std::vector<FittedCost> FitCosts(std::span<const Cost> costs, const Residuals& residuals,
                                 CostProfile& profile);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_CALIBRATE_COST_FIT_H_
