#include "results/expectation.h"

#include "results/figure.h"

namespace cnisim {
namespace {

bool Compare(double observed, Comparison comparison, double bound) {
  switch (comparison) {
    case Comparison::kLessEqual:
      return observed <= bound;
    case Comparison::kLess:
      return observed < bound;
    case Comparison::kGreaterEqual:
      return observed >= bound;
    case Comparison::kGreater:
      return observed > bound;
    case Comparison::kEqual:
      return observed == bound;
  }
  return false;
}

}  // namespace

std::vector<ExpectationResult> Evaluate(std::span<const ExpectationSpec> expectations,
                                        const Summary& summary) {
  std::vector<ExpectationResult> results;
  for (const ExpectationSpec& spec : expectations) {
    ExpectationResult& result = results.emplace_back();
    result.name = spec.name;
    result.assertion = spec.assertion;
    result.warn_only = spec.warn_only;
    result.unit = UnitOf(spec.figure);
    result.observed = ValueOf(spec.figure, summary);
    result.passed = result.observed && Compare(*result.observed, spec.comparison, spec.bound);
  }
  return results;
}

}  // namespace cnisim
