#include "sim/scenario/advice/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/scenario/quantities.h"

namespace cnisim {
namespace {

void Apply(const EventSpec& event, Moment& moment) {
  if (const auto* workload = std::get_if<ScaleWorkload>(&event.action)) {
    moment.replicas[static_cast<size_t>(workload->workload)] = workload->replicas;
  } else if (const auto* group = std::get_if<ScaleNodeGroup>(&event.action)) {
    moment.nodes[static_cast<size_t>(group->node_group)] = group->desired_capacity;
  } else if (const auto* set_env = std::get_if<SetEnv>(&event.action)) {
    for (const auto& [name, value] : set_env->env) moment.env[name] = value;
    moment.set_env = event.written;
    moment.env_changed = true;
  }
}

void ReadSettings(Moment& moment) {
  // The loader has refused what cannot be parsed.
  Result<ParsedEnvironment> parsed = ParseEnvironment(ManifestEnvironmentWith(moment.env));
  if (parsed) moment.settings = std::move(parsed->settings);
}

}  // namespace

std::vector<Moment> MomentsOf(const Scenario& scenario) {
  std::set<TimePoint> times{kTimeZero};
  for (const EventSpec& event : scenario.events) times.insert(event.at);
  for (const WorkloadSpec& workload : scenario.workloads) {
    const auto* deployment = std::get_if<DeploymentSpec>(&workload.kind);
    if (deployment != nullptr && deployment->start_at) times.insert(*deployment->start_at);
  }
  Moment moment;
  for (const NodeGroupSpec& group : scenario.node_groups) {
    moment.nodes.push_back(group.desired_capacity);
  }
  moment.replicas.resize(scenario.workloads.size());
  moment.env = scenario.network.env;
  ReadSettings(moment);
  std::vector<Moment> moments;
  auto event = scenario.events.begin();
  for (const TimePoint time : times) {
    moment.from = time;
    moment.env_changed = false;
    for (size_t w = 0; w < scenario.workloads.size(); ++w) {
      const auto* deployment = std::get_if<DeploymentSpec>(&scenario.workloads[w].kind);
      if (deployment != nullptr && deployment->start_at.value_or(kTimeZero) == time) {
        moment.replicas[w] = deployment->replicas;
      }
    }
    for (; event != scenario.events.end() && event->at == time; ++event) Apply(*event, moment);
    if (moment.env_changed) ReadSettings(moment);
    moments.push_back(moment);
  }
  return moments;
}

std::string When(const Moment& moment) {
  if (moment.from == kTimeZero) return "from the start";
  return fmt::format("from {} on", FormatDuration(moment.from - kTimeZero));
}

}  // namespace cnisim
