#include "sim/scenario/resolved_yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sim/engine/random.h"
#include "sim/scenario/network_choice.h"
#include "sim/scenario/quantities.h"
#include "sim/scenario/yaml_quote.h"

namespace cnisim {
namespace {

std::string QuotedList(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(YamlQuoted(text));
  return fmt::format("{}", fmt::join(quoted, ", "));
}

// Lines of block-style YAML.
class Writer {
 public:
  void Line(int depth, std::string_view text) {
    out_.append(static_cast<size_t>(depth) * 2, ' ');
    out_ += text;
    out_ += '\n';
  }
  template <typename T>
  void Value(int depth, std::string_view key, const T& value) {
    Line(depth, fmt::format("{}: {}", key, value));
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string Text(Duration d) { return FormatDuration(d); }
std::string Text(TimePoint t) { return FormatDuration(t - kTimeZero); }

std::string_view NameOf(KubeProxyMode mode) {
  switch (mode) {
    case KubeProxyMode::kIptables:
      return "iptables";
    case KubeProxyMode::kIpvs:
      return "ipvs";
    case KubeProxyMode::kNftables:
      return "nftables";
  }
  return "";
}

std::string_view NameOf(TrafficPlacement placement) {
  switch (placement) {
    case TrafficPlacement::kAny:
      return "any";
    case TrafficPlacement::kSameNode:
      return "sameNode";
    case TrafficPlacement::kOtherNode:
      return "otherNode";
    case TrafficPlacement::kSameZone:
      return "sameZone";
    case TrafficPlacement::kOtherZone:
      return "otherZone";
  }
  return "";
}

std::string_view NameOf(EvaluationBy evaluation) {
  switch (evaluation) {
    case EvaluationBy::kAuto:
      return "auto";
    case EvaluationBy::kEvents:
      return "events";
    case EvaluationBy::kAnalysis:
      return "analytic";
  }
  return "";
}

void WriteVpc(Writer& w, const VpcSpec& vpc) {
  std::vector<std::string> blocks;
  for (const Ipv4Cidr& block : vpc.cidr_blocks) blocks.push_back(block.ToString());
  w.Line(1, "vpc:");
  w.Line(2, fmt::format("cidrBlocks: [{}]", fmt::join(blocks, ", ")));
  if (vpc.ipv6_cidr) w.Value(2, "ipv6CidrBlock", YamlQuoted(vpc.ipv6_cidr->ToString()));
  w.Line(2, "subnets:");
  for (const SubnetSpec& subnet : vpc.subnets) {
    w.Line(3, "- name: " + YamlQuoted(subnet.name));
    w.Value(4, "availabilityZone", YamlQuoted(subnet.availability_zone));
    w.Value(4, "cidr", subnet.cidr.ToString());
    w.Value(4, "usedAtStart", subnet.used_at_start);
    w.Value(4, "usedLayout", subnet.used_layout == UsedLayout::kDense ? "dense" : "scattered");
    if (subnet.tags.empty()) continue;
    w.Line(4, "tags:");
    for (const auto& [key, value] : subnet.tags) w.Value(5, YamlQuoted(key), YamlQuoted(value));
  }
}

void WriteEc2(Writer& w, const Ec2Spec& ec2) {
  if (ec2.throttles.empty() && ec2.latency.empty()) return;
  w.Line(1, "ec2:");
  if (!ec2.throttles.empty()) w.Line(2, "throttles:");
  for (const auto& [action, bucket] : ec2.throttles) {
    w.Value(3, action,
            fmt::format("{{bucket: {}, refillPerSecond: {}}}", bucket.bucket,
                        bucket.refill_per_second));
  }
  if (!ec2.latency.empty()) w.Line(2, "latency:");
  for (const auto& [action, latency] : ec2.latency) w.Value(3, action, latency.ToString());
}

void WriteConstants(Writer& w, const Constants& constants) {
  const Constants defaults;
  bool first = true;
  for (const ConstantInfo& info : AllConstants()) {
    std::string value;
    if (info.number != nullptr) {
      if (constants.*info.number == defaults.*info.number) continue;
      value = fmt::format("{}", constants.*info.number);
    } else {
      if (constants.*info.duration == defaults.*info.duration) continue;
      value = (constants.*info.duration).ToString();
    }
    if (first) w.Line(1, "constants:");
    first = false;
    w.Value(2, info.name, value);
  }
}

void WriteFile(Writer& w, int depth, const SourceFile& file) {
  w.Value(depth, "file", YamlQuoted(file.path));
  w.Value(depth, "format", file.format);
  w.Value(depth, "contentHash", YamlQuoted(file.content_hash));
}

void WriteNodeGroups(Writer& w, const Scenario& scenario, const SourceFiles& files) {
  w.Line(1, "nodeGroups:");
  for (size_t i = 0; i < scenario.node_groups.size(); ++i) {
    const NodeGroupSpec& group = scenario.node_groups[i];
    w.Line(2, "- name: " + YamlQuoted(group.name));
    if (const auto it = files.node_lists.find(i); it != files.node_lists.end()) {
      w.Line(3, "nodeList:");
      WriteFile(w, 4, it->second);
    }
    w.Value(3, "instanceType", YamlQuoted(group.instance_type));
    w.Value(3, "desiredCapacity", group.desired_capacity);
    w.Value(3, "maxSize", group.max_size);
    std::vector<std::string> subnets;
    for (const int index : group.subnets) {
      subnets.push_back(YamlQuoted(scenario.vpc.subnets[static_cast<size_t>(index)].name));
    }
    w.Line(3, fmt::format("subnets: [{}]", fmt::join(subnets, ", ")));
    w.Value(3, "maxPods", group.max_pods ? fmt::format("{}", *group.max_pods) : "auto");
    w.Value(3, "amiFamily", group.image == NodeImage::kAl2 ? "AmazonLinux2" : "AmazonLinux2023");
    if (group.node_lifetime) w.Value(3, "nodeLifetime", group.node_lifetime->ToString());
    if (!group.labels.empty()) w.Line(3, "labels:");
    for (const auto& [key, value] : group.labels) w.Value(4, YamlQuoted(key), YamlQuoted(value));
    if (!group.taints.empty()) w.Line(3, "taints:");
    for (const Taint& taint : group.taints) {
      w.Line(4, fmt::format("- {{key: {}, value: {}, effect: {}}}", YamlQuoted(taint.key),
                            YamlQuoted(taint.value), taint.effect));
    }
  }
}

void WriteCalico(Writer& w, const CalicoSpec& calico) {
  w.Line(2, "calico:");
  w.Line(3, "ipPools:");
  for (const IpPoolSpec& pool : calico.ip_pools) {
    w.Line(4, "- name: " + YamlQuoted(pool.name));
    w.Value(5, "cidr", pool.cidr.ToString());
    w.Value(5, "encapsulation", NameOf(pool.encapsulation));
    w.Value(5, "blockSize", pool.block_size);
    w.Value(5, "natOutgoing", pool.nat_outgoing);
  }
  w.Value(3, "podMtu", calico.pod_mtu ? fmt::format("{}", *calico.pod_mtu) : "auto");
  w.Value(3, "vxlanChecksumOffload", calico.vxlan_checksum_offload);
  w.Value(3, "version", fmt::format("v3.{}.{}", calico.minor, calico.patch));
  w.Value(3, "awsSrcDstCheck", calico.disables_src_dst_check ? "Disable" : "DoNothing");
  w.Value(3, "strictAffinity", calico.strict_affinity);
  w.Value(3, "maxBlocksPerHost", calico.max_blocks_per_host);
}

void WriteQuirks(Writer& w, const Quirks& quirks) {
  bool first = true;
  for (const QuirkInfo& quirk : AllQuirks()) {
    if (quirks.*quirk.member) continue;
    if (first) w.Line(2, "quirks:");
    first = false;
    w.Value(3, quirk.name, "false");
  }
}

void WriteEniConfigs(Writer& w, const Scenario& scenario) {
  if (scenario.network.eni_configs.empty()) return;
  w.Line(2, "eniConfigs:");
  for (const EniConfigSpec& config : scenario.network.eni_configs) {
    w.Line(3, "- name: " + YamlQuoted(config.name));
    w.Value(4, "subnet", YamlQuoted(scenario.vpc.subnets[config.subnet].name));
    w.Line(4, fmt::format("securityGroups: [{}]", QuotedList(config.security_groups)));
  }
}

void WriteNetwork(Writer& w, const Scenario& scenario) {
  const NetworkSpec& network = scenario.network;
  const bool calico = network.plugin == Plugin::kCalico;
  w.Line(1, "network:");
  w.Value(2, "plugin", calico ? "calico" : "aws-vpc-cni");
  w.Value(2, "choice", network.choice == ChoicePolicy::kOldest ? "oldest" : "random");
  if (!network.env.empty()) w.Line(2, "env:");
  for (const auto& [name, value] : network.env) {
    w.Value(3, name, value ? YamlQuoted(*value) : "null");
  }
  WriteQuirks(w, network.quirks);
  WriteEniConfigs(w, scenario);
  if (calico) w.Value(2, "mtu", network.mtu);
  if (calico) WriteCalico(w, network.calico);
  w.Line(2, fmt::format("kubeProxy: {{mode: {}, services: {}, endpoints: {}}}",
                        NameOf(network.kube_proxy.mode), network.kube_proxy.services,
                        network.kube_proxy.endpoints));
}

class WorkloadWriter {
 public:
  WorkloadWriter(Writer& w, const Scenario& scenario, const SourceFile* trace)
      : w_(w), scenario_(scenario), trace_(trace) {}

  void Write(const WorkloadSpec& workload) {
    w_.Line(2, "- name: " + YamlQuoted(workload.name));
    w_.Value(3, "namespace", YamlQuoted(workload.pod.ns));
    WritePlacement(workload.pod);
    if (!workload.pod.security_groups.empty()) {
      w_.Value(3, "securityGroups",
               fmt::format("{{groupIds: [{}]}}", QuotedList(workload.pod.security_groups)));
    }
    if (!std::holds_alternative<TraceSpec>(workload.kind)) {
      w_.Value(3, "hostNetwork", workload.pod.host_network);
      w_.Value(3, "resources",
               fmt::format("{{requests: {{cpu: {}m, memory: {}Mi}}}}", workload.pod.cpu_milli,
                           workload.pod.memory_mib));
    }
    std::visit(*this, workload.kind);
  }

  void operator()(const DeploymentSpec& spec) {
    w_.Value(3, "kind", "Deployment");
    w_.Value(3, "replicas", spec.replicas);
    if (spec.pod_lifetime) w_.Value(3, "podLifetime", spec.pod_lifetime->ToString());
    if (spec.start_at) w_.Value(3, "startAt", Text(*spec.start_at));
    if (!spec.placed_on.empty()) w_.Line(3, "placedOn:");
    for (const PlacedPods& on : spec.placed_on) {
      const std::string& group = scenario_.node_groups[static_cast<size_t>(on.node_group)].name;
      w_.Value(4, YamlQuoted(fmt::format("{}-{}", group, on.number)), on.pods);
    }
  }

  void operator()(const CronJobSpec& spec) {
    w_.Value(3, "kind", "CronJob");
    if (spec.every) w_.Value(3, "every", Text(*spec.every));
    if (spec.poisson_rate_per_second) {
      w_.Value(3, "arrivals",
               fmt::format("{{poisson: {{rate: {}}}}}", FormatRate(*spec.poisson_rate_per_second)));
    }
    w_.Value(3, "parallelism", spec.parallelism);
    w_.Value(3, "activeFor", spec.active_for.ToString());
    if (spec.start_at) w_.Value(3, "startAt", Text(*spec.start_at));
  }

  void operator()(const DaemonSetSpec&) { w_.Value(3, "kind", "DaemonSet"); }

  void operator()(const TraceSpec&) {
    w_.Value(3, "kind", "Trace");
    if (trace_ != nullptr) WriteFile(w_, 3, *trace_);
  }

 private:
  void WritePlacement(const PodTemplate& pod) {
    std::vector<std::string> selector;
    for (const auto& [key, value] : pod.node_selector) {
      selector.push_back(fmt::format("{}: {}", YamlQuoted(key), YamlQuoted(value)));
    }
    if (!selector.empty()) {
      w_.Value(3, "nodeSelector", fmt::format("{{{}}}", fmt::join(selector, ", ")));
    }
    if (!pod.tolerations.empty()) w_.Line(3, "tolerations:");
    for (const Toleration& toleration : pod.tolerations) {
      std::vector<std::string> parts;
      if (!toleration.key.empty()) parts.push_back("key: " + YamlQuoted(toleration.key));
      if (toleration.exists) parts.push_back("operator: Exists");
      if (!toleration.value.empty()) parts.push_back("value: " + YamlQuoted(toleration.value));
      if (!toleration.effect.empty()) parts.push_back("effect: " + toleration.effect);
      w_.Line(4, fmt::format("- {{{}}}", fmt::join(parts, ", ")));
    }
  }

  Writer& w_;
  const Scenario& scenario_;
  const SourceFile* trace_;
};

void WriteWorkloads(Writer& w, const Scenario& scenario, const SourceFiles& files) {
  if (scenario.workloads.empty()) return;
  w.Line(1, "workloads:");
  for (size_t i = 0; i < scenario.workloads.size(); ++i) {
    const auto it = files.traces.find(i);
    WorkloadWriter(w, scenario, it == files.traces.end() ? nullptr : &it->second)
        .Write(scenario.workloads[i]);
  }
}

void WriteServices(Writer& w, const Scenario& scenario) {
  if (scenario.services.empty()) return;
  w.Line(1, "services:");
  for (const ServiceSpec& service : scenario.services) {
    w.Line(2, "- name: " + YamlQuoted(service.name));
    w.Value(3, "workload",
            YamlQuoted(scenario.workloads[static_cast<size_t>(service.workload)].name));
    w.Value(3, "port", service.port);
    w.Value(3, "targetPort", service.target_port);
    w.Value(3, "protocol", service.protocol == "tcp" ? "TCP" : "UDP");
    if (service.node_port) w.Value(3, "nodePort", *service.node_port);
  }
}

void WriteTraffic(Writer& w, const Scenario& scenario) {
  w.Line(1, "traffic:");
  for (const TrafficSpec& flow : scenario.traffic) {
    w.Line(2, "- name: " + YamlQuoted(flow.name));
    w.Value(3, "from", YamlQuoted(scenario.workloads[static_cast<size_t>(flow.from)].name));
    if (flow.service) {
      w.Value(3, "service", YamlQuoted(scenario.services[static_cast<size_t>(*flow.service)].name));
    } else {
      w.Value(3, "to", YamlQuoted(scenario.workloads[static_cast<size_t>(flow.to)].name));
    }
    const bool tcp = flow.transport == Transport::kTcp;
    w.Value(3, "protocol", tcp ? "TCP" : "UDP");
    w.Value(3, "placement", NameOf(flow.placement));
    w.Value(3, "maxPairs", flow.max_pairs);
    if (const auto* bulk = std::get_if<BulkLoad>(&flow.load)) {
      w.Value(3, "streams", bulk->streams);
      continue;
    }
    if (const auto* open = std::get_if<OpenLoad>(&flow.load)) {
      w.Value(3, "requestsPerSecond", open->requests_per_second);
    } else if (const auto* closed = std::get_if<ClosedLoad>(&flow.load)) {
      w.Value(3, "concurrency", closed->concurrency);
      w.Value(3, "thinkTime", closed->think_time.ToString());
    }
    w.Value(3, "requestBytes", flow.request_bytes);
    w.Value(3, "responseBytes", flow.response_bytes);
    w.Value(3, "serverTime", flow.server_time.ToString());
    if (tcp) w.Value(3, "connections", flow.connection_per_request ? "perRequest" : "keepalive");
  }
}

void WriteProfileBody(Writer& w, int depth, const CostProfile& profile) {
  w.Value(depth, "help", YamlQuoted(profile.help));
  w.Line(depth, "nic:");
  w.Value(depth + 1, "segmentation", profile.nic.segmentation);
  w.Value(depth + 1, "tunnelSegmentation", profile.nic.tunnel_segmentation);
  w.Value(depth + 1, "checksum", profile.nic.checksum);
  w.Value(depth + 1, "tunnelChecksum", profile.nic.tunnel_checksum);
  w.Value(depth + 1, "maxReceiveQueues", profile.nic.max_receive_queues);
  w.Value(depth + 1, "frameBytes", profile.nic.frame_bytes);
  w.Value(depth + 1, "bandwidthGbps", profile.nic.bits_per_second / 1e9);
  w.Value(depth + 1, "flowGbps", profile.nic.flow_bits_per_second / 1e9);
  w.Value(depth + 1, "packetsPerSecond", profile.nic.packets_per_second);
  w.Line(depth, "costs:");
  for (size_t i = 0; i < kCosts; ++i) {
    const CostProfile::Entry& entry = profile.entries[i];
    w.Value(depth + 1, kAllCosts[i].name,
            fmt::format("{{value: {}, low: {}, high: {}, source: {}}}", profile.costs.values[i],
                        entry.low, entry.high, YamlQuoted(entry.source)));
  }
}

void WriteDataPlane(Writer& w, const DataPlaneSpec& spec) {
  w.Line(1, "dataPlane:");
  w.Line(2, "profile:");
  w.Value(3, "name", YamlQuoted(spec.profile.name));
  WriteProfileBody(w, 3, spec.profile);
  w.Value(2, "evaluation", NameOf(spec.evaluation));
  std::vector<std::string> moments;
  for (const TimePoint at : spec.at) moments.push_back(Text(at));
  w.Line(2, fmt::format("at: [{}]", fmt::join(moments, ", ")));
  w.Value(2, "warmUp", Text(spec.warm_up));
  w.Value(2, "window", Text(spec.window));
}

struct EventText {
  const Scenario& scenario;

  std::string operator()(const ScaleWorkload& action) const {
    return fmt::format("scale: {{workload: {}, replicas: {}}}",
                       YamlQuoted(scenario.workloads[static_cast<size_t>(action.workload)].name),
                       action.replicas);
  }
  std::string operator()(const ScaleNodeGroup& action) const {
    return fmt::format(
        "scale: {{nodeGroup: {}, desiredCapacity: {}}}",
        YamlQuoted(scenario.node_groups[static_cast<size_t>(action.node_group)].name),
        action.desired_capacity);
  }
  std::string operator()(const RestartAgent& action) const {
    return fmt::format("restart: {{agent: {}}}", YamlQuoted(action.node));
  }
  std::string operator()(const SetEnv& action) const {
    std::vector<std::string> variables;
    for (const auto& [name, value] : action.env) {
      variables.push_back(fmt::format("{}: {}", name, value ? YamlQuoted(*value) : "null"));
    }
    return fmt::format("setEnv: {{{}}}", fmt::join(variables, ", "));
  }
};

void WriteEvents(Writer& w, const Scenario& scenario) {
  if (scenario.events.empty()) return;
  w.Line(1, "events:");
  for (const EventSpec& event : scenario.events) {
    w.Line(2, fmt::format("- {{at: {}, {}}}", Text(event.at),
                          std::visit(EventText{scenario}, event.action)));
  }
}

void WriteExpectations(Writer& w, const std::vector<ExpectationSpec>& expectations) {
  if (expectations.empty()) return;
  w.Line(1, "expectations:");
  for (const ExpectationSpec& expectation : expectations) {
    w.Line(2, "- name: " + YamlQuoted(expectation.name));
    w.Value(3, "assert", YamlQuoted(expectation.assertion));
    w.Value(3, "severity", expectation.warn_only ? "warn" : "error");
  }
}

}  // namespace

std::string ContentHash(std::string_view content) {
  return fmt::format("fnv1a64:{:016x}", HashName(content));
}

std::string CostProfileYaml(const CostProfile& profile) {
  Writer w;
  w.Line(0, "apiVersion: cnisim.dev/v1alpha1");
  w.Line(0, "kind: CostProfile");
  w.Value(0, "metadata", fmt::format("{{name: {}}}", YamlQuoted(profile.name)));
  w.Line(0, "spec:");
  WriteProfileBody(w, 1, profile);
  return w.Take();
}

std::string ResolvedYaml(const Scenario& scenario, const SourceFiles& files) {
  Writer w;
  w.Line(0, "apiVersion: cnisim.dev/v1alpha1");
  w.Line(0, "kind: Scenario");
  w.Line(0, "metadata:");
  w.Value(1, "name", YamlQuoted(scenario.name));
  w.Line(0, "spec:");
  w.Value(1, "duration", Text(scenario.duration));
  w.Value(1, "seed", scenario.seed);
  w.Value(1, "repetitions", scenario.repetitions);
  w.Value(1, "measureFrom", Text(scenario.measure_from));
  w.Value(1, "initialState", scenario.initial_state == InitialState::kCold ? "cold" : "settled");
  w.Value(1, "systemPods", scenario.system_pods ? "default" : "none");
  WriteVpc(w, scenario.vpc);
  WriteEc2(w, scenario.ec2);
  WriteConstants(w, scenario.constants);
  WriteNodeGroups(w, scenario, files);
  WriteNetwork(w, scenario);
  w.Line(1, "scheduler:");
  w.Value(2, "placement", scenario.scheduler.placement == Placement::kPack ? "pack" : "spread");
  WriteWorkloads(w, scenario, files);
  WriteServices(w, scenario);
  if (!scenario.traffic.empty()) {
    WriteTraffic(w, scenario);
    WriteDataPlane(w, scenario.data_plane);
  }
  WriteEvents(w, scenario);
  WriteExpectations(w, scenario.expectations);
  w.Line(1, "record:");
  w.Value(2, "interval", Text(scenario.record.interval));
  w.Value(2, "pods", scenario.record.pods == PodRows::kNone ? "none" : "all");
  w.Line(1, "engine:");
  w.Value(2, "parkIdlePools", scenario.park_idle_pools);
  return w.Take();
}

}  // namespace cnisim
