#include "sim/import/imported_workloads.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "sim/import/imported_names.h"

namespace cnisim {
namespace {

bool Ended(const PodFact& pod) { return pod.phase == "Succeeded" || pod.phase == "Failed"; }

struct Owner {
  std::string kind;
  std::string ns;
  std::string name;

  friend auto operator<=>(const Owner&, const Owner&) = default;
};

class Joiner {
 public:
  Joiner(const ClusterFacts& facts, const ImportedNodes& nodes, Notes& notes)
      : facts_(facts), notes_(notes), nodes_known_(!nodes.nodes.empty()) {
    for (const ImportedNode& node : nodes.nodes) nodes_.insert(node.name);
    for (const NodeFact& node : facts.nodes) listed_.insert(node.name);
    for (const WorkloadFact& workload : facts.workloads) {
      if (workload.owner.empty()) continue;
      owners_[{workload.kind, workload.ns, workload.name}] = {workload.owner_kind, workload.ns,
                                                              workload.owner};
    }
  }

  ImportedWorkloads Join() {
    for (const WorkloadFact& fact : facts_.workloads) AddWorkload(fact);
    for (const PodFact& pod : facts_.pods) AddPod(pod);
    FindPlugin();
    TellStrayPods();
    LeaveOut();
    for (auto& [owner, index] : by_owner_) Finish(owner, joined_.workloads[index]);
    std::erase_if(joined_.workloads,
                  [](const ImportedWorkload& workload) { return workload.real_name.empty(); });
    for (ImportedWorkload& workload : joined_.workloads) {
      // Names of Kubernetes may have dots; a scenario's are DNS labels.
      workload.name =
          names_.Take({AsDnsLabel(workload.real_name, kLongestName),
                       AsDnsLabel(workload.ns + "-" + workload.real_name, kLongestName)});
    }
    return std::move(joined_);
  }

 private:
  static constexpr size_t kLongestName = 57;  // pods' numbers follow

  ImportedWorkload& WorkloadOf(const Owner& owner, const PodSpecFact& spec) {
    const auto [it, added] = by_owner_.emplace(owner, joined_.workloads.size());
    if (added) {
      ImportedWorkload workload;
      workload.kind = owner.kind;
      workload.ns = owner.ns.empty() ? "default" : owner.ns;
      workload.real_name = owner.name;
      workload.pod = spec;
      joined_.workloads.push_back(std::move(workload));
    }
    return joined_.workloads[it->second];
  }

  void AddWorkload(const WorkloadFact& fact) {
    if (!fact.owner.empty()) return;  // its owner is the workload
    if (fact.kind == "ReplicaSet" && fact.replicas == 0) return;
    if (fact.kind == "Job" || fact.kind == "CronJob") return;  // its pods tell what there is
    ImportedWorkload& workload = WorkloadOf({fact.kind, fact.ns, fact.name}, fact.pod);
    workload.replicas = fact.replicas;
    wanted_[{fact.kind, fact.ns, fact.name}] = fact.replicas;
  }

  // Whoever makes pods like this one.
  Owner OwnerOf(const PodFact& pod) const {
    if (pod.owner.empty() || pod.owner_kind == "Node") return {"", pod.ns, pod.name};
    Owner owner{pod.owner_kind, pod.ns, pod.owner};
    for (auto it = owners_.find(owner); it != owners_.end(); it = owners_.find(owner)) {
      owner = it->second;
    }
    const auto hash = pod.spec.labels.find("pod-template-hash");
    if (owner.kind == "ReplicaSet" && hash != pod.spec.labels.end() &&
        owner.name.ends_with("-" + hash->second)) {
      owner.kind = "Deployment";
      owner.name.resize(owner.name.size() - hash->second.size() - 1);
    }
    return owner;
  }

  void AddPod(const PodFact& pod) {
    if (Ended(pod)) return;
    if (pod.deleting) {
      deleting_.push_back(pod.ns + "/" + pod.name);
      return;
    }
    if (nodes_known_ && !pod.node.empty() && !nodes_.contains(pod.node)) {
      // Nodes that were left out take their pods along.
      if (!listed_.contains(pod.node)) stray_[pod.node].push_back(pod.ns + "/" + pod.name);
      if (listed_.contains(pod.node)) return;
    }
    ImportedWorkload& workload = WorkloadOf(OwnerOf(pod), pod.spec);
    workload.pods_known = true;
    if (!pod.node.empty() && nodes_.contains(pod.node)) ++workload.pods_on[pod.node];
    ++pods_of_[&workload - joined_.workloads.data()];
    if (workload.security_groups.empty() && !pod.branch_eni.empty()) {
      const auto eni = facts_.enis.find(pod.branch_eni);
      if (eni != facts_.enis.end()) workload.security_groups = eni->second.groups;
    }
  }

  void TellStrayPods() {
    for (const auto& [node, pods] : stray_) {
      notes_.Contradiction(fmt::format(
          "{} on node {}, which is not among the nodes: {}",
          CountOf(pods.size(), "pod") + (pods.size() == 1 ? " is" : " are"), node, SomeOf(pods)));
    }
  }

  const ImportedWorkload* FindAgent(const char* name) const {
    const auto it = std::ranges::find_if(joined_.workloads, [&](const ImportedWorkload& w) {
      return w.kind == "DaemonSet" && w.real_name == name;
    });
    return it == joined_.workloads.end() ? nullptr : &*it;
  }

