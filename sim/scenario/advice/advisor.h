// What the families of checks share: the scenario, its moments, places and what was told so far.
#ifndef CNISIM_SIM_SCENARIO_ADVICE_ADVISOR_H_
#define CNISIM_SIM_SCENARIO_ADVICE_ADVISOR_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/advice/cluster_plan.h"
#include "sim/scenario/advice/timeline.h"
#include "sim/scenario/loader.h"

namespace cnisim {

class Advisor {
 public:
  explicit Advisor(const LoadedScenario& loaded)
      : scenario(loaded.scenario),
        places(loaded.places),
        moments(MomentsOf(loaded.scenario)),
        diagnostics(loaded.places.sources()) {}

  // The first time only for a code and what it is about.
  bool IsNew(Code code, std::string about) {
    return told_.emplace(code.text(), std::move(about)).second;
  }

  // Where a variable gets the value that it has at a moment; else what stands for all of them.
  Location PlaceOfVariable(const Moment& moment, const std::string& name) const;

  const Scenario& scenario;
  const Places& places;
  const std::vector<Moment> moments;
  Diagnostics diagnostics;

 private:
  std::set<std::pair<std::string_view, std::string>> told_;
};

// One family of checks each.
void AdviseOnMaxPods(Advisor& advisor);
void AdviseOnTargets(Advisor& advisor);
void AdviseOnEniConfigs(Advisor& advisor);
void AdviseOnSubnets(Advisor& advisor);
void AdviseOnPrefixes(Advisor& advisor);
void AdviseOnCalico(Advisor& advisor);
void AdviseOnMtu(Advisor& advisor);

// "3 nodes", "1 node".
std::string CountOf(int64_t n, std::string_view noun);
// "subnet 'a'", "subnets 'a' and 'b'".
std::string NamesOf(const Scenario& scenario, const std::set<size_t>& subnets);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_ADVICE_ADVISOR_H_
