#include "sim/scenario/advice/advice.h"

#include <fmt/format.h>

#include "sim/scenario/advice/advisor.h"

namespace cnisim {

Location Advisor::PlaceOfVariable(const Moment& moment, const std::string& name) const {
  // The latest event that sets it.
  const EventSpec* latest = nullptr;
  for (const EventSpec& event : scenario.events) {
    const auto* set_env = std::get_if<SetEnv>(&event.action);
    if (event.at <= moment.from && set_env != nullptr && set_env->env.contains(name)) {
      latest = &event;
    }
  }
  if (latest != nullptr) return places.Of({"events", latest->written, "setEnv", name});
  return places.Of({"network", "env", name});
}

std::string CountOf(int64_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : noun.ends_with("s") ? "es" : "s");
}

std::string NamesOf(const Scenario& scenario, const std::set<size_t>& subnets) {
  std::string names = subnets.size() == 1 ? "subnet " : "subnets ";
  size_t n = 0;
  for (const size_t s : subnets) {
    if (n > 0) names += n + 1 == subnets.size() ? " and " : ", ";
    names += fmt::format("'{}'", scenario.vpc.subnets[s].name);
    ++n;
  }
  return names;
}

std::vector<Diagnostic> Advise(const LoadedScenario& loaded) {
  Advisor advisor(loaded);
  if (advisor.scenario.network.plugin == Plugin::kAwsVpcCni) {
    AdviseOnMaxPods(advisor);
    AdviseOnTargets(advisor);
    AdviseOnEniConfigs(advisor);
    AdviseOnPrefixes(advisor);
  } else {
    AdviseOnCalico(advisor);
  }
  AdviseOnSubnets(advisor);
  AdviseOnMtu(advisor);
  return advisor.diagnostics.Advice();
}

}  // namespace cnisim
