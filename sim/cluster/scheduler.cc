#include "sim/cluster/scheduler.h"

#include <algorithm>
#include <numeric>

namespace cnisim {

Scheduler::Scheduler(ClusterContext& context, PodStore& pods, std::function<void(Pod&)> bind)
    : context_(context),
      pods_(pods),
      bind_(std::move(bind)),
      rate_(context.scenario.constants.scheduler_rate, 1),
      by_pods_(context.scenario.node_groups.size()),
      all_groups_(by_pods_.size()) {
  std::iota(all_groups_.begin(), all_groups_.end(), 0);
}

void Scheduler::AddNode(Node& node) {
  if (nodes_.size() <= node.index()) nodes_.resize(node.index() + 1, nullptr);
  nodes_[node.index()] = &node;
  node.schedulable = true;
  Index(node);
  RetryLater();
}

void Scheduler::RemoveNode(Node& node) {
  if (!node.schedulable) return;
  Unindex(node);
  node.schedulable = false;
  nodes_[node.index()] = nullptr;
}

void Scheduler::Index(Node& node) {
  if (node.pod_slots_used() < node.config().max_pods) {
    by_pods_[static_cast<size_t>(node.config().node_group)].emplace(node.pod_slots_used(),
                                                                    node.index());
  }
}

void Scheduler::Unindex(Node& node) {
  by_pods_[static_cast<size_t>(node.config().node_group)].erase(
      {node.pod_slots_used(), node.index()});
}

void Scheduler::Submit(Pod& pod) {
  queue_.push_back(pod.id);
  PumpLater();
}

bool Scheduler::BindTo(Pod& pod, Node& node) {
  if (!node.Fits(pod)) return false;
  if (node.schedulable) Unindex(node);
  node.AddPod(pod);
  if (node.schedulable) Index(node);
  pod.scheduled = context_.Now();
  bind_(pod);
  return true;
}

void Scheduler::Release(Pod& pod) {
  Node& node = *pod.node;
  if (node.schedulable) Unindex(node);
  node.RemovePod(pod);
  if (node.schedulable) {
    Index(node);
    RetryLater();
  }
}

void Scheduler::Forget(Pod& pod) {
  // Pods in the queue are looked up when their turn comes; the others are counted.
  const auto it = std::ranges::find(unschedulable_, pod.id);
  if (it == unschedulable_.end()) return;
  unschedulable_.erase(it);
  pods_.CountUnschedulable(-1);
}

void Scheduler::PumpLater() {
  if (pumping_ || queue_.empty()) return;
  pumping_ = true;
  const TimePoint at = context_.warming_up ? context_.Now() : rate_.Reserve(context_.Now());
  context_.simulation.Call(at, [this] { Pump(); });
}

void Scheduler::Pump() {
  pumping_ = false;
  const PodId id = queue_.front();
  queue_.pop_front();
  Pod* pod = pods_.Find(id);
  if (pod != nullptr && pod->phase == PodPhase::kPending) Place(*pod);
  PumpLater();
}

void Scheduler::Place(Pod& pod) {
  Node* node = Choose(pod);
  if (node == nullptr) {
    unschedulable_.push_back(pod.id);
    pods_.CountUnschedulable(1);
    return;
  }
  BindTo(pod, *node);
}

void Scheduler::RetryLater() {
  // kube-scheduler moves pods from its back-off queue to the active one so often.
  constexpr Duration kRetryPause = std::chrono::seconds(1);
  if (retrying_ || unschedulable_.empty()) return;
  retrying_ = true;
  context_.simulation.Call(context_.Now() + kRetryPause, [this] {
    retrying_ = false;
    // A pod that asks for at least as much as one that was just refused would be refused too.
    std::deque<PodId> waiting;
    waiting.swap(unschedulable_);
    struct Request {
      const std::vector<int>* node_groups;
      int64_t cpu_milli;
      int64_t memory_mib;
      bool branch_eni;
    };
    std::vector<Request> refused;
    for (const PodId id : waiting) {
      Pod* pod = pods_.Find(id);
      if (pod == nullptr || pod->phase != PodPhase::kPending) continue;
      const std::vector<int>& groups = GroupsOf(*pod);
      const bool hopeless = std::ranges::any_of(refused, [&](const Request& r) {
        return *r.node_groups == groups && pod->cpu_milli >= r.cpu_milli &&
               pod->memory_mib >= r.memory_mib && pod->wants_branch_eni >= r.branch_eni;
      });
      if (hopeless || Choose(*pod) == nullptr) {
        if (!hopeless) {
          refused.push_back({&groups, pod->cpu_milli, pod->memory_mib, pod->wants_branch_eni});
        }
        unschedulable_.push_back(id);
        continue;
      }
      pods_.CountUnschedulable(-1);
      Submit(*pod);
    }
  });
}

const std::vector<int>& Scheduler::GroupsOf(const Pod& pod) const {
  const PodTemplate& spec = context_.scenario.workloads[static_cast<size_t>(pod.workload)].pod;
  return spec.node_groups ? *spec.node_groups : all_groups_;
}

Node* Scheduler::FindNode(int node_group, std::string_view name) const {
  const auto it = std::ranges::find_if(nodes_, [&](const Node* node) {
    return node != nullptr && node->config().node_group == node_group && node->name() == name;
  });
  return it == nodes_.end() ? nullptr : *it;
}

Node* Scheduler::Choose(const Pod& pod) const {
  const bool spread = context_.scenario.scheduler.placement == Placement::kSpread;
  Node* best = nullptr;
  for (const int group : GroupsOf(pod)) {
    Node* node = ChooseIn(group, pod);
    if (node == nullptr) continue;
    const bool better =
        best == nullptr || (spread ? node->pod_slots_used() < best->pod_slots_used()
                                   : node->pod_slots_used() > best->pod_slots_used());
    if (better) best = node;
  }
  return best;
}

Node* Scheduler::ChooseIn(int node_group, const Pod& pod) const {
  const auto& nodes = by_pods_[static_cast<size_t>(node_group)];
  const auto fits = [&](const std::pair<int, uint32_t>& entry) {
    return nodes_[entry.second]->Fits(pod);
  };
  if (context_.scenario.scheduler.placement == Placement::kSpread) {
    const auto it = std::ranges::find_if(nodes, fits);
    return it == nodes.end() ? nullptr : nodes_[it->second];
  }
  // From the fullest down; among equally full ones the oldest first.
  auto end = nodes.end();
  while (end != nodes.begin()) {
    const int pods = std::prev(end)->first;
    const auto begin = nodes.lower_bound({pods, 0});
    const auto it = std::find_if(begin, end, fits);
    if (it != end) return nodes_[it->second];
    end = begin;
  }
  return nullptr;
}

}  // namespace cnisim
