// Shapes: Kubernetes API v1 and apps/v1, batch/v1, crd.k8s.amazonaws.com/v1alpha1 (ENIConfig),
// vpcresources.k8s.aws/v1beta1 (SecurityGroupPolicy), projectcalico.org/v3 and
// crd.projectcalico.org/v1 (IPPool, FelixConfiguration, IPAMConfiguration).
#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/import/fact_readers.h"

namespace cnisim {
namespace {

constexpr int kMost = 1'000'000;

std::string QualifiedName(std::string_view ns, std::string_view name) {
  return ns.empty() ? std::string(name) : fmt::format("{}/{}", ns, name);
}

struct Metadata {
  std::string ns;
  std::string name;
  std::string owner_kind;
  std::string owner;
  Texts labels;
  Texts annotations;
  bool deleting = false;
};

Metadata ReadMetadata(MapReader& object, const std::string& kind) {
  Metadata metadata;
  MapReader map = object.Get("metadata").Required().Map("'metadata' of " + object.what());
  metadata.ns = OptionalText(map, "namespace");
  metadata.name = NeededText(map, "name");
  metadata.deleting = map.Get("deletionTimestamp").present();
  object.Rename(fmt::format("{} {}", kind, QualifiedName(metadata.ns, metadata.name)));
  metadata.labels = ReadTexts(map.Get("labels"), "'labels' of " + object.what());
  metadata.annotations = ReadTexts(map.Get("annotations"), "'annotations' of " + object.what());
  for (Field& item : map.Get("ownerReferences").List("owner")) {
    MapReader owner = item.Map(item.label());
    metadata.owner_kind = OptionalText(owner, "kind");
    metadata.owner = OptionalText(owner, "name");
    if (Field controller = owner.Get("controller"); controller.present()) {
      if (controller.Bool().value_or(false)) break;
    }
  }
  return metadata;
}

Toleration ReadToleration(Field& item) {
  MapReader map = item.Map(item.label());
  Toleration toleration;
  toleration.key = OptionalText(map, "key");
  toleration.exists = OptionalText(map, "operator") == "Exists";
  toleration.value = OptionalText(map, "value");
  toleration.effect = OptionalText(map, "effect");
  return toleration;
}

// Requests of a list of containers. What the scheduler counts: the sum of those that run together;
// of those that run before them one after the other, the largest.
struct Requests {
  int64_t cpu_milli = 0;
  int64_t memory_mib = 0;
};

// A quantity in units, rounded up: Kubernetes' resource.Quantity, whose suffixes are
// more than scenarios have.
std::optional<int64_t> Amount(Field field, double unit) {
  constexpr std::pair<std::string_view, double> kSuffixes[] = {
      {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"", 1},
      {"k", 1e3},     {"M", 1e6},     {"G", 1e9},     {"T", 1e12},
      {"P", 1e15},    {"E", 1e18},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
      {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
  };
  const std::optional<std::string> text = field.Text();
  if (!text) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  const std::string_view suffix(end, static_cast<size_t>(text->data() + text->size() - end));
  const auto known =
      std::ranges::find(kSuffixes, suffix, &std::pair<std::string_view, double>::first);
  constexpr double kLargest = 1e15;  // of either unit
  if (error != std::errc() || known == std::end(kSuffixes) || number < 0 ||
      number * known->second / unit > kLargest) {
    field.Error("bad-quantity", fmt::format("{}: '{}' is no quantity as Kubernetes writes them",
                                            field.label(), *text));
    return std::nullopt;
  }
  // 0.1 and the like are not exact: no thousandth more for a rest of 1e-6.
  return static_cast<int64_t>(std::ceil(number * known->second / unit - 1e-6));
}
std::optional<int64_t> CpuMilli(Field field) { return Amount(std::move(field), 1e-3); }
std::optional<int64_t> MemoryMib(Field field) { return Amount(std::move(field), 0x1p20); }

Requests ReadRequests(MapReader& container) {
  Requests requests;
  MapReader resources = container.Get("resources").Map("'resources' of " + container.what());
  MapReader map = resources.Get("requests").Map("'requests' of " + container.what());
  if (Field cpu = map.Get("cpu"); cpu.present()) requests.cpu_milli = CpuMilli(cpu).value_or(0);
  if (Field memory = map.Get("memory"); memory.present()) {
    requests.memory_mib = MemoryMib(memory).value_or(0);
  }
  return requests;
}

void ReadContainers(MapReader& spec, PodSpecFact& pod) {
  bool first = true;
  for (Field& item : spec.Get("containers").List("container")) {
    MapReader container = item.Required().Map(item.label() + " of " + spec.what());
    const Requests requests = ReadRequests(container);
    pod.cpu_milli += requests.cpu_milli;
    pod.memory_mib += requests.memory_mib;
    if (!std::exchange(first, false)) continue;
    pod.image = OptionalText(container, "image");
    for (Field& variable : container.Get("env").List("variable")) {
      MapReader map = variable.Map(variable.label());
      Field value = map.Get("value");
      // Those with valueFrom are the node's own name and the like.
      if (map.Get("valueFrom").present()) continue;
      pod.env.emplace_back(NeededText(map, "name"),
                           value.present() ? value.Text().value_or("") : "");
    }
  }
  Requests sidecars;
  Requests largest;
  for (Field& item : spec.Get("initContainers").List("init container")) {
    MapReader container = item.Required().Map(item.label() + " of " + spec.what());
    const Requests requests = ReadRequests(container);
    if (OptionalText(container, "restartPolicy") == "Always") {
      sidecars.cpu_milli += requests.cpu_milli;
      sidecars.memory_mib += requests.memory_mib;
    }
    largest.cpu_milli = std::max(largest.cpu_milli, requests.cpu_milli);
    largest.memory_mib = std::max(largest.memory_mib, requests.memory_mib);
  }
  pod.cpu_milli = std::max(pod.cpu_milli + sidecars.cpu_milli, largest.cpu_milli);
  pod.memory_mib = std::max(pod.memory_mib + sidecars.memory_mib, largest.memory_mib);
  if (Field overhead = spec.Get("overhead"); overhead.present()) {
    MapReader map = overhead.Map("'overhead' of " + spec.what());
    if (Field cpu = map.Get("cpu"); cpu.present()) pod.cpu_milli += CpuMilli(cpu).value_or(0);
    if (Field memory = map.Get("memory"); memory.present()) {
      pod.memory_mib += MemoryMib(memory).value_or(0);
    }
  }
}

// Required terms that say the same as a node selector become part of it; anything else of them, and
// the name of a DaemonSet's own node, is not expressed.
void ReadAffinity(MapReader& spec, PodSpecFact& pod) {
  MapReader affinity = spec.Get("affinity").Map("'affinity' of " + spec.what());
  MapReader node = affinity.Get("nodeAffinity").Map("'nodeAffinity' of " + spec.what());
  MapReader required = node.Get("requiredDuringSchedulingIgnoredDuringExecution")
                           .Map("required 'nodeAffinity' of " + spec.what());
  std::vector<Field> terms = required.Get("nodeSelectorTerms").List("term");
  if (terms.size() > 1) {
    pod.has_affinity = true;
    return;
  }
  for (Field& item : terms) {
    MapReader term = item.Map(item.label());
    for (Field& expression : term.Get("matchExpressions").List("expression")) {
      MapReader map = expression.Map(expression.label());
      std::vector<Field> values = map.Get("values").List("value");
      if (OptionalText(map, "operator") == "In" && values.size() == 1) {
        pod.node_selector[NeededText(map, "key")] = values.front().Text().value_or("");
      } else {
        pod.has_affinity = true;
      }
    }
  }
}

PodSpecFact ReadPodSpec(MapReader& spec, Texts labels) {
  PodSpecFact pod;
  pod.labels = std::move(labels);
  pod.node_selector = ReadTexts(spec.Get("nodeSelector"), "'nodeSelector' of " + spec.what());
  ReadAffinity(spec, pod);
  for (Field& item : spec.Get("tolerations").List("toleration")) {
    pod.tolerations.push_back(ReadToleration(item));
  }
  if (Field host = spec.Get("hostNetwork"); host.present()) {
    pod.host_network = host.Bool().value_or(false);
  }
  pod.service_account = OptionalText(spec, "serviceAccountName");
  ReadContainers(spec, pod);
  return pod;
}

// False if an object of that kind and name was read before. Those without a name are new, and
// reported later.
bool IsNew(MapReader& object, const std::string& kind, ClusterFacts& facts) {
  Field metadata = object.Get("metadata");
  if (!metadata.is_mapping()) return true;
  const auto text = [&](const char* key) -> std::string {
    const YamlNode* value = metadata.node()->Find(key);
    return value == nullptr ? "" : value->text;
  };
  const std::string name = text("name");
  return name.empty() ||
         facts.objects.insert(fmt::format("{} {}/{}", kind, text("namespace"), name)).second;
}

void ReadNode(MapReader& object, ClusterFacts& facts) {
  Metadata metadata = ReadMetadata(object, "node");
  NodeFact node;
  node.name = std::move(metadata.name);
  node.labels = std::move(metadata.labels);
  node.annotations = std::move(metadata.annotations);
  MapReader spec = object.Get("spec").Map("'spec' of " + object.what());
  node.provider_id = OptionalText(spec, "providerID");
  node.taints = ReadTaints(spec.Get("taints"), nullptr);
  MapReader status = object.Get("status").Map("'status' of " + object.what());
  for (const char* which : {"capacity", "allocatable"}) {
    MapReader amounts = status.Get(which).Map(fmt::format("'{}' of {}", which, object.what()));
    if (Field pods = amounts.Get("pods"); pods.present()) node.max_pods = WholeNumber(pods);
  }
  for (Field& item : status.Get("addresses").List("address")) {
    MapReader address = item.Map(item.label());
    if (OptionalText(address, "type") != "InternalIP") continue;
    const std::string text = OptionalText(address, "address");
    if (node.internal_ip.empty() || Ipv4Address::Parse(text)) node.internal_ip = text;
  }
  MapReader info = status.Get("nodeInfo").Map("'nodeInfo' of " + object.what());
  node.os_image = OptionalText(info, "osImage");
  facts.nodes.push_back(std::move(node));
}

void ReadPod(MapReader& object, ClusterFacts& facts) {
  Metadata metadata = ReadMetadata(object, "pod");
  PodFact pod;
  pod.ns = std::move(metadata.ns);
  pod.name = std::move(metadata.name);
  pod.owner_kind = std::move(metadata.owner_kind);
  pod.owner = std::move(metadata.owner);
  pod.deleting = metadata.deleting;
  MapReader spec = object.Get("spec").Required().Map("'spec' of " + object.what());
  pod.spec = ReadPodSpec(spec, std::move(metadata.labels));
  pod.node = OptionalText(spec, "nodeName");
  MapReader status = object.Get("status").Map("'status' of " + object.what());
  pod.phase = OptionalText(status, "phase");
  pod.has_ip = !OptionalText(status, "podIP").empty();
  if (const auto it = metadata.annotations.find("vpc.amazonaws.com/pod-eni");
      it != metadata.annotations.end()) {
    const auto enis = nlohmann::json::parse(it->second, nullptr, /*allow_exceptions=*/false);
    if (enis.is_array() && !enis.empty() && enis[0].is_object()) {
      pod.branch_eni = enis[0].value("eniId", "");
    }
  }
  facts.pods.push_back(std::move(pod));
}

void ReadWorkload(MapReader& object, const std::string& kind, ClusterFacts& facts) {
  Metadata metadata = ReadMetadata(object, kind);
  WorkloadFact workload;
  workload.kind = kind;
  workload.ns = std::move(metadata.ns);
  workload.name = std::move(metadata.name);
  workload.owner_kind = std::move(metadata.owner_kind);
  workload.owner = std::move(metadata.owner);
  MapReader spec = object.Get("spec").Map("'spec' of " + object.what());
  workload.replicas = 1;
  const char* count = kind == "Job" ? "parallelism" : "replicas";
  if (Field replicas = spec.Get(count); replicas.present()) {
    workload.replicas = replicas.Int(0, kMost).value_or(1);
  }
  MapReader outer =
      kind == "CronJob" ? spec.Get("jobTemplate").Map("'jobTemplate' of " + object.what()) : object;
  MapReader template_spec =
      kind == "CronJob" ? outer.Get("spec").Map("'jobTemplate.spec' of " + object.what()) : spec;
  MapReader pod_template = template_spec.Get("template").Map("'template' of " + object.what());
  MapReader pod_metadata =
      pod_template.Get("metadata").Map("'template.metadata' of " + object.what());
  MapReader pod_spec = pod_template.Get("spec").Map("'template.spec' of " + object.what());
  workload.pod = ReadPodSpec(
      pod_spec, ReadTexts(pod_metadata.Get("labels"), "'template.labels' of " + object.what()));
  facts.workloads.push_back(std::move(workload));
}

void ReadEniConfig(MapReader& object, ClusterFacts& facts) {
  EniConfigFact config;
  config.name = ReadMetadata(object, "ENIConfig").name;
  MapReader spec = object.Get("spec").Required().Map("'spec' of " + object.what());
  config.subnet = NeededText(spec, "subnet");
  for (Field& group : spec.Get("securityGroups").List("security group")) {
    config.groups.push_back(group.Text().value_or(""));
  }
  facts.eni_configs.push_back(std::move(config));
}

void ReadSecurityGroupPolicy(MapReader& object, ClusterFacts& facts) {
  Metadata metadata = ReadMetadata(object, "SecurityGroupPolicy");
  SecurityGroupPolicyFact policy;
  policy.ns = std::move(metadata.ns);
  policy.name = std::move(metadata.name);
  MapReader spec = object.Get("spec").Required().Map("'spec' of " + object.what());
  const auto labels = [&](const char* selector) -> std::optional<Texts> {
    Field field = spec.Get(selector);
    if (!field.present()) return std::nullopt;
    MapReader map = field.Map(field.label());
    return ReadTexts(map.Get("matchLabels"), "'matchLabels' of " + object.what());
  };
  policy.pod_labels = labels("podSelector");
  policy.account_labels = labels("serviceAccountSelector");
  MapReader groups = spec.Get("securityGroups").Map("'securityGroups' of " + object.what());
  for (Field& id : groups.Get("groupIds").List("security group")) {
    policy.groups.push_back(id.Text().value_or(""));
  }
  facts.policies.push_back(std::move(policy));
}

void ReadIpPool(MapReader& object, ClusterFacts& facts) {
  IpPoolSpec pool;
  pool.name = ReadMetadata(object, "IPPool").name;
  MapReader spec = object.Get("spec").Required().Map("'spec' of " + object.what());
  Field cidr_field = spec.Get("cidr").Required();
  if (cidr_field.present() && cidr_field.node()->text.find(':') != std::string::npos) {
    facts.disabled_ip_pools.push_back(pool.name + " (IPv6)");
    return;
  }
  pool.cidr = cidr_field.Cidr().value_or(Ipv4Cidr());
  if (Field size = spec.Get("blockSize"); size.present()) {
    pool.block_size = size.Int(20, 32).value_or(pool.block_size);
  }
  // Without both there is no encapsulation (projectcalico.org/v3).
  const std::string ipip = OptionalText(spec, "ipipMode");
  const std::string vxlan = OptionalText(spec, "vxlanMode");
  pool.encapsulation = vxlan == "Always"        ? Encapsulation::kVxlan
                       : vxlan == "CrossSubnet" ? Encapsulation::kVxlanCrossSubnet
                       : ipip == "Always"       ? Encapsulation::kIpip
                       : ipip == "CrossSubnet"  ? Encapsulation::kIpipCrossSubnet
                                                : Encapsulation::kNone;
  Field nat = spec.Get("natOutgoing");
  pool.nat_outgoing = nat.present() && nat.Bool().value_or(false);
  if (Field disabled = spec.Get("disabled");
      disabled.present() && disabled.Bool().value_or(false)) {
    facts.disabled_ip_pools.push_back(pool.name + " (disabled)");
    return;
  }
  facts.ip_pools.push_back(std::move(pool));
}

void ReadFelixConfiguration(MapReader& object, ClusterFacts& facts) {
  if (ReadMetadata(object, "FelixConfiguration").name != "default") return;
  MapReader spec = object.Get("spec").Map("'spec' of " + object.what());
  facts.aws_src_dst_check = OptionalText(spec, "awsSrcDstCheck");
}

void ReadIpamConfiguration(MapReader& object, ClusterFacts& facts) {
  ReadMetadata(object, "IPAMConfig");
  MapReader spec = object.Get("spec").Map("'spec' of " + object.what());
  if (Field strict = spec.Get("strictAffinity"); strict.present()) {
    facts.strict_affinity = strict.Bool();
  }
  if (Field blocks = spec.Get("maxBlocksPerHost"); blocks.present()) {
    facts.max_blocks_per_host = blocks.Int(0, kMost);
  }
}

}  // namespace

std::string OptionalText(MapReader& map, std::string_view key) {
  Field field = map.Get(key);
  return field.present() ? field.Text().value_or("") : "";
}

std::string NeededText(MapReader& map, std::string_view key) {
  return map.Get(key).Required().Text().value_or("");
}

Texts ReadTexts(Field field, const std::string& what) {
  Texts texts;
  if (!field.present()) return texts;
  MapReader map = field.Map(what);
  for (const YamlEntry& entry : map.entries()) {
    // A null is an absent value.
    if (entry.value.kind == YamlNode::Kind::kScalar) texts[entry.key] = entry.value.text;
  }
  return texts;
}

std::optional<int> WholeNumber(Field field) {
  const std::optional<std::string> text = field.Text();
  if (!text) return std::nullopt;
  const std::optional<int64_t> value = ParseInteger(*text);
  if (!value || *value < 0 || *value > kMost) {
    field.Error("wrong-type", fmt::format("{} must be a whole number from 0 to {}, not '{}'",
                                          field.label(), kMost, *text));
    return std::nullopt;
  }
  return static_cast<int>(*value);
}

std::vector<Taint> ReadTaints(Field list, int* soft) {
  std::vector<Taint> taints;
  for (Field& item : list.List("taint")) {
    MapReader map = item.Map(item.label());
    Taint taint{OptionalText(map, "key"), OptionalText(map, "value"), OptionalText(map, "effect")};
    if (taint.effect == "NoSchedule" || taint.effect == "NoExecute") {
      taints.push_back(std::move(taint));
    } else if (soft != nullptr) {
      ++*soft;
    }
  }
  return taints;
}

bool ReadKubernetesObject(Field item, const std::string& kind_of_list, ClusterFacts& facts) {
  MapReader object = item.Required().Map(item.label());
  std::string kind = OptionalText(object, "kind");
  if (kind.empty()) kind = kind_of_list;
  if (!IsNew(object, kind, facts)) return true;
  if (kind == "Node") {
    ReadNode(object, facts);
  } else if (kind == "Pod") {
    ReadPod(object, facts);
  } else if (kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet" ||
             kind == "ReplicaSet" || kind == "ReplicationController" || kind == "Job" ||
             kind == "CronJob") {
    ReadWorkload(object, kind, facts);
  } else if (kind == "ENIConfig") {
    ReadEniConfig(object, facts);
  } else if (kind == "SecurityGroupPolicy") {
    ReadSecurityGroupPolicy(object, facts);
  } else if (kind == "Service") {
    const Metadata metadata = ReadMetadata(object, "Service");
    facts.services.push_back(QualifiedName(metadata.ns, metadata.name));
  } else if (kind == "IPPool") {
    ReadIpPool(object, facts);
  } else if (kind == "FelixConfiguration") {
    ReadFelixConfiguration(object, facts);
  } else if (kind == "IPAMConfiguration" || kind == "IPAMConfig") {
    ReadIpamConfiguration(object, facts);
  } else {
    return false;
  }
  facts.seen.insert(kind);
  return true;
}

}  // namespace cnisim
