// Which constants of the cost profile would overturn a comparison of networks, if the truth lay at
// the other end of their range.
//
// Each constant alone is put at its low and its high end, for all networks alike, and the traffic
// is evaluated again by queueing theory over the ways that were walked once.
#ifndef CNISIM_TOOLS_CNISIM_COMPARE_SENSITIVITY_H_
#define CNISIM_TOOLS_CNISIM_COMPARE_SENSITIVITY_H_

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sim/cluster/traffic_survey.h"
#include "sim/dataplane/traffic_evaluation.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

struct SurveyedNetwork {
  std::string name;
  const Scenario* scenario = nullptr;
  TrafficSurvey survey;
};

// What is compared: less is better.
using TrafficFigure = std::function<double(const TrafficEvaluation&)>;

struct Overturn {
  Cost cost = Cost::kSocketSend;
  double value = 0;    // nanoseconds at which it happens: an end of the range
  double profile = 0;  // what the profile says
  std::string winner;  // the best network then
};

// The network with the least figure by the profiles as they are, none where all are infinite, and
// what would change that. The
// scenarios have the same profile.
struct Sensitivity {
  std::string winner;
  std::vector<Overturn> overturns;
};
// Of each figure; not whole after an interrupt. Evaluates the traffic of every network twice for
// each constant, whatever the number of figures.
std::vector<Sensitivity> StudySensitivity(std::span<const SurveyedNetwork> networks,
                                          std::span<const TrafficFigure> figures);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_COMPARE_SENSITIVITY_H_
