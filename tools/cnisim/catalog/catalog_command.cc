#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "core/ipam/quirks.h"
#include "core/ipam/settings.h"
#include "sim/cloud/instance_types.h"
#include "sim/observe/metrics.h"
#include "sim/scenario/constants.h"
#include "sim/scenario/suggest.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/table.h"

namespace cnisim {
namespace {

struct Options {
  std::string type;
  OutputFormat format = OutputFormat::kTable;
};

Table InstanceTypes() {
  Table table;
  table.columns = {"instance_type", "enis",       "ipv4_per_eni", "prefixes",    "vcpu",
                   "memory_mib",    "hypervisor", "cards",        "branch_enis", "size_from"};
  for (const InstanceType& t : AllInstanceTypes()) {
    const char* hypervisor = t.bare_metal                         ? "bare metal"
                             : t.hypervisor == Hypervisor::kNitro ? "nitro"
                             : t.hypervisor == Hypervisor::kXen   ? "xen"
                                                                  : "unknown";
    table.rows.push_back(
        {t.name, t.eni_limit, t.ipv4_per_eni, PrefixDelegationSupported(t) ? "yes" : "no", t.vcpu,
         t.memory_mib, hypervisor, t.network_cards,
         t.branch_enis < 0 ? Json() : Json(t.branch_enis), t.derived ? "derived" : "listed"});
  }
  return table;
}

Table MaxPodsOf(std::span<const InstanceType> types) {
  Table table;
  table.columns = {"instance_type", "secondary", "prefix", "secondary_custom_networking",
                   "prefix_custom_networking"};
  for (const InstanceType& t : types) {
    table.rows.push_back({t.name, MaxPods(t, false), MaxPods(t, true), MaxPods(t, false, true),
                          MaxPods(t, true, true)});
  }
  return table;
}

Table ConstantsTable() {
  const Constants constants;
  Table table;
  table.columns = {"constant", "value", "low", "high", "unit", "source"};
  for (const ConstantInfo& info : AllConstants()) {
    const Json value = info.duration != nullptr ? Json((constants.*info.duration).ToString())
                                                : Json(constants.*info.number);
    table.rows.push_back({info.name, value, info.low, info.high, info.unit, info.source});
  }
  return table;
}

Table Metrics() {
  Table table;
  table.columns = {"metric", "kind", "label", "unit", "help"};
  for (const MetricInfo& info : AllMetrics()) {
    table.rows.push_back({info.name, NameOf(info.kind),
                          info.label == EntityKind::kCluster ? "" : NameOf(info.label), info.unit,
                          info.help});
  }
  return table;
}

Table Variables() {
  std::map<std::string_view, bool> simulated;
  for (const std::string_view name : SupportedVariables()) simulated[name] = true;
  for (const std::string_view name : UnsupportedVariables()) simulated[name] = false;
  const Environment manifest = ManifestEnvironment();
  Table table;
  table.columns = {"variable", "manifest", "simulated"};
  for (const auto& [name, yes] : simulated) {
    const auto it = manifest.find(std::string(name));
    table.rows.push_back(
        {name, it == manifest.end() ? Json() : Json(it->second), yes ? "yes" : "no"});
  }
  return table;
}

Table QuirksTable() {
  Table table;
  table.columns = {"quirk", "rule", "what"};
  for (const QuirkInfo& quirk : AllQuirks()) {
    table.rows.push_back({quirk.name, quirk.rule, quirk.what});
  }
  return table;
}

ExitCode PrintMaxPods(const Options& options) {
  if (options.type.empty()) {
    fmt::print("{}", Format(MaxPodsOf(AllInstanceTypes()), options.format));
    return ExitCode::kOk;
  }
  const InstanceType* type = FindInstanceType(options.type);
  if (type == nullptr) {
    std::vector<std::string_view> names;
    for (const InstanceType& t : AllInstanceTypes()) names.push_back(t.name);
    return UsageError(fmt::format("catalog: no instance type '{}'; {}", options.type,
                                  DidYouMean(options.type, names)));
  }
  fmt::print("{}", Format(MaxPodsOf({type, 1}), options.format));
  return ExitCode::kOk;
}

}  // namespace

Command AddCatalog(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* help) {
    CLI::App* part = app.add_subcommand(name, help);
    part->group("Verbs");
    AddOutputOption(*part, options->format);
    return part;
  };
  add("instance-types", "EC2 instance types: ENI and address limits, size");
  CLI::App* maxpods = add("maxpods", "Max pods by instance type and mode");
  maxpods->add_option("TYPE", options->type, "Only this instance type")->type_name("");
  add("constants", "Constants of the world: value, range, source");
  add("metrics", "Metrics: what series, scalars and expectations name");
  add("env", "Variables of aws-node: value in the manifest, simulated or not");
  add("quirks", "Quirks of the real agent: what it does, and what a repaired one does");
  return [&app, options] {
    const std::string part = app.get_subcommands().front()->get_name();
    if (part == "maxpods") return PrintMaxPods(*options);
    const Table table = part == "instance-types" ? InstanceTypes()
                        : part == "constants"    ? ConstantsTable()
                        : part == "metrics"      ? Metrics()
                        : part == "quirks"       ? QuirksTable()
                                                 : Variables();
    fmt::print("{}", Format(table, options->format));
    return ExitCode::kOk;
  };
}

}  // namespace cnisim
