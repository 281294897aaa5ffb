#include "sim/scenario/scenario_schema.h"

#include <fmt/format.h>

#include <iterator>
#include <stdexcept>

#include "core/ipam/quirks.h"
#include "core/ipam/settings.h"
#include "sim/cloud/ec2_defaults.h"
#include "sim/dataplane/cost_profile.h"
#include "sim/scenario/constants.h"
#include "sim/scenario/loader.h"
#include "sim/scenario/spec_reader.h"
#include "sim/scenario/yaml_tree.h"

namespace cnisim {
namespace {

// Scenarios with nothing that could be left out: what resolving adds are defaults. What they must
// say differs from one to the other, so that what follows from it is told apart.
constexpr std::string_view kSmallest[] = {
    R"(apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {name: one}
spec:
  duration: 1h
  vpc: {cidrBlocks: [10.0.0.0/16], subnets: [{name: a, availabilityZone: za, cidr: 10.0.0.0/20}]}
  nodeGroups: [{name: g, instanceType: m5.large, desiredCapacity: 1}]
  network: {kubeProxy: {}, calico: {ipPools: [{cidr: 192.168.0.0/16}]}, plugin: calico}
  workloads: [{name: w, kind: Deployment, replicas: 1}]
  services: [{name: s, workload: w, port: 80}]
  traffic: [{from: w, to: w, requestsPerSecond: 1}]
  expectations: [{name: e, assert: "nodes_ready.min == 1"}]
)",
    R"(apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {name: two}
spec:
  duration: 2h
  vpc: {cidrBlocks: [10.1.0.0/16], subnets: [{name: b, availabilityZone: zb, cidr: 10.1.0.0/21}]}
  nodeGroups: [{name: h, instanceType: m5.xlarge, desiredCapacity: 2}]
  network: {kubeProxy: {}, calico: {ipPools: [{cidr: 192.168.0.0/17}, {cidr: 192.169.0.0/16}]}, plugin: calico}
  workloads: [{name: x, kind: Deployment, replicas: 2}]
  services: [{name: t, workload: x, port: 81}, {name: u, workload: x, port: 82}]
  traffic: [{from: x, service: u, concurrency: 2}]
  expectations: [{name: f, assert: "nodes_ready.min == 2"}]
)",
    R"(apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {name: three}
spec:
  duration: 3h
  vpc: {cidrBlocks: [10.2.0.0/16], subnets: [{name: c, availabilityZone: zc, cidr: 10.2.0.0/22}]}
  nodeGroups: [{name: i, instanceType: m5.large, desiredCapacity: 3}]
  workloads: [{name: y, kind: CronJob, every: 1m, activeFor: 1s}]
)",
};

using Defaults = std::map<std::string, std::string>;

// Scalars of a resolved scenario by their path; of a list, those of its first item.
void Collect(const YamlNode& node, const std::string& path, Defaults& found) {
  switch (node.kind) {
    case YamlNode::Kind::kScalar:
      found.emplace(path, node.text);
      break;
    case YamlNode::Kind::kMapping:
      for (const YamlEntry& entry : node.entries) {
        Collect(entry.value, path.empty() ? entry.key : path + "." + entry.key, found);
      }
      break;
    case YamlNode::Kind::kList:
      if (!node.items.empty()) Collect(node.items.front(), path + "[]", found);
      break;
    case YamlNode::Kind::kNull:
      break;
  }
}

Defaults ScalarsOf(std::string_view yaml) {
  Defaults found;
  Diagnostics ignored("");
  if (const auto node = ParseYaml(yaml, 0, ignored)) Collect(*node, "", found);
  return found;
}

Defaults FindDefaults() {
  Defaults defaults;
  std::set<std::string> differ;
  for (const std::string_view text : kSmallest) {
    const LoadResult loaded = LoadScenarioText(text, "", "");
    if (!loaded) throw std::logic_error(loaded.error().front().ToString());
    const Defaults written = ScalarsOf(text);
    for (const auto& [path, value] : ScalarsOf(loaded->resolved_yaml)) {
      if (written.contains(path)) {
        differ.insert(path);
      } else if (const auto it = defaults.emplace(path, value).first; it->second != value) {
        differ.insert(path);
      }
    }
  }
  for (const std::string& path : differ) defaults.erase(path);
  for (const ConstantInfo& info : AllConstants()) {
    const Constants constants;
    if (info.number != nullptr) {
      defaults[fmt::format("spec.constants.{}", info.name)] =
          fmt::format("{}", constants.*info.number);
    }
  }
  return defaults;
}

constexpr SchemaHelp kHelp[] = {
#define CNISIM_SCHEMA_HELP(path, help) {path, help},
#include "sim/scenario/schema_help.inc"
#undef CNISIM_SCHEMA_HELP
};

class Schema {
 public:
  Schema() {
    recorder_.Explore([](SchemaRecorder& recorder) {
      Diagnostics nobody("");
      SpecReader("", nobody).Describe(recorder);
    });
    for (const SchemaHelp& line : kHelp) help_[std::string(line.path)] = line.help;
    defaults_ = FindDefaults();
    AddHelpFromCatalogues();
    Walk(recorder_.root(), "");
    for (const auto& [name, note] : recorder_.shared()) Walk(*note, "(" + name + ")");
  }

  ScenarioSchema schema() { return {&recorder_.root(), &recorder_.shared()}; }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  void AddHelpFromCatalogues() {
    for (const ConstantInfo& info : AllConstants()) {
      help_[fmt::format("spec.constants.{}", info.name)] = info.source;
    }
    for (const QuirkInfo& quirk : AllQuirks()) {
      help_[fmt::format("spec.network.quirks.{}", quirk.name)] = quirk.what;
    }
    for (const Ec2ActionInfo& action : AllEc2Actions()) {
      for (const char* section : {"throttles", "latency"}) {
        help_[fmt::format("spec.ec2.{}.{}", section, action.name)] =
            fmt::format("of {}", action.name);
      }
    }
    for (const std::string_view variable : SupportedVariables()) {
      for (const char* place : {"spec.network.env", "spec.events[].setEnv"}) {
        help_[fmt::format("{}.{}", place, variable)] = "a variable of aws-node";
      }
    }
    for (const CostInfo& cost : kAllCosts) {
      for (const char* place : {"spec.dataPlane.costs", "spec.dataPlane.profile.costs"}) {
        help_[fmt::format("{}.{}", place, cost.name)] = cost.help;
      }
    }
  }

  void Walk(SchemaNote& note, const std::string& path) {
    if (!path.empty()) {
      paths_.push_back(path);
      if (const auto it = help_.find(path); it != help_.end()) note.help = it->second;
      if (const auto it = defaults_.find(path); it != defaults_.end()) {
        note.default_text = it->second;
      }
    }
    for (const auto& [key, child] : note.keys) {
      Walk(*child, path.empty() ? key : path + "." + key);
    }
    if (note.items != nullptr) Walk(*note.items, path + "[]");
  }

  SchemaRecorder recorder_;
  std::map<std::string, std::string> help_;
  Defaults defaults_;
  std::vector<std::string> paths_;
};

Schema& TheSchema() {
  static Schema schema;
  return schema;
}

}  // namespace

ScenarioSchema TheScenarioSchema() { return TheSchema().schema(); }

const std::vector<SchemaHelp>& AllSchemaHelp() {
  static const std::vector<SchemaHelp> kAll(std::begin(kHelp), std::end(kHelp));
  return kAll;
}

std::vector<std::string> SchemaPaths() { return TheSchema().paths(); }

}  // namespace cnisim
