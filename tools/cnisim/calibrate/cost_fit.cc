#include "tools/cnisim/calibrate/cost_fit.h"

#include <algorithm>
#include <cmath>
#include <nlopt.hpp>
#include <numeric>

namespace cnisim {
namespace {

// Of a range.
constexpr double kFirstStep = 0.25;
constexpr double kPrecision = 1e-7;
constexpr double kAtBound = 1e-4;
constexpr double kDerivativeStep = 1e-4;

constexpr int kMostEvaluations = 5000;
constexpr int kRounds = 3;  // COBYLA's simplex may shrink too early; a new one goes on
// A column of the Jacobian of which less is left is made up of the others.
constexpr double kDependent = 1e-6;

using Column = std::vector<double>;

double Dot(const Column& a, const Column& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Takes out of `column` what the orthogonal `basis` spans, twice for the sake of rounding.
void Orthogonalise(const std::vector<Column>& basis, Column& column) {
  for (int pass = 0; pass < 2; ++pass) {
    for (const Column& b : basis) {
      const double share = Dot(b, column) / Dot(b, b);
      for (size_t i = 0; i < column.size(); ++i) column[i] -= share * b[i];
    }
  }
}

// The variance of a parameter is the inverse square of what is left of its column of the Jacobian
// beside the others' (Frisch-Waugh-Lovell).
std::optional<double> StandardError(const std::vector<Column>& jacobian, size_t which) {
  std::vector<Column> basis;
  for (size_t i = 0; i < jacobian.size(); ++i) {
    if (i == which) continue;
    Column column = jacobian[i];
    Orthogonalise(basis, column);
    if (Dot(column, column) > kDependent * kDependent * Dot(jacobian[i], jacobian[i])) {
      basis.push_back(std::move(column));
    }
  }
  Column own = jacobian[which];
  const double length = std::sqrt(Dot(own, own));
  Orthogonalise(basis, own);
  const double left = std::sqrt(Dot(own, own));
  if (length == 0 || left <= kDependent * length) return std::nullopt;
  return 1 / left;
}

class Fit {
 public:
  Fit(std::span<const Cost> costs, const Residuals& residuals, CostProfile& profile)
      : costs_(costs), residuals_(residuals), profile_(profile) {}

  void Run() {
    std::vector<double> x;
    for (const Cost cost : costs_) {
      x.push_back((profile_.costs[cost] - Entry(cost).low) / Width(cost));
    }
    nlopt::opt search(nlopt::LN_COBYLA, static_cast<unsigned>(costs_.size()));
    search.set_lower_bounds(0);
    search.set_upper_bounds(1);
    search.set_xtol_abs(kPrecision);
    search.set_maxeval(kMostEvaluations);
    search.set_min_objective([](const std::vector<double>& at, std::vector<double>&,
                                void* fit) { return static_cast<Fit*>(fit)->SumOfSquares(at); },
                             this);
    double step = kFirstStep;
    for (int round = 0; round < kRounds; ++round, step /= 10) {
      search.set_initial_step(step);
      double least = 0;
      try {
        search.optimize(x, least);
      } catch (const nlopt::roundoff_limited&) {
        // As good as it gets; x holds the best.
      }
    }
    Set(x);
  }

  std::vector<Column> Jacobian() {
    std::vector<Column> jacobian;
    for (const Cost cost : costs_) {
      double& value = profile_.costs[cost];
      const double middle = value;
      const double step = kDerivativeStep * Width(cost);
      value = middle + step;
      Column column = residuals_(profile_);
      value = middle - step;
      const Column below = residuals_(profile_);
      value = middle;
      for (size_t i = 0; i < column.size(); ++i) column[i] = (column[i] - below[i]) / (2 * step);
      jacobian.push_back(std::move(column));
    }
    return jacobian;
  }

  bool AtBound(Cost cost) const {
    const double near = kAtBound * Width(cost);
    return profile_.costs[cost] - Entry(cost).low <= near ||
           Entry(cost).high - profile_.costs[cost] <= near;
  }

 private:
  const CostProfile::Entry& Entry(Cost cost) const { return profile_.EntryOf(cost); }
  double Width(Cost cost) const { return Entry(cost).high - Entry(cost).low; }

  void Set(const std::vector<double>& x) {
    for (size_t i = 0; i < x.size(); ++i) {
      const double at = std::clamp(x[i], 0.0, 1.0);
      profile_.costs[costs_[i]] = Entry(costs_[i]).low + at * Width(costs_[i]);
    }
  }

  double SumOfSquares(const std::vector<double>& x) {
    Set(x);
    const Column residuals = residuals_(profile_);
    return Dot(residuals, residuals);
  }

  std::span<const Cost> costs_;
  const Residuals& residuals_;
  CostProfile& profile_;
};

}  // namespace

std::vector<FittedCost> FitCosts(std::span<const Cost> costs, const Residuals& residuals,
                                 CostProfile& profile) {
  std::vector<FittedCost> fitted;
  for (const Cost cost : costs) fitted.push_back({cost, profile.costs[cost], 0, false, {}});
  Fit all(costs, residuals, profile);
  all.Run();
  const std::vector<Column> jacobian = all.Jacobian();
  std::vector<Cost> told;
  for (size_t i = 0; i < fitted.size(); ++i) {
    fitted[i].standard_error = StandardError(jacobian, i);
    if (fitted[i].standard_error) told.push_back(costs[i]);
  }
  if (told.size() < fitted.size()) {
    // Where the search took the others is chance.
    for (const FittedCost& cost : fitted) profile.costs[cost.cost] = cost.before;
    if (!told.empty()) Fit(told, residuals, profile).Run();
  }
  for (FittedCost& cost : fitted) {
    cost.value = profile.costs[cost.cost];
    cost.at_bound = cost.standard_error && all.AtBound(cost.cost);
  }
  return fitted;
}

}  // namespace cnisim
