#include "tools/cnisim/compare/sensitivity.h"

#include <cstdint>
#include <limits>

#include "tools/cnisim/base/interrupt.h"

namespace cnisim {
namespace {

constexpr size_t kNobody = SIZE_MAX;

// The first of equals, by each figure.
std::vector<size_t> Winners(std::span<const SurveyedNetwork> networks, const CostProfile& profile,
                            std::span<const TrafficFigure> figures) {
  std::vector<size_t> best(figures.size(), kNobody);
  std::vector<double> least(figures.size(), std::numeric_limits<double>::infinity());
  for (size_t n = 0; n < networks.size(); ++n) {
    const Scenario& scenario = *networks[n].scenario;
    DataPlaneSpec spec = scenario.data_plane;
    spec.evaluation = EvaluationBy::kAnalysis;
    spec.profile = profile;
    const TrafficSurvey& survey = networks[n].survey;
    const auto evaluation =
        EvaluateTraffic(survey.hosts, scenario.traffic, survey.pairs, spec, 0, &StopFlag());
    if (!evaluation) continue;
    for (size_t f = 0; f < figures.size(); ++f) {
      const double value = figures[f](*evaluation);
      if (value >= least[f]) continue;
      least[f] = value;
      best[f] = n;
    }
  }
  return best;
}

}  // namespace

std::vector<Sensitivity> StudySensitivity(std::span<const SurveyedNetwork> networks,
                                          std::span<const TrafficFigure> figures) {
  const CostProfile& profile = networks.front().scenario->data_plane.profile;
  const std::vector<size_t> winners = Winners(networks, profile, figures);
  std::vector<Sensitivity> results;
  for (const size_t winner : winners) {
    results.push_back({winner == kNobody ? "" : networks[winner].name, {}});
  }
  for (size_t i = 0; i < kCosts; ++i) {
    const CostProfile::Entry& entry = profile.entries[i];
    for (const double end : {entry.low, entry.high}) {
      if (end == profile.costs.values[i]) continue;
      CostProfile changed = profile;
      changed.costs.values[i] = end;
      if (StopFlag()) return results;
      const std::vector<size_t> then = Winners(networks, changed, figures);
      for (size_t f = 0; f < figures.size(); ++f) {
        if (then[f] == winners[f] || then[f] == kNobody) continue;
        results[f].overturns.push_back(
            {static_cast<Cost>(i), end, profile.costs.values[i], networks[then[f]].name});
      }
    }
  }
  return results;
}

}  // namespace cnisim
