// spec.workloads.
#include <algorithm>

#include "sim/cloud/instance_types.h"
#include "sim/scenario/distribution_reader.h"
#include "sim/scenario/pod_placement.h"
#include "sim/scenario/spec_reader.h"
#include "sim/scenario/trace_reader.h"

namespace cnisim {
namespace {

enum class Kind { kDeployment, kCronJob, kDaemonSet, kTrace };

// Guards against typing errors; pods are counted in 32 bits.
constexpr int kMaxReplicas = 1'000'000;
constexpr double kMinRate = 1e-9;
constexpr double kMaxRate = 100'000;

// Which keys belong to which kind.
constexpr std::pair<std::string_view, std::string_view> kKindKeys[] = {
    {"replicas", "Deployment"}, {"podLifetime", "Deployment"}, {"startAt", "Deployment"},
    {"placedOn", "Deployment"}, {"every", "CronJob"},          {"arrivals", "CronJob"},
    {"parallelism", "CronJob"}, {"activeFor", "CronJob"},      {"startAt", "CronJob"},
    {"file", "Trace"},          {"format", "Trace"},           {"contentHash", "Trace"},
};

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kDeployment:
      return "Deployment";
    case Kind::kCronJob:
      return "CronJob";
    case Kind::kDaemonSet:
      return "DaemonSet";
    case Kind::kTrace:
      return "Trace";
  }
  return "";
}

void RefuseKeysOfOtherKinds(MapReader& map, Kind kind) {
  const std::string_view own = NameOf(kind);
  for (const auto& [key, of_kind] : kKindKeys) {
    const bool suits = std::ranges::any_of(kKindKeys, [&, key = key](const auto& other) {
      return other.first == key && other.second == own;
    });
    if (suits) continue;
    map.Misplaced(key, fmt::format("is for kind {}, not {}", of_kind, own));
  }
}

Toleration ReadToleration(Field& item) {
  MapReader map = item.Required().Map(item.label());
  Toleration toleration;
  toleration.key = map.Get("key").Text().value_or("");
  toleration.exists =
      map.Get("operator").OneOf<bool>({{"Equal", false}, {"Exists", true}}).value_or(false);
  toleration.value = map.Get("value").Text().value_or("");
  toleration.effect =
      map.Get("effect")
          .OneOf<std::string>({{"NoSchedule", "NoSchedule"}, {"NoExecute", "NoExecute"}})
          .value_or("");
  if (toleration.key.empty() && !toleration.exists) {
    item.Error("missing-key", fmt::format("{} without 'key' needs operator Exists", item.label()));
  }
  map.Done();
  return toleration;
}

// Selector and tolerations, and the node groups that they leave.
void ReadPlacement(MapReader& map, const Scenario& scenario, const Names& node_groups,
                   PodTemplate& pod) {
  std::vector<std::map<std::string, std::string>> labels;
  for (const NodeGroupSpec& group : scenario.node_groups) {
    labels.push_back(LabelsOf(scenario.vpc, group));
  }
  const auto some_group_has = [&](const std::string& key, const std::string& value) {
    return std::ranges::any_of(labels, [&](const auto& of_group) {
      const auto it = of_group.find(key);
      return it != of_group.end() && it->second == value;
    });
  };
  bool good = true;
  MapReader selector = map.Get("nodeSelector").Map(fmt::format("'nodeSelector' of {}", map.what()));
  for (const YamlEntry& entry : selector.entries()) {
    Field field = selector.Get(entry.key);
    const std::optional<std::string> value = field.Text();
    good = good && value;
    if (!value) continue;
    pod.node_selector[entry.key] = *value;
    if (some_group_has(entry.key, *value)) continue;
    good = false;
    if (entry.key == kNodeGroupLabel) {
      node_groups.Resolve(field);
    } else {
      field.Error(
          "unknown-reference",
          fmt::format("all nodes of no node group have the label {}: {}", entry.key, *value));
    }
  }
  Field tolerations = map.Get("tolerations");
  for (Field& item : tolerations.List("toleration")) {
    pod.tolerations.push_back(ReadToleration(item));
  }
  pod.node_groups = NodeGroupsFor(scenario, pod);
  if (good && pod.node_groups && pod.node_groups->empty()) {
    map.diagnostics().Warning(
        map.where(), "no-node-group",
        fmt::format("{}: no node group has all that its nodeSelector asks for and no taint that it "
                    "does not tolerate; its pods stay Pending",
                    map.what()));
  }
}

