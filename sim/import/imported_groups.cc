#include "sim/import/imported_groups.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "sim/import/imported_names.h"
#include "sim/scenario/pod_placement.h"

namespace cnisim {
namespace {

// Labels that Kubernetes, clouds and tools give nodes of their own accord.
constexpr std::string_view kMachineLabels[] = {
    "kubernetes.io/",
    "beta.kubernetes.io/",
    "node.kubernetes.io/",
    "topology.",
    "failure-domain.beta.",
    "k8s.io/cloud-provider-aws",
    "alpha.eksctl.io/",
    "eks.amazonaws.com/",
    "karpenter.k8s.aws/",
    "karpenter.sh/",
    "vpc.amazonaws.com/",
    "node-role.kubernetes.io/",
    "feature.node.kubernetes.io/",
    "projectcalico.org/",
};
constexpr const char* kZoneLabel = "topology.kubernetes.io/zone";
constexpr const char* kTypeLabel = "node.kubernetes.io/instance-type";

bool IsMachineLabel(const std::string& key) {
  return std::ranges::any_of(kMachineLabels,
                             [&](std::string_view prefix) { return key.starts_with(prefix); });
}

std::string TextAt(const Texts& texts, std::string_view key) {
  const auto it = texts.find(std::string(key));
  return it == texts.end() ? "" : it->second;
}

std::string TaintText(const std::vector<Taint>& taints) {
  std::string text;
  for (const Taint& taint : taints) {
    text += taint.key + '=' + taint.value + ':' + taint.effect + '\n';
  }
  return text;
}

class Grouper {
 public:
  Grouper(const ImportedNodes& nodes, const ImportedVpc& vpc, const ImportedWorkloads& workloads)
      : nodes_(nodes), vpc_(vpc) {
    for (const ImportedWorkload& workload : workloads.workloads) {
      for (const auto& [key, value] : workload.pod.node_selector) wanted_.insert(key);
    }
    wanted_.erase("kubernetes.io/hostname");  // that would be a group a node
    // Those that all nodes share select nothing.
    std::erase_if(wanted_, [&](const std::string& key) {
      return std::ranges::all_of(nodes_.nodes, [&](const ImportedNode& node) {
        return TextAt(node.labels, key) == TextAt(nodes_.nodes.front().labels, key);
      });
    });
  }

  ImportedGroups Group() {
    for (const ImportedNode& node : nodes_.nodes) {
      const Key key = KeyOf(node);
      const auto [it, added] = by_key_.emplace(key, groups_.size());
      if (added) {
        groups_.push_back({Base(node), {}});
      }
      types_of_[Base(node)].insert(node.type);
      zones_of_[Base(node)].insert(node.zone);
      groups_[it->second].nodes.push_back(&node);
    }
    for (const Draft& draft : groups_) Split(draft);
    for (const EksctlGroupFact& empty : nodes_.empty_groups) AddEmpty(empty);
    return std::move(result_);
  }

 private:
  using Key = std::tuple<std::string, std::string, int, std::string, std::string, std::string>;
  struct Draft {
    std::string base;
    std::vector<const ImportedNode*> nodes;
  };

  static std::string Base(const ImportedNode& node) {
    return AsDnsLabel(node.group.empty() ? node.type : node.group, 40);
  }

  Texts LabelsOf(const ImportedNode& node) const {
    Texts labels;
    for (const auto& [key, value] : node.labels) {
      if (key == kZoneLabel || key == kTypeLabel || key == kNodeGroupLabel) continue;
      if (wanted_.contains(key) || !IsMachineLabel(key)) labels[key] = value;
    }
    return labels;
  }

  Key KeyOf(const ImportedNode& node) const {
    std::string labels;
    for (const auto& [key, value] : LabelsOf(node)) labels += key + '=' + value + '\n';
    if (wanted_.contains(kZoneLabel)) labels += node.zone;
    return {Base(node),   node.type, node.max_pods.value_or(-1), labels, TaintText(node.taints),
            node.os_image};
  }

