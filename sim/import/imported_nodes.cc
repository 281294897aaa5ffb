#include "sim/import/imported_nodes.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "sim/cloud/instance_types.h"

namespace cnisim {
namespace {

// Where node groups' names stand: EKS, eksctl, Karpenter, kops; then tags of instances.
constexpr const char* kGroupLabels[] = {
    "eks.amazonaws.com/nodegroup", "alpha.eksctl.io/nodegroup-name", "karpenter.sh/nodepool",
    "karpenter.sh/provisioner-name", "kops.k8s.io/instancegroup"};
constexpr const char* kGroupTags[] = {"eks:nodegroup-name", "alpha.eksctl.io/nodegroup-name",
                                      "karpenter.sh/nodepool", "aws:autoscaling:groupName"};
constexpr std::string_view kClusterTagPrefix = "kubernetes.io/cluster/";
constexpr const char* kClusterTags[] = {"eks:cluster-name", "aws:eks:cluster-name",
                                        "alpha.eksctl.io/cluster-name"};
// Taints of a node's state, which comes and goes, not of its kind.
constexpr std::string_view kPassingTaints[] = {"node.kubernetes.io/",
                                               "node.cloudprovider.kubernetes.io/",
                                               "ToBeDeletedByClusterAutoscaler",
                                               "DeletionCandidateOfClusterAutoscaler",
                                               "karpenter.sh/disrupt",
                                               "karpenter.sh/unregistered",
                                               "ebs.csi.aws.com/agent-not-ready"};
// EKS: a node annotated so, not labelled, has this ENIConfig; the label has the same key.
constexpr const char* kEniConfigKey = "k8s.amazonaws.com/eniConfig";

std::string TextAt(const Texts& texts, const std::string& key) {
  const auto it = texts.find(key);
  return it == texts.end() ? "" : it->second;
}

// The first of the keys that has a value.
template <size_t N>
std::string FirstOf(const Texts& texts, const char* const (&keys)[N]) {
  for (const char* key : keys) {
    if (std::string text = TextAt(texts, key); !text.empty()) return text;
  }
  return "";
}

std::string ClusterOf(const Texts& tags) {
  if (std::string name = FirstOf(tags, kClusterTags); !name.empty()) return name;
  for (const auto& [key, value] : tags) {
    if (key.starts_with(kClusterTagPrefix)) return key.substr(kClusterTagPrefix.size());
  }
  return "";
}

bool Runs(const InstanceFact& instance) {
  return instance.state.empty() || instance.state == "running" || instance.state == "pending";
}

class Joiner {
 public:
  Joiner(const ClusterFacts& facts, Notes& notes) : facts_(facts), notes_(notes) {
    for (const InstanceFact& instance : facts.instances) {
      by_id_[instance.id] = &instance;
      if (!Runs(instance)) continue;  // addresses of others may have been given out again
      if (!instance.private_dns_name.empty()) by_name_[instance.private_dns_name] = &instance;
      if (!instance.private_ip.empty()) by_ip_[instance.private_ip] = &instance;
    }
    for (const auto& [id, eni] : facts.enis) {
      if (!eni.instance.empty()) enis_of_[eni.instance].push_back(&eni);
      if (!eni.trunk.empty()) branches_of_[eni.trunk].push_back(&eni);
    }
  }

  ImportedNodes Join() {
    if (facts_.Has("Node")) {
      joined_.labels_known = true;
      FromKubernetes();
    } else if (!facts_.instances.empty()) {
      FromInstances();
    } else {
      joined_.labels_known = true;
      FromEksctl();
    }
    NameTheCluster();
    DropUnknownTypes();
    if (facts_.Has("Node") || !facts_.instances.empty()) CompareWithEksctl();
    for (ImportedNode& node : joined_.nodes) AddEnis(node);
    AssignAgents();
    return std::move(joined_);
  }