PodTemplate ReadPodTemplate(MapReader& map, bool trace, const Scenario& scenario,
                            const Names& node_groups) {
  PodTemplate pod;
  pod.ns = map.Get("namespace").DnsLabel().value_or(pod.ns);
  ReadPlacement(map, scenario, node_groups, pod);
  if (trace) {
    map.Misplaced("resources", "comes from the trace's columns");
    map.Misplaced("hostNetwork", "comes from the trace's columns");
    return pod;
  }
  pod.host_network = map.Get("hostNetwork").Bool().value_or(false);
  MapReader resources = map.Get("resources").Map(fmt::format("'resources' of {}", map.what()));
  MapReader requests = resources.Get("requests").Map(fmt::format("'requests' of {}", map.what()));
  pod.cpu_milli = requests.Get("cpu").CpuMilli().value_or(0);
  pod.memory_mib = requests.Get("memory").MemoryMib().value_or(0);
  requests.Done();
  resources.Done();
  return pod;
}

}  // namespace

void SpecReader::ReadWorkloads(Field list) {
  for (Field& item : list.List("workload")) ReadWorkload(item);
}

void SpecReader::ReadWorkload(Field item) {
  MapReader map = item.Required().Map(item.label());
  WorkloadSpec workload;
  workload.name = workloads_.Take(map);
  const std::optional<Kind> kind =
      map.Get("kind").Required().OneOf<Kind>({{"Deployment", Kind::kDeployment},
                                              {"CronJob", Kind::kCronJob},
                                              {"DaemonSet", Kind::kDaemonSet},
                                              {"Trace", Kind::kTrace}});
  workload.pod = ReadPodTemplate(map, kind == Kind::kTrace, scenario, node_groups_);
  if (scenario.network.plugin != Plugin::kAwsVpcCni) {
    map.Misplaced("securityGroups", "is only for plugin aws-vpc-cni");
  } else if (kind == Kind::kDaemonSet) {
    map.Misplaced("securityGroups", "is not simulated for kind DaemonSet");
  } else if (workload.pod.host_network) {
    map.Misplaced("securityGroups", "is not for pods with hostNetwork, which have their node's");
  } else {
    ReadSecurityGroups(map.Get("securityGroups"), map.what(), workload.pod);
  }
  if (kind) {
    RefuseKeysOfOtherKinds(map, *kind);
    switch (*kind) {
      case Kind::kDeployment:
        workload.kind = ReadDeployment(map);
        break;
      case Kind::kCronJob:
        workload.kind = ReadCronJob(map);
        break;
      case Kind::kDaemonSet:
        workload.kind = DaemonSetSpec{};
        break;
      case Kind::kTrace:
        workload.kind = ReadTrace(map);
        break;
    }
    map.Done();
  }
  scenario.workloads.push_back(std::move(workload));
}

// As spec.securityGroups of vpcresources.k8s.aws/v1beta1 SecurityGroupPolicy, which allows 1 to 5.
void SpecReader::ReadSecurityGroups(Field groups, const std::string& what, PodTemplate& pod) {
  constexpr size_t kMostGroups = 5;
  if (!groups.present()) return;
  MapReader map = groups.Map(fmt::format("'securityGroups' of {}", what));
  Field ids = map.Get("groupIds").Required();
  for (Field& id : ids.List("security group")) {
    pod.security_groups.push_back(id.Required().String().value_or(""));
  }
  const bool is_list = ids.present() && ids.node()->kind == YamlNode::Kind::kList;
  if (is_list && (pod.security_groups.empty() || pod.security_groups.size() > kMostGroups)) {
    ids.Error("out-of-range", fmt::format("{} must have 1 to {} items, not {}", ids.label(),
                                          kMostGroups, pod.security_groups.size()));
  }
  map.Done();
  security_group_fields_.emplace(scenario.workloads.size(), std::move(groups));
}

void SpecReader::CheckSecurityGroups() {
  const auto can_trunk = [](const std::string& type_name) {
    const InstanceType* type = FindInstanceType(type_name);
    return type == nullptr || type->branch_enis > 0;  // unknown types are reported elsewhere
  };
  const auto group_can = [&](const NodeGroupSpec& group) {
    return can_trunk(group.instance_type) ||
           std::ranges::any_of(group.nodes, can_trunk, &NodeSpec::instance_type);
  };
  for (auto& [index, field] : security_group_fields_) {
    const WorkloadSpec& workload = scenario.workloads[index];
    if (settings_ && !pod_enis_on_) {
      field.Error("needs-variable",
                  fmt::format("{} needs ENABLE_POD_ENI in 'env' of network", field.label()),
                  "add ENABLE_POD_ENI: \"true\"");
    }
    if (settings_ && settings_->enable_ipv6) {
      field.Error("not-simulated", field.label() + " is simulated with IPv4 only");
    }
    const std::optional<std::vector<int>>& only = workload.pod.node_groups;
    const bool possible =
        only ? std::ranges::any_of(
                   *only,
                   [&](int group) {
                     return group_can(scenario.node_groups[static_cast<size_t>(group)]);
                   })
             : std::ranges::any_of(scenario.node_groups, group_can);
    if (!possible) {
      field.Error("no-trunk",
                  fmt::format("{}: no node that its pods may run on is of an instance type with a "
                              "trunk ENI; `cnisim catalog instance-types` lists their branch ENIs",
                              field.label()));
    }
  }
}