  // The spec outlives the workload list: it is the facts'.
  const PodSpecFact* SpecOf(const char* name) const {
    for (const WorkloadFact& fact : facts_.workloads) {
      if (fact.kind == "DaemonSet" && fact.name == name) return &fact.pod;
    }
    for (const PodFact& pod : facts_.pods) {
      if (pod.owner_kind == "DaemonSet" && pod.owner == name) return &pod.spec;
    }
    return nullptr;
  }

  void FindPlugin() {
    joined_.aws_node = SpecOf("aws-node");
    joined_.calico_node = SpecOf("calico-node");
    joined_.calico = joined_.aws_node == nullptr && joined_.calico_node != nullptr;
    if (joined_.aws_node == nullptr && joined_.calico_node == nullptr) {
      joined_.plugin_comment = notes_.Unknown(
          "the network plugin (DaemonSets aws-node or calico-node of kube-system)", "the VPC CNI");
    }
    if (joined_.aws_node != nullptr && joined_.calico_node != nullptr) {
      notes_.LeftOut(
          "Calico's network policies beside the VPC CNI (its calico-node is a DaemonSet "
          "like others)");
    }
  }

  void LeaveOut() {
    if (!deleting_.empty()) {
      notes_.LeftOut(
          fmt::format("{} being deleted: {}", CountOf(deleting_.size(), "pod"), SomeOf(deleting_)));
    }
    for (const char* name : {"aws-node", "kube-proxy", "calico-node"}) {
      const ImportedWorkload* agent = FindAgent(name);
      if (agent == nullptr || (std::string_view(name) == "calico-node" && !joined_.calico))
        continue;
      joined_.workloads[static_cast<size_t>(agent - joined_.workloads.data())].real_name.clear();
    }
    std::vector<std::string> jobs;
    for (const WorkloadFact& fact : facts_.workloads) {
      if (fact.kind == "CronJob") jobs.push_back(fact.ns + "/" + fact.name);
    }
    if (!jobs.empty()) {
      notes_.LeftOut(
          fmt::format("{}, as nothing tells how long their pods run; write them "
                      "as workloads of kind CronJob with activeFor: {}",
                      CountOf(jobs.size(), "CronJob"), SomeOf(jobs)));
    }
  }

  void Finish(const Owner& owner, ImportedWorkload& workload) {
    if (workload.real_name.empty()) return;
    const auto index = &workload - joined_.workloads.data();
    const auto counted = pods_of_.find(index);
    const int there = counted == pods_of_.end() ? 0 : counted->second;
    const auto wanted = wanted_.find(owner);
    const std::string name = workload.FullName();
    workload.pods_known = facts_.Has("Pod");
    if (wanted == wanted_.end()) {
      workload.replicas = there;
    } else if (workload.pods_known && workload.kind != "DaemonSet" && wanted->second != there) {
      notes_.Contradiction(fmt::format("{} wants {} replicas, and {} of its pods are there", name,
                                       wanted->second, there));
      workload.replicas = std::max(wanted->second, there);
    }
    if (workload.kind.empty()) workload.replicas_comment = "  # a pod that nobody owns";
    if (workload.kind == "Job" || workload.kind == "CronJob") {
      workload.replicas_comment =
          notes_.Unknown(fmt::format("how long pods of {} still run", name), "for good");
    } else if (!workload.kind.empty() && workload.kind != "Deployment" &&
               workload.kind != "DaemonSet") {
      workload.replicas_comment = fmt::format("  # a {}", workload.kind);
    }
    FindSecurityGroups(workload);
  }

  void FindSecurityGroups(ImportedWorkload& workload) {
    for (const SecurityGroupPolicyFact& policy : facts_.policies) {
      if (policy.ns != workload.ns) continue;
      if (policy.account_labels && !policy.pod_labels) {
        notes_.LeftOut(fmt::format("SecurityGroupPolicy {}/{}, which selects service accounts",
                                   policy.ns, policy.name));
        continue;
      }
      if (!policy.pod_labels) continue;
      const bool selects = std::ranges::all_of(*policy.pod_labels, [&](const auto& label) {
        const auto it = workload.pod.labels.find(label.first);
        return it != workload.pod.labels.end() && it->second == label.second;
      });
      if (selects) workload.security_groups = policy.groups;
    }
  }

  const ClusterFacts& facts_;
  Notes& notes_;
  const bool nodes_known_;
  std::unordered_set<std::string> nodes_;
  std::unordered_set<std::string> listed_;  // by kubectl
  std::map<Owner, Owner> owners_;
  std::map<Owner, size_t> by_owner_;
  std::map<Owner, int> wanted_;  // replicas of their specs
  std::map<std::ptrdiff_t, int> pods_of_;
  std::map<std::string, std::vector<std::string>> stray_;  // pods by a node that is not there
  std::vector<std::string> deleting_;
  UniqueNames names_;
  ImportedWorkloads joined_;
};

}  // namespace

ImportedWorkloads JoinWorkloads(const ClusterFacts& facts, const ImportedNodes& nodes,
                                Notes& notes) {
  return Joiner(facts, nodes, notes).Join();
}

}  // namespace cnisim