 private:
  const InstanceFact* FindInstance(const NodeFact& node) const {
    const auto find = [](const auto& map, const std::string& key) -> const InstanceFact* {
      const auto it = map.find(key);
      return it == map.end() ? nullptr : it->second;
    };
    const std::string id = node.provider_id.substr(node.provider_id.rfind('/') + 1);
    if (id.starts_with("i-")) return find(by_id_, id);
    if (const InstanceFact* instance = find(by_name_, node.name)) return instance;
    return find(by_ip_, node.internal_ip);
  }

  void TakeInstance(const InstanceFact& instance, ImportedNode& node) {
    node.instance = instance.id;
    node.vpc = instance.vpc;
    node.subnet = instance.subnet;
    if (!instance.zone.empty()) node.zone = instance.zone;
    if (node.ip.empty()) node.ip = instance.private_ip;
    if (node.group.empty()) node.group = FirstOf(instance.tags, kGroupTags);
    if (const std::string cluster = ClusterOf(instance.tags); !cluster.empty()) {
      ++clusters_[cluster];
    }
    if (!node.type.empty() && node.type != instance.type) {
      notes_.Contradiction(fmt::format("node {}: its label says that it is of type {}, EC2 says {}",
                                       node.name, node.type, instance.type));
    }
    node.type = instance.type;
  }

  void FromKubernetes() {
    std::set<std::string> matched;
    std::vector<std::string> fargate;
    std::vector<std::string> cordoned;
    for (const NodeFact& fact : facts_.nodes) {
      const std::string compute = TextAt(fact.labels, "eks.amazonaws.com/compute-type");
      if (compute == "fargate" || compute == "hybrid") {
        fargate.push_back(fact.name);
        continue;
      }
      ImportedNode node;
      node.name = fact.name;
      node.ip = fact.internal_ip;
      node.max_pods = fact.max_pods;
      node.os_image = fact.os_image;
      node.labels = fact.labels;
      if (const auto it = fact.annotations.find(kEniConfigKey); it != fact.annotations.end()) {
        node.labels[kEniConfigKey] = it->second;  // the annotation wins
      }
      for (const Taint& taint : fact.taints) {
        if (taint.key == "node.kubernetes.io/unschedulable") cordoned.push_back(fact.name);
        const bool passes = std::ranges::any_of(
            kPassingTaints, [&](std::string_view prefix) { return taint.key.starts_with(prefix); });
        if (!passes) node.taints.push_back(taint);
      }
      std::ranges::sort(node.taints, {},
                        [](const Taint& t) { return std::tie(t.key, t.value, t.effect); });
      node.group = FirstOf(fact.labels, kGroupLabels);
      node.zone = FirstOf(
          fact.labels, {"topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"});
      node.type = FirstOf(fact.labels,
                          {"node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"});
      if (const InstanceFact* instance = FindInstance(fact)) {
        matched.insert(instance->id);
        TakeInstance(*instance, node);
        if (!Runs(*instance)) {
          notes_.Contradiction(
              fmt::format("node {} is there for kubectl, but EC2 says that its "
                          "instance {} is {}",
                          node.name, instance->id, instance->state));
        }
      } else if (facts_.Has("describe-instances")) {
        notes_.Contradiction(fmt::format(
            "node {}{} is there for kubectl, but not among the "
            "instances that EC2 describes",
            node.name, fact.provider_id.empty() ? "" : fmt::format(" ({})", fact.provider_id)));
      }
      joined_.nodes.push_back(std::move(node));
    }
    if (!fargate.empty()) {
      notes_.LeftOut(fmt::format(
          "{} of no EC2 instance of this account (Fargate, hybrid), and the pods there: {}",
          CountOf(fargate.size(), "node"), SomeOf(fargate)));
    }
    if (!cordoned.empty()) {
      notes_.LeftOut(fmt::format("that nodes are cordoned: {}", SomeOf(cordoned)));
    }
    const std::string cluster = LargestCluster();
    for (const InstanceFact& instance : facts_.instances) {
      if (cluster.empty() || matched.contains(instance.id) || !Runs(instance)) continue;
      if (ClusterOf(instance.tags) != cluster) continue;
      notes_.Contradiction(
          fmt::format("instance {} has the tag of cluster {}, but kubectl lists no "
                      "such node",
                      instance.id, cluster));
    }
  }

