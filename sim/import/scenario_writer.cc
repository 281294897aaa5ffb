#include "sim/import/scenario_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>
#include <set>
#include <utility>

#include "core/ipam/settings.h"
#include "sim/cloud/instance_types.h"
#include "sim/import/imported_names.h"
#include "sim/scenario/pod_placement.h"
#include "sim/scenario/yaml_quote.h"

namespace cnisim {
namespace {

constexpr size_t kLineWidth = 100;
// Pods of so many workloads and nodes are placed one by one; more would make a scenario larger than
// one may be (kMaxYamlNodes).
constexpr size_t kMostPlaces = 30'000;
// What a VPC's IPv6 block may look like, where the files do not tell it.
constexpr const char* kSomeIpv6Block = "2600:1f13:0:ff00::/56";

bool IsTrue(const std::string& text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "t" || text == "T" ||
         text == "1";
}

class Writer {
 public:
  Writer(const ImportedCluster& cluster, const WriteOptions& options, Notes& notes)
      : facts_(cluster.facts),
        nodes_(cluster.nodes),
        vpc_(cluster.vpc),
        workloads_(cluster.workloads),
        groups_(cluster.groups),
        options_(options),
        notes_(notes) {}

  std::string Write() {
    Line(0, "# A cluster as it is, written by `cnisim import`.");
    Line(0, "apiVersion: cnisim.dev/v1alpha1");
    Line(0, "kind: Scenario");
    std::string name = options_.name.empty() ? nodes_.cluster : options_.name;
    Line(0, fmt::format("metadata: {{name: {}}}",
                        YamlQuoted(name.empty() ? "imported" : AsDnsLabel(name))));
    Line(0, "spec:");
    Line(1, "duration: 1h  # how long to look at it is yours to say");
    ReadEnvironment();
    WriteVpc();
    WriteGroups();
    WriteNetwork();
    WriteWorkloads();
    return std::move(out_);
  }

 private:
  void Line(int depth, std::string_view text) {
    out_.append(static_cast<size_t>(depth) * 2, ' ');
    out_ += text;
    out_ += '\n';
  }

  // "key: {a, b, ...}", over several lines if it is long.
  void Flow(int depth, const std::string& key, const std::vector<std::string>& items) {
    const std::string one = fmt::format("{}: {{{}}}", key, fmt::join(items, ", "));
    if (one.size() + static_cast<size_t>(depth) * 2 <= kLineWidth) {
      Line(depth, one);
      return;
    }
    Line(depth, key + ":");
    for (const std::string& item : items) Line(depth + 1, item);
  }

  void WriteVpc() {
    Line(1, "vpc:");
    std::vector<std::string> blocks;
    for (const Ipv4Cidr& block : vpc_.blocks) blocks.push_back(block.ToString());
    Line(2, fmt::format("cidrBlocks: [{}]{}", fmt::join(blocks, ", "), vpc_.blocks_comment));
    if (!vpc_.ipv6_block.empty()) {
      Line(2, "ipv6CidrBlock: " + YamlQuoted(vpc_.ipv6_block));
    } else if (ipv6_) {
      Line(2, fmt::format("ipv6CidrBlock: {}{}", YamlQuoted(kSomeIpv6Block),
                          notes_.Unknown("the VPC's IPv6 block", "some block")));
    }
    Line(2, "subnets:");
    for (const ImportedSubnet& subnet : vpc_.subnets) {
      Line(3, "- name: " + YamlQuoted(subnet.name) +
                  (subnet.id.starts_with("subnet-") && subnet.id != subnet.name ? "  # " + subnet.id
                                                                                : ""));
      Line(4, fmt::format("availabilityZone: {}{}", YamlQuoted(subnet.zone), subnet.zone_comment));
      Line(4, fmt::format("cidr: {}{}", subnet.cidr.ToString(), subnet.cidr_comment));
      Line(4, fmt::format("usedAtStart: {}{}", subnet.used_at_start, subnet.used_comment));
      if (subnet.used_at_start > 0 && prefixes_) {
        Line(4, "usedLayout: scattered" +
                    notes_.Unknown("where in their subnets the taken addresses lie", "scattered"));
      }
      std::vector<std::string> tags;
      for (const auto& [key, value] : subnet.tags) {
        tags.push_back(fmt::format("{}: {}", YamlQuoted(key), YamlQuoted(value)));
      }
      if (!tags.empty()) Flow(4, "tags", tags);
    }
  }

