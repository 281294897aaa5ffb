#include "tools/cnisim/sensitivity.h"

#include <limits>

namespace cnisim {
namespace {

double FigureOf(const SurveyedNetwork& network, const CostProfile& profile,
                const TrafficFigure& figure) {
  const Scenario& scenario = *network.scenario;
  DataPlaneSpec spec = scenario.data_plane;
  spec.evaluation = EvaluationBy::kAnalysis;
  spec.profile = profile;
  const Result<TrafficEvaluation> evaluation =
      EvaluateTraffic(network.survey.hosts, scenario.traffic, network.survey.pairs, spec, 0);
  return evaluation ? figure(*evaluation) : std::numeric_limits<double>::infinity();
}

// The first of equals.
const std::string& Winner(std::span<const SurveyedNetwork> networks, const CostProfile& profile,
                          const TrafficFigure& figure) {
  size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < networks.size(); ++i) {
    const double value = FigureOf(networks[i], profile, figure);
    if (value < least) {
      least = value;
      best = i;
    }
  }
  return networks[best].name;
}

}  // namespace

Sensitivity StudySensitivity(std::span<const SurveyedNetwork> networks,
                             const TrafficFigure& figure) {
  const CostProfile& profile = networks.front().scenario->data_plane.profile;
  Sensitivity result;
  result.winner = Winner(networks, profile, figure);
  for (size_t i = 0; i < kCosts; ++i) {
    const CostProfile::Entry& entry = profile.entries[i];
    for (const double end : {entry.low, entry.high}) {
      if (end == profile.costs.values[i]) continue;
      CostProfile changed = profile;
      changed.costs.values[i] = end;
      const std::string& winner = Winner(networks, changed, figure);
      if (winner == result.winner) continue;
      result.overturns.push_back({static_cast<Cost>(i), end, profile.costs.values[i], winner});
    }
  }
  return result;
}

}  // namespace cnisim