  void FromInstances() {
    std::vector<const InstanceFact*> running;
    for (const InstanceFact& instance : facts_.instances) {
      if (!Runs(instance)) continue;
      running.push_back(&instance);
      if (const std::string cluster = ClusterOf(instance.tags); !cluster.empty()) {
        ++clusters_[cluster];
      }
    }
    std::string cluster = LargestCluster();
    if (!facts_.eksctl.empty() && clusters_.contains(facts_.eksctl.front().cluster)) {
      cluster = facts_.eksctl.front().cluster;
    }
    if (clusters_.size() > 1) {
      notes_.LeftOut(fmt::format("instances of other clusters than {}", cluster));
    }
    clusters_.clear();
    if (cluster.empty() && !running.empty()) {
      notes_.Unknown("which instances are nodes of the cluster (none has a tag that says so)",
                     fmt::format("all {} that run", running.size()));
    }
    for (const InstanceFact* instance : running) {
      if (!cluster.empty() && ClusterOf(instance->tags) != cluster) continue;
      ImportedNode node;
      node.name = instance->private_dns_name.empty() ? instance->id : instance->private_dns_name;
      TakeInstance(*instance, node);
      joined_.nodes.push_back(std::move(node));
    }
  }

  // As eksctl would make them: a group's nodes take its subnets or zones in turn.
  void FromEksctl() {
    for (const EksctlFact& cluster : facts_.eksctl) {
      for (const EksctlGroupFact& group : cluster.groups) {
        if (group.desired.value_or(0) == 0) {
          joined_.empty_groups.push_back(group);
          continue;
        }
        if (!group.more_types.empty()) {
          notes_.Unknown(
              fmt::format("which nodes of {} are of which of its instance types", group.name),
              fmt::format("all {}", group.instance_type));
        }
        std::vector<std::pair<std::string, std::string>> places = PlacesOf(cluster, group);
        for (int i = 0; i < *group.desired; ++i) {
          ImportedNode node;
          node.name = fmt::format("{}-{}", group.name, i + 1);
          node.type = group.instance_type;
          node.group = group.name;
          node.labels = group.labels;
          node.taints = group.taints;
          node.max_pods = group.max_pods;
          node.max_size = group.max_size;
          node.os_image = group.ami_family;
          if (!places.empty()) {
            std::tie(node.subnet, node.zone) = places[static_cast<size_t>(i) % places.size()];
          }
          joined_.nodes.push_back(std::move(node));
        }
      }
    }
  }

  // Subnet (empty: not named) and zone.
  static std::vector<std::pair<std::string, std::string>> PlacesOf(const EksctlFact& cluster,
                                                                   const EksctlGroupFact& group) {
    std::vector<std::pair<std::string, std::string>> places;
    const auto add = [&](const auto& wanted) {
      // Nodes are in private subnets where there are any.
      const bool has_private = std::ranges::any_of(
          cluster.subnets, [&](const auto& s) { return s.is_private && wanted(s); });
      for (const EksctlSubnetFact& subnet : cluster.subnets) {
        if (wanted(subnet) && subnet.is_private == has_private) {
          places.emplace_back(subnet.id.empty() ? subnet.name : subnet.id, subnet.zone);
        }
      }
    };
    for (const std::string& name : group.subnets) {
      add([&](const EksctlSubnetFact& s) { return s.name == name || s.id == name; });
    }
    const std::vector<std::string>& zones = group.zones.empty() ? cluster.zones : group.zones;
    if (places.empty()) {
      add([&](const EksctlSubnetFact& s) {
        return zones.empty() || std::ranges::find(zones, s.zone) != zones.end();
      });
    }
    if (!places.empty()) return places;
    for (const std::string& zone : zones) places.emplace_back("", zone);
    if (places.empty() && !cluster.region.empty()) {
      for (const char letter : {'a', 'b', 'c'}) places.emplace_back("", cluster.region + letter);
    }
    return places;
  }