  void WriteGroups() {
    Line(1, "nodeGroups:");
    if (groups_.groups.empty()) {
      Line(2, "- name: workers" + notes_.Unknown("the nodes", "3 of type m5.large"));
      Line(3, "instanceType: m5.large");
      Line(3, "desiredCapacity: 3");
    }
    for (const ImportedGroup& group : groups_.groups) WriteGroup(group);
  }

  void WriteGroup(const ImportedGroup& group) {
    Line(2, "- name: " + YamlQuoted(group.name));
    if (group.type.empty()) {
      Line(3, "instanceType: m5.large" +
                  notes_.Unknown(fmt::format("the instance type of the nodes of {}", group.name),
                                 "m5.large"));
    } else {
      Line(3, "instanceType: " + YamlQuoted(group.type));
    }
    const auto count = static_cast<int>(group.nodes.size());
    Line(3, fmt::format("desiredCapacity: {}", count));
    if (group.max_size && *group.max_size >= count) {
      Line(3, fmt::format("maxSize: {}", *group.max_size));
    }
    std::vector<std::string> subnets;
    for (const size_t index : group.subnets)
      subnets.push_back(YamlQuoted(vpc_.subnets[index].name));
    Line(3, fmt::format("subnets: [{}]", fmt::join(subnets, ", ")));
    if (group.max_pods && *group.max_pods > 0) {
      Line(3, fmt::format("maxPods: {}", *group.max_pods));
    } else {
      Line(3, "maxPods: auto" +
                  notes_.Unknown(fmt::format("how many pods a node of {} may have", group.name),
                                 "what EKS's formula gives"));
    }
    WriteImage(group);
    std::vector<std::string> labels;
    for (const auto& [key, value] : group.labels) {
      labels.push_back(fmt::format("{}: {}", YamlQuoted(key), YamlQuoted(value)));
    }
    if (!labels.empty()) Flow(3, "labels", labels);
    if (!group.taints.empty()) Line(3, "taints:");
    for (const Taint& taint : group.taints) {
      Line(4, fmt::format("- {{key: {}, value: {}, effect: {}}}", YamlQuoted(taint.key),
                          YamlQuoted(taint.value), taint.effect));
    }
  }

  void WriteImage(const ImportedGroup& group) {
    const std::string& image = group.os_image;
    const bool is_2023 = image.find("2023") != std::string::npos;
    if (!is_2023 && (image.starts_with("Amazon Linux 2") || image == "AmazonLinux2")) {
      Line(3, "amiFamily: AmazonLinux2");
    } else if (!is_2023 && !image.empty()) {
      Line(3, fmt::format("amiFamily: AmazonLinux2023  # {} is not simulated", image));
      notes_.LeftOut(
          fmt::format("that nodes of {} run {}: they are simulated with Amazon Linux "
                      "2023's names of links",
                      group.name, image));
    }
  }

  // What aws-node is set to, over what the manifest that scenarios stand on sets.
  void ReadEnvironment() {
    if (workloads_.calico) return;
    const Environment manifest = ManifestEnvironment();
    std::map<std::string, std::string> real;
    if (workloads_.aws_node != nullptr) {
      for (const auto& [name, value] : workloads_.aws_node->env) real[name] = value;
      // Releases before v1.10 know neither of the two, and are IPv4.
      const bool families = real.contains("ENABLE_IPv4") || real.contains("ENABLE_IPv6");
      for (const auto& [name, value] : manifest) {
        if (!families && (name == "ENABLE_IPv4" || name == "ENABLE_IPv6")) continue;
        if (!real.contains(name)) env_[name] = std::nullopt;
      }
    }
    for (const EksctlFact& cluster : facts_.eksctl) {
      for (const auto& [name, value] : cluster.env) {
        const auto it = real.find(name);
        if (it != real.end() && it->second != value) {
          notes_.Contradiction(
              fmt::format("{} is {} in aws-node and {} in eksctl's file", name, it->second, value));
        } else {
          real[name] = value;
        }
      }
    }
    std::vector<std::string> unsupported;
    for (const auto& [name, value] : real) {
      if (!std::ranges::binary_search(SupportedVariables(), std::string_view(name))) {
        if (std::ranges::binary_search(UnsupportedVariables(), std::string_view(name))) {
          unsupported.push_back(fmt::format("{}={}", name, value));
        }
        continue;
      }
      const auto it = manifest.find(name);
      if (it == manifest.end() || it->second != value) env_[name] = value;
    }
    if (!unsupported.empty()) {
      notes_.LeftOut(fmt::format("variables of aws-node that are not simulated: {}",
                                 fmt::join(unsupported, ", ")));
    }
    const auto on = [&](const char* name) {
      const auto it = env_.find(name);
      return it != env_.end() && it->second && IsTrue(*it->second);
    };
    ipv6_ = on("ENABLE_IPv6");
    prefixes_ = on("ENABLE_PREFIX_DELEGATION");
    pod_enis_ = on("ENABLE_POD_ENI");
    custom_networking_ = on("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG");
  }