  // As one group if its nodes can have taken its subnets in turn, else one a subnet.
  void Split(const Draft& draft) {
    std::map<size_t, std::vector<const ImportedNode*>> by_subnet;
    for (const ImportedNode* node : draft.nodes) by_subnet[SubnetOf(*node)].push_back(node);
    std::vector<size_t> subnets;
    for (const auto& [subnet, nodes] : by_subnet) subnets.push_back(subnet);
    std::ranges::stable_sort(subnets, std::greater<>(),
                             [&](size_t subnet) { return by_subnet[subnet].size(); });
    const bool even = by_subnet[subnets.front()].size() - by_subnet[subnets.back()].size() <= 1;
    if (even) {
      std::vector<const ImportedNode*> in_turn;
      for (size_t i = 0; in_turn.size() < draft.nodes.size(); ++i) {
        in_turn.push_back(by_subnet[subnets[i % subnets.size()]][i / subnets.size()]);
      }
      Add(draft, "", subnets, std::move(in_turn));
      return;
    }
    std::ranges::sort(subnets);
    for (const size_t subnet : subnets) {
      Add(draft, vpc_.subnets[subnet].name, {subnet}, by_subnet[subnet]);
    }
  }

  size_t SubnetOf(const ImportedNode& node) const { return vpc_.Find(node.subnet).value_or(0); }

  void Add(const Draft& draft, const std::string& suffix, std::vector<size_t> subnets,
           std::vector<const ImportedNode*> nodes) {
    const ImportedNode& first = *nodes.front();
    std::string name = draft.base;
    if (types_of_[draft.base].size() > 1) name += "-" + AsDnsLabel(first.type);
    if (wanted_.contains(kZoneLabel) && zones_of_[draft.base].size() > 1) {
      name += "-" + AsDnsLabel(first.zone);
    }
    if (!suffix.empty()) name += "-" + AsDnsLabel(suffix);
    ImportedGroup group;
    group.name = names_.Take({AsDnsLabel(name, 57)});
    group.type = first.type;
    group.max_pods = first.max_pods;
    group.os_image = first.os_image;
    group.labels = LabelsOf(first);
    group.taints = first.taints;
    group.subnets = std::move(subnets);
    // A maximum is of the whole group.
    if (group.name == draft.base) group.max_size = first.max_size;
    const std::string real = TextAt(first.labels, kNodeGroupLabel);
    if (!real.empty() && real != group.name) group.labels[std::string(kNodeGroupLabel)] = real;
    for (size_t i = 0; i < nodes.size(); ++i) {
      result_.scenario_names[nodes[i]->name] = fmt::format("{}-{}", group.name, i + 1);
    }
    group.nodes = std::move(nodes);
    result_.groups.push_back(std::move(group));
  }

  void AddEmpty(const EksctlGroupFact& empty) {
    ImportedGroup group;
    group.name = names_.Take({AsDnsLabel(empty.name, 57)});
    group.type = empty.instance_type;
    group.max_pods = empty.max_pods;
    group.os_image = empty.ami_family;
    group.max_size = empty.max_size;
    group.labels = empty.labels;
    group.taints = empty.taints;
    for (size_t i = 0; i < vpc_.subnets.size(); ++i) {
      const bool wanted = empty.zones.empty() ||
                          std::ranges::find(empty.zones, vpc_.subnets[i].zone) != empty.zones.end();
      if (wanted) group.subnets.push_back(i);
    }
    if (group.subnets.empty()) group.subnets.push_back(0);
    result_.groups.push_back(std::move(group));
  }

  const ImportedNodes& nodes_;
  const ImportedVpc& vpc_;
  std::set<std::string> wanted_;  // labels that workloads select by and that tell nodes apart
  std::map<Key, size_t> by_key_;
  std::map<std::string, std::set<std::string>> types_of_;  // of a real group
  std::map<std::string, std::set<std::string>> zones_of_;
  std::vector<Draft> groups_;
  UniqueNames names_;
  ImportedGroups result_;
};

}  // namespace

ImportedGroups MakeGroups(const ImportedNodes& nodes, const ImportedVpc& vpc,
                          const ImportedWorkloads& workloads) {
  return Grouper(nodes, vpc, workloads).Group();
}

}  // namespace cnisim