  std::string LargestCluster() const {
    std::string name;
    int most = 0;
    for (const auto& [cluster, nodes] : clusters_) {
      if (nodes > most) name = cluster;
      most = std::max(most, nodes);
    }
    return name;
  }

  void NameTheCluster() {
    joined_.cluster = LargestCluster();
    for (const EksctlFact& fact : facts_.eksctl) {
      if (fact.cluster.empty()) continue;
      if (!joined_.cluster.empty() && joined_.cluster != fact.cluster) {
        notes_.Contradiction(fmt::format("eksctl's file is of cluster {}, the instances are of {}",
                                         fact.cluster, joined_.cluster));
        continue;
      }
      joined_.cluster = fact.cluster;
    }
  }

  void DropUnknownTypes() {
    std::map<std::string, std::vector<std::string>> nodes_of;
    std::erase_if(joined_.nodes, [&](const ImportedNode& node) {
      if (node.type.empty() || FindInstanceType(node.type) != nullptr) return false;
      nodes_of[node.type].push_back(node.name);
      return true;
    });
    for (const auto& [type, names] : nodes_of) {
      notes_.LeftOut(
          fmt::format("{} of type {}, which the catalogue of instance types does not have: {}",
                      CountOf(names.size(), "node"), type, SomeOf(names)));
    }
    std::erase_if(joined_.empty_groups, [&](const EksctlGroupFact& group) {
      return FindInstanceType(group.instance_type) == nullptr;
    });
  }

  void CompareWithEksctl() {
    std::map<std::string, std::vector<ImportedNode*>> groups;
    for (ImportedNode& node : joined_.nodes) groups[node.group].push_back(&node);
    for (const EksctlFact& cluster : facts_.eksctl) {
      for (const EksctlGroupFact& group : cluster.groups) {
        const auto it = groups.find(group.name);
        const int there = it == groups.end() ? 0 : static_cast<int>(it->second.size());
        if (group.desired && *group.desired != there) {
          notes_.Contradiction(
              fmt::format("node group {}: {} by eksctl's file, {} there", group.name,
                          CountOf(static_cast<size_t>(*group.desired), "node"), there));
        }
        if (there == 0) {
          joined_.empty_groups.push_back(group);
        } else {
          for (ImportedNode* node : it->second) node->max_size = group.max_size;
        }
      }
    }
  }

  void AddEnis(ImportedNode& node) {
    if (node.instance.empty()) return;
    const auto it = enis_of_.find(node.instance);
    if (it == enis_of_.end()) return;
    node.enis = it->second;
    for (const EniFact* eni : it->second) {
      const auto branches = branches_of_.find(eni->id);
      if (branches == branches_of_.end()) continue;
      node.enis.insert(node.enis.end(), branches->second.begin(), branches->second.end());
    }
  }

