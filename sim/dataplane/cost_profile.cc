#include "sim/dataplane/cost_profile.h"

#include <algorithm>

namespace cnisim {

std::optional<Cost> FindCost(std::string_view name) {
  const auto found = std::ranges::find(kAllCosts, name, &CostInfo::name);
  if (found == kAllCosts.end()) return std::nullopt;
  return static_cast<Cost>(found - kAllCosts.begin());
}

CostVector& CostVector::operator+=(const CostVector& other) {
  for (size_t i = 0; i < kCosts; ++i) values[i] += other.values[i];
  return *this;
}

CostVector& CostVector::operator-=(const CostVector& other) {
  for (size_t i = 0; i < kCosts; ++i) values[i] -= other.values[i];
  return *this;
}

}  // namespace cnisim