  void WriteNetwork() {
    Line(1, "network:");
    Line(2, fmt::format("plugin: {}{}", workloads_.calico ? "calico" : "aws-vpc-cni",
                        workloads_.plugin_comment));
    if (workloads_.calico) {
      WriteCalico();
    } else {
      WriteEnvironment();
    }
    if (facts_.Has("Service")) {
      Line(2, fmt::format("kubeProxy: {{services: {}}}", facts_.services.size()));
    }
  }

  void WriteEnvironment() {
    std::vector<const EniConfigFact*> configs;
    for (const EniConfigFact& config : facts_.eni_configs) {
      if (vpc_.Find(config.subnet)) configs.push_back(&config);
    }
    std::string comment;
    if (custom_networking_ && configs.empty()) {
      env_["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] = "false";
      comment = notes_.Unknown(
          "the ENIConfigs of custom networking, which is on (kubectl get eniconfigs)",
          "that it is off");
    }
    if (workloads_.aws_node == nullptr) {
      const std::string unknown =
          notes_.Unknown("variables of aws-node (kubectl get daemonset -n kube-system aws-node)",
                         "those of the shipped manifest");
      if (env_.empty()) {
        Line(2, "env: {}" + unknown);
      } else {
        Line(2, "env:" + unknown);
      }
    } else if (!env_.empty()) {
      Line(2, "env:");
    }
    for (const auto& [name, value] : env_) {
      Line(3, fmt::format("{}: {}{}", name, value ? YamlQuoted(*value) : "null",
                          name == "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG" ? comment : ""));
    }
    if (!configs.empty()) Line(2, "eniConfigs:");
    for (const EniConfigFact* config : configs) {
      std::vector<std::string> groups;
      for (const std::string& group : config->groups) groups.push_back(YamlQuoted(group));
      Line(3,
           fmt::format("- {{name: {}, subnet: {}, securityGroups: [{}]}}", YamlQuoted(config->name),
                       YamlQuoted(vpc_.subnets[*vpc_.Find(config->subnet)].name),
                       fmt::join(groups, ", ")));
    }
  }

  void WriteCalico() {
    Line(2, "calico:");
    static const std::regex kVersion(R"(:(v3\.(\d{1,2})\.\d{1,2})(?:[^0-9].*)?$)");
    std::smatch parts;
    const std::string& image = workloads_.calico_node->image;
    // spec_reader_network.cc: the releases whose differences are known.
    if (std::regex_search(image, parts, kVersion) && std::stoi(parts[2]) >= 28 &&
        std::stoi(parts[2]) <= 33) {
      Line(3, fmt::format("version: {}", parts[1].str()));
    } else {
      const CalicoSpec assumed;
      const std::string version = fmt::format("v3.{}.{}", assumed.minor, assumed.patch);
      Line(3, fmt::format("version: {}{}", version,
                          notes_.Unknown("a release of Calico that is simulated (v3.28 to v3.33)",
                                         version)));
    }
    if (!facts_.ip_pools.empty()) Line(3, "ipPools:");
    for (const IpPoolSpec& pool : facts_.ip_pools) {
      Line(4, fmt::format("- {{name: {}, cidr: {}, encapsulation: {}, blockSize: {}, natOutgoing: "
                          "{}}}",
                          YamlQuoted(AsDnsLabel(pool.name)), pool.cidr.ToString(),
                          NameOf(pool.encapsulation), pool.block_size, pool.nat_outgoing));
    }
    if (facts_.ip_pools.empty()) {
      Line(3,
           "ipPools:" + notes_.Unknown("Calico's IP pools (kubectl get ippools)", "calico.yaml's"));
      Line(4, fmt::format("- {{name: {}, cidr: {}}}", kDefaultPoolName, kDefaultPoolCidr));
    }
    if (!facts_.disabled_ip_pools.empty()) {
      notes_.LeftOut(fmt::format("IP pools that IPv4 pods get no addresses of: {}",
                                 SomeOf(facts_.disabled_ip_pools)));
    }
    if (facts_.aws_src_dst_check == "Disable") Line(3, "awsSrcDstCheck: Disable");
    if (facts_.strict_affinity) {
      Line(3, fmt::format("strictAffinity: {}", *facts_.strict_affinity));
    }
    if (facts_.max_blocks_per_host) {
      Line(3, fmt::format("maxBlocksPerHost: {}", *facts_.max_blocks_per_host));
    }
  }

  void WriteWorkloads() {
    if (workloads_.workloads.empty()) {
      Line(1, "workloads: []" + (facts_.Has("Pod") ? std::string()
                                                   : notes_.Unknown("what runs (kubectl get "
                                                                    "deployments,daemonsets,pods)",
                                                                    "nothing")));
      return;
    }
    size_t places = 0;
    for (const ImportedWorkload& workload : workloads_.workloads) places += workload.pods_on.size();
    place_ = options_.placement && places <= kMostPlaces;
    if (options_.placement && !place_) {
      notes_.LeftOut(
          fmt::format("on which nodes pods are: {} places are more than a scenario takes; "
                      "the scheduler spreads them",
                      places));
    }
    Line(1, "workloads:");
    for (const ImportedWorkload& workload : workloads_.workloads) WriteWorkload(workload);
  }

  void WriteWorkload(const ImportedWorkload& workload) {
    Line(2, "- name: " + YamlQuoted(workload.name));
    if (workload.ns != "default") Line(3, "namespace: " + YamlQuoted(AsDnsLabel(workload.ns)));
    const Texts selector = SelectorOf(workload);
    const std::vector<Toleration> tolerations = TolerationsOf(workload);
    const bool daemon_set =
        workload.kind == "DaemonSet" && RunsOnEach(workload, selector, tolerations);
    if (daemon_set) {
      Line(3, "kind: DaemonSet");
    } else {
      Line(3, "kind: Deployment" + std::string(workload.kind == "DaemonSet"
                                                   ? "  # a DaemonSet, but not on all nodes that "
                                                     "its selector and tolerations allow"
                                                   : ""));
      int replicas = workload.replicas;
      if (workload.kind == "DaemonSet") {
        replicas = 0;
        for (const auto& [node, pods] : workload.pods_on) replicas += pods;
      }
      Line(3, fmt::format("replicas: {}{}", replicas, workload.replicas_comment));
    }
    std::vector<std::string> items;
    for (const auto& [key, value] : selector) {
      items.push_back(fmt::format("{}: {}", YamlQuoted(key), YamlQuoted(value)));
    }
    if (!items.empty()) Flow(3, "nodeSelector", items);
    WriteTolerations(tolerations);
    if (workload.pod.host_network) Line(3, "hostNetwork: true");
    if (workload.pod.cpu_milli > 0 || workload.pod.memory_mib > 0) {
      Line(3, fmt::format("resources: {{requests: {{cpu: {}m, memory: {}Mi}}}}",
                          workload.pod.cpu_milli, workload.pod.memory_mib));
    }
    if (!workload.security_groups.empty()) WriteSecurityGroups(workload, daemon_set);
    if (!daemon_set && place_) WritePlaces(workload);
    if (!daemon_set && !workload.pods_known && workload.replicas > 0) {
      Line(
          3,
          "#" + notes_.Unknown("on which nodes pods are (kubectl get pods)", "that they are spread")
                    .substr(2));
    }
  }

  void WritePlaces(const ImportedWorkload& workload) {
    std::vector<std::string> places;
    for (const ImportedGroup& group : groups_.groups) {
      for (const ImportedNode* node : group.nodes) {
        const auto it = workload.pods_on.find(node->name);
        if (it == workload.pods_on.end()) continue;
        places.push_back(fmt::format("{}: {}", groups_.scenario_names.at(node->name), it->second));
      }
    }
    if (!places.empty()) Flow(3, "placedOn", places);
  }

  void WriteTolerations(const std::vector<Toleration>& tolerations) {
    std::vector<std::string> items;
    for (const Toleration& toleration : tolerations) {
      std::vector<std::string> parts;
      if (!toleration.key.empty()) parts.push_back("key: " + YamlQuoted(toleration.key));
      if (toleration.exists) parts.push_back("operator: Exists");
      if (!toleration.value.empty()) parts.push_back("value: " + YamlQuoted(toleration.value));
      if (!toleration.effect.empty()) parts.push_back("effect: " + toleration.effect);
      items.push_back(fmt::format("{{{}}}", fmt::join(parts, ", ")));
    }
    if (!items.empty()) Line(3, fmt::format("tolerations: [{}]", fmt::join(items, ", ")));
  }

  void WriteSecurityGroups(const ImportedWorkload& workload, bool daemon_set) {
    const bool trunk = std::ranges::any_of(groups_.groups, [](const ImportedGroup& group) {
      const InstanceType* type = FindInstanceType(group.type);
      return type != nullptr && type->branch_enis > 0;
    });
    if (!pod_enis_ || !trunk || daemon_set || workload.pod.host_network || workloads_.calico) {
      notes_.LeftOut(
          fmt::format("security groups of {}, which need ENABLE_POD_ENI, a trunk, a "
                      "network of the pod's own, and no DaemonSet",
                      workload.FullName()));
      return;
    }
    std::vector<std::string> groups;
    for (const std::string& group : workload.security_groups) groups.push_back(YamlQuoted(group));
    Line(3, fmt::format("securityGroups: {{groupIds: [{}]}}", fmt::join(groups, ", ")));
  }

  // What every node of the group has, as the simulator sees it.
  Texts LabelsOf(const ImportedGroup& group) const {
    VpcSpec vpc;
    for (const ImportedSubnet& subnet : vpc_.subnets) {
      vpc.subnets.emplace_back().availability_zone = subnet.zone;
    }
    NodeGroupSpec spec;
    spec.name = group.name;
    spec.instance_type = group.type;
    spec.labels = group.labels;
    for (const size_t subnet : group.subnets) spec.subnets.push_back(static_cast<int>(subnet));
    return cnisim::LabelsOf(vpc, spec);
  }

  // Of what the pods select, what tells node groups apart.
  Texts SelectorOf(const ImportedWorkload& workload) {
    Texts selector;
    for (const auto& [key, value] : workload.pod.node_selector) {
      const bool of_all =
          nodes_.labels_known && std::ranges::all_of(nodes_.nodes, [&](const ImportedNode& node) {
            const auto it = node.labels.find(key);
            return it != node.labels.end() && it->second == value;
          });
      if (of_all || key == "kubernetes.io/os") continue;
      const bool of_some = std::ranges::any_of(groups_.groups, [&](const ImportedGroup& group) {
        const Texts labels = LabelsOf(group);
        const auto it = labels.find(key);
        return it != labels.end() && it->second == value;
      });
      if (of_some) {
        selector[key] = value;
      } else {
        notes_.LeftOut(
            fmt::format("that pods of {} run only on nodes with {}={}, as no node "
                        "group is known to have it",
                        workload.FullName(), key, value));
      }
    }
    if (workload.pod.has_affinity && workload.kind != "DaemonSet") {
      notes_.LeftOut(
          fmt::format("node affinity of {} beyond one value a label", workload.FullName()));
    }
    return selector;
  }

  // Those that tolerate a taint that some node group has.
  std::vector<Toleration> TolerationsOf(const ImportedWorkload& workload) const {
    std::vector<Toleration> needed;
    for (const Toleration& toleration : workload.pod.tolerations) {
      const bool used = std::ranges::any_of(groups_.groups, [&](const ImportedGroup& group) {
        return std::ranges::any_of(
            group.taints, [&](const Taint& taint) { return Tolerates(toleration, taint); });
      });
      if (used && std::ranges::find(needed, toleration) == needed.end()) {
        needed.push_back(toleration);
      }
    }
    return needed;
  }

  // Whether the DaemonSet has its pods where the simulator would put them.
  bool RunsOnEach(const ImportedWorkload& workload, const Texts& selector,
                  const std::vector<Toleration>& tolerations) const {
    if (!workload.pods_known || workload.pods_on.empty()) return true;
    for (const ImportedGroup& group : groups_.groups) {
      const Texts labels = LabelsOf(group);
      const bool wanted = Tolerates(tolerations, group.taints) &&
                          std::ranges::all_of(selector, [&](const auto& entry) {
                            const auto it = labels.find(entry.first);
                            return it != labels.end() && it->second == entry.second;
                          });
      for (const ImportedNode* node : group.nodes) {
        const auto it = workload.pods_on.find(node->name);
        const int there = it == workload.pods_on.end() ? 0 : it->second;
        if (there != (wanted ? 1 : 0)) return false;
      }
    }
    return true;
  }

  const ClusterFacts& facts_;
  const ImportedNodes& nodes_;
  const ImportedVpc& vpc_;
  const ImportedWorkloads& workloads_;
  const ImportedGroups& groups_;
  const WriteOptions& options_;
  Notes& notes_;
  std::map<std::string, std::optional<std::string>> env_;
  bool ipv6_ = false;
  bool prefixes_ = false;
  bool pod_enis_ = false;
  bool custom_networking_ = false;
  bool place_ = true;
  std::string out_;
};

}  // namespace

std::string WriteScenario(const ImportedCluster& cluster, const WriteOptions& options,
                          Notes& notes) {
  return Writer(cluster, options, notes).Write();
}

}  // namespace cnisim