  // A page does not say whose it is: its ENIs do, or else the pods that have its addresses.
  void AssignAgents() {
    std::unordered_map<std::string, ImportedNode*> node_of_eni;
    std::unordered_map<std::string, ImportedNode*> node_by_name;
    for (ImportedNode& node : joined_.nodes) {
      node_by_name[node.name] = &node;
      for (const EniFact* eni : node.enis) node_of_eni[eni->id] = &node;
    }
    std::unordered_map<std::string, std::string> node_of_pod;
    if (!facts_.agents.empty()) {
      for (const PodFact& pod : facts_.pods) node_of_pod[pod.ns + "/" + pod.name] = pod.node;
    }
    std::unordered_map<std::string, int64_t> pods_with_ip;  // of the agents' addresses, by node
    for (const PodFact& pod : facts_.pods) {
      const bool ended = pod.phase == "Succeeded" || pod.phase == "Failed";
      if (pod.has_ip && !ended && !pod.spec.host_network && pod.branch_eni.empty()) {
        ++pods_with_ip[pod.node];
      }
    }
    for (const AgentFact& agent : facts_.agents) {
      ImportedNode* node = nullptr;
      for (const AgentEniFact& eni : agent.enis) {
        if (const auto it = node_of_eni.find(eni.id); node == nullptr && it != node_of_eni.end()) {
          node = it->second;
        }
      }
      for (const auto& [ns, name] : agent.pods) {
        if (node != nullptr) break;
        const auto pod = node_of_pod.find(ns + "/" + name);
        if (pod == node_of_pod.end()) continue;
        const auto it = node_by_name.find(pod->second);
        if (it != node_by_name.end()) node = it->second;
      }
      if (node == nullptr) {
        notes_.Contradiction(
            fmt::format("{}: the agent's page is of no node that is known: none "
                        "has its ENIs or pods",
                        agent.file));
      } else {
        if (node->agent != nullptr) {
          notes_.Contradiction(fmt::format("{} and {} are both pages of the agent of node {}",
                                           node->agent->file, agent.file, node->name));
        }
        node->agent = &agent;
        if (facts_.Has("Pod") && agent.assigned != pods_with_ip[node->name]) {
          notes_.Contradiction(fmt::format(
              "node {}: its agent has given out {} addresses, kubectl has {} with one there",
              node->name, agent.assigned,
              CountOf(static_cast<size_t>(pods_with_ip[node->name]), "pod")));
        }
        Compare(*node, agent);
      }
    }
  }

  // The agent's book and EC2's.
  void Compare(const ImportedNode& node, const AgentFact& agent) {
    if (node.enis.empty()) return;
    for (const AgentEniFact& eni : agent.enis) {
      const auto at_ec2 = std::ranges::find(node.enis, eni.id, &EniFact::id);
      if (at_ec2 == node.enis.end()) {
        notes_.Contradiction(
            fmt::format("node {}: {} is in its agent's book, but for EC2 it is not "
                        "attached",
                        node.name, eni.id));
        continue;
      }
      const int64_t given = (*at_ec2)->secondary_ips + 16 * (*at_ec2)->prefixes;
      // With custom networking the primary ENI's addresses are nobody's.
      if (eni.addresses != given && eni.addresses != 0) {
        notes_.Contradiction(
            fmt::format("node {}: {} has {} addresses for pods in its agent's book "
                        "and {} at EC2",
                        node.name, eni.id, eni.addresses, given));
      }
    }
    for (const EniFact* eni : node.enis) {
      if (eni->type == "branch" ||
          std::ranges::find(agent.enis, eni->id, &AgentEniFact::id) != agent.enis.end()) {
        continue;
      }
      notes_.Contradiction(
          fmt::format("node {}: EC2 has attached {}, which is not in its agent's "
                      "book",
                      node.name, eni->id));
    }
  }

  const ClusterFacts& facts_;
  Notes& notes_;
  ImportedNodes joined_;
  std::unordered_map<std::string, const InstanceFact*> by_id_;
  std::unordered_map<std::string, const InstanceFact*> by_name_;
  std::unordered_map<std::string, const InstanceFact*> by_ip_;
  std::unordered_map<std::string, std::vector<const EniFact*>> enis_of_;
  std::unordered_map<std::string, std::vector<const EniFact*>> branches_of_;
  std::map<std::string, int> clusters_;  // nodes of each
};

}  // namespace

ImportedNodes JoinNodes(const ClusterFacts& facts, Notes& notes) {
  return Joiner(facts, notes).Join();
}

}  // namespace cnisim
