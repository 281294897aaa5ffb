// spec.events.
#include <algorithm>

#include "sim/scenario/spec_reader.h"

namespace cnisim {
namespace {

constexpr int kMaxReplicas = 1'000'000;
constexpr int kMaxNodes = 100'000;

}  // namespace

void SpecReader::ReadEvents(Field list) {
  for (Field& item : list.List("event")) ReadEvent(item);
  std::ranges::stable_sort(scenario.events, {}, &EventSpec::at);
  for (LaterCheck& restart : restarts_) {
    std::string problem;
    std::string suggestion;
    if (!IsNode(restart.node, problem, suggestion)) {
      restart.field.Error("unknown-reference", problem, suggestion);
    }
  }
  // Nodes beyond a node list need a type of their own.
  for (size_t i = 0; i < scenario.node_groups.size(); ++i) {
    const NodeGroupSpec& group = scenario.node_groups[i];
    const int listed = static_cast<int>(group.nodes.size());
    if (listed == 0 || group.max_size <= listed || instance_type_fields_[i].present()) continue;
    instance_type_fields_[i].Error(
        "missing-key", fmt::format("node group '{}' can have {} nodes, but its list has {}: "
                                   "'instanceType' must say what the others are",
                                   group.name, group.max_size, listed));
  }
}

void SpecReader::ReadEvent(Field item) {
  MapReader map = item.Required().Map(item.label());
  EventSpec event;
  event.written = scenario.events.size();
  const std::optional<TimePoint> at = Moment(map.Get("at").Required());
  event.at = at.value_or(kTimeZero);
  Field scale = map.Get("scale");
  Field restart = map.Get("restart");
  Field set_env = map.Get("setEnv");
  map.OnlyOne({"scale", "restart", "setEnv"});
  if (scale.present()) ReadScale(scale, event);
  if (restart.present()) ReadRestart(restart, event);
  if (set_env.present()) ReadSetEnv(set_env, event);
  map.Done();
  scenario.events.push_back(std::move(event));
}

void SpecReader::ReadScale(Field scale, EventSpec& event) {
  MapReader map = scale.Map("'scale'");
  Field workload = map.Get("workload");
  Field group = map.Get("nodeGroup");
  if (!map.OnlyOne({"workload", "nodeGroup"})) return;
  if (workload.present()) {
    map.Misplaced("desiredCapacity", "is for a node group; a workload has 'replicas'");
    ScaleWorkload action;
    const std::optional<int> index = workloads_.Resolve(workload);
    action.workload = index.value_or(0);
    Field replicas = map.Get("replicas");
    if (!map.Has("desiredCapacity")) replicas.Required();
    action.replicas = replicas.Int(0, kMaxReplicas).value_or(0);
    if (index && !std::holds_alternative<DeploymentSpec>(
                     scenario.workloads[static_cast<size_t>(*index)].kind)) {
      workload.Error("wrong-kind", fmt::format("workload '{}' is not a Deployment; only those can "
                                               "be scaled",
                                               workload.node()->text));
    }
    event.action = action;
  } else {
    map.Misplaced("replicas", "is for a workload; a node group has 'desiredCapacity'");
    ScaleNodeGroup action;
    const std::optional<int> index = node_groups_.Resolve(group);
    action.node_group = index.value_or(0);
    Field desired = map.Get("desiredCapacity");
    if (!map.Has("replicas")) desired.Required();
    action.desired_capacity = desired.Int(0, kMaxNodes).value_or(0);
    if (index) {
      NodeGroupSpec& spec = scenario.node_groups[static_cast<size_t>(*index)];
      if (!max_size_fields_[static_cast<size_t>(*index)].present()) {
        spec.max_size = std::max(spec.max_size, action.desired_capacity);
      } else if (action.desired_capacity > spec.max_size) {
        desired.Error("out-of-range",
                      fmt::format("node group '{}' cannot have {} nodes; its maxSize is {}",
                                  spec.name, action.desired_capacity, spec.max_size));
      }
    }
    event.action = action;
  }
  map.Done();
}

void SpecReader::ReadSetEnv(Field set_env, EventSpec& event) {
  MapReader map = set_env.Map("'setEnv'");
  SetEnv action;
  if (scenario.network.plugin != Plugin::kAwsVpcCni) {
    set_env.Error("wrong-kind", "'setEnv' is only for plugin aws-vpc-cni");
  }
  // On top of what earlier events have set; they are read in the order of the file.
  auto env = env_after_events_ ? *env_after_events_ : scenario.network.env;
  for (const YamlEntry& entry : map.entries()) env.erase(entry.key);
  if (const std::optional<AgentSettings> settings = ReadVariables(map, env)) {
    CheckEnvironment(*settings);
    CheckModes(*settings);
  }
  for (const YamlEntry& entry : map.entries()) {
    if (const auto it = env.find(entry.key); it != env.end()) action.env.insert(*it);
  }
  env_after_events_ = std::move(env);
  event.action = std::move(action);
}

void SpecReader::ReadRestart(Field restart, EventSpec& event) {
  MapReader map = restart.Map("'restart'");
  Field agent = map.Get("agent").Required();
  if (const std::optional<std::string> node = agent.String()) {
    // Checked once every event has had its say about the size of node groups.
    restarts_.push_back({agent, *node});
    event.action = RestartAgent{*node};
  }
  map.Done();
}

}  // namespace cnisim