DeploymentSpec SpecReader::ReadDeployment(MapReader& map) {
  DeploymentSpec spec;
  spec.replicas = map.Get("replicas").Required().Int(0, kMaxReplicas).value_or(0);
  Field lifetime = map.Get("podLifetime");
  spec.pod_lifetime = ReadDistribution(lifetime);
  if (spec.pod_lifetime && spec.pod_lifetime->Mean() <= Duration::zero()) {
    lifetime.Error("out-of-range", fmt::format("{} must be longer than 0s", lifetime.label()));
  }
  spec.start_at = Moment(map.Get("startAt"));
  ReadPlacedOn(map.Get("placedOn"), map.what(), spec);
  return spec;
}

void SpecReader::ReadPlacedOn(Field field, const std::string& what, DeploymentSpec& spec) {
  if (!field.present()) return;
  if (spec.start_at || scenario.initial_state != InitialState::kSettled) {
    field.Error("wrong-kind", fmt::format("{} is for Deployments that run at time zero: those of a "
                                          "settled start without 'startAt'",
                                          field.label()));
  }
  MapReader map = field.Map(fmt::format("'placedOn' of {}", what));
  int64_t placed = 0;
  for (const YamlEntry& entry : map.entries()) {
    Field pods = map.Get(entry.key);
    PlacedPods on;
    on.pods = pods.Int(0, kMaxReplicas).value_or(0);
    placed += on.pods;
    std::string problem;
    std::string suggestion;
    const bool exists = IsNode(entry.key, problem, suggestion);
    if (exists) {
      const size_t dash = entry.key.rfind('-');
      on.node_group = *node_groups_.Find(entry.key.substr(0, dash));
      on.number = std::stoi(entry.key.substr(dash + 1));
      const NodeGroupSpec& group = scenario.node_groups[static_cast<size_t>(on.node_group)];
      if (on.number > group.desired_capacity) {
        problem = fmt::format("node group '{}' has {} nodes at time zero, so there is no '{}'",
                              group.name, group.desired_capacity, entry.key);
      }
    }
    if (!problem.empty()) pods.Error("unknown-reference", problem, suggestion);
    spec.placed_on.push_back(on);
  }
  if (placed > spec.replicas) {
    field.Error("out-of-range", fmt::format("{} places {} pods, but {} has {} replicas",
                                            field.label(), placed, what, spec.replicas));
  }
}

CronJobSpec SpecReader::ReadCronJob(MapReader& map) {
  constexpr Duration kShortestPeriod = std::chrono::milliseconds(1);
  CronJobSpec spec;
  Field every = map.Get("every");
  Field arrivals = map.Get("arrivals");
  map.OnlyOne({"every", "arrivals"});
  spec.every = every.Time(kShortestPeriod, kLongest);
  if (arrivals.present()) {
    MapReader process = arrivals.Map(fmt::format("'arrivals' of {}", map.what()));
    MapReader poisson =
        process.Get("poisson").Required().Map(fmt::format("'arrivals' of {}", map.what()));
    spec.poisson_rate_per_second = poisson.Get("rate").Required().Rate(kMinRate, kMaxRate);
    poisson.Done();
    process.Done();
  }
  spec.parallelism = map.Get("parallelism").Int(1, kMaxReplicas).value_or(1);
  spec.active_for = ReadDistribution(map.Get("activeFor").Required()).value_or(Distribution());
  spec.start_at = Moment(map.Get("startAt"));
  return spec;
}

TraceSpec SpecReader::ReadTrace(MapReader& map) {
  TraceSpec spec;
  SourceFile record;
  const std::optional<TraceFormat> format = map.Get("format").OneOf<TraceFormat>(
      {{"cnisim", TraceFormat::kCnisim}, {"openb", TraceFormat::kOpenb}});
  record.format = format == TraceFormat::kOpenb ? "openb" : "cnisim";
  Field file_field = map.Get("file").Required();
  const auto file = OpenFile(file_field, map.Get("contentHash"), record);
  if (file) {
    spec.pods =
        ReadPodTrace(file->text, format.value_or(TraceFormat::kCnisim), file->source, diagnostics_);
    const TimePoint end = kTimeZero + scenario.duration;
    const auto late =
        std::ranges::count_if(spec.pods, [&](const TracePod& pod) { return pod.created >= end; });
    if (late > 0) {
      diagnostics_.Warning(
          file_field.where(), "trace-longer-than-run",
          fmt::format("{} of the {} pods in '{}' are created after the end, {}", late,
                      spec.pods.size(), record.path, FormatDuration(scenario.duration)));
    }
  }
  files.traces[scenario.workloads.size()] = std::move(record);
  return spec;
}

}  // namespace cnisim
