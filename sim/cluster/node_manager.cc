#include "sim/cluster/node_manager.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cluster/network_model.h"

namespace cnisim {
namespace {

constexpr Duration kLaunchRetry = std::chrono::seconds(60);  // an Auto Scaling group's next attempt
constexpr Duration kDrainCheck = std::chrono::seconds(1);
constexpr Duration kRollOutCheck = std::chrono::seconds(1);
// The aws-node DaemonSet's updateStrategy: rollingUpdate, maxUnavailable 10% (manifest of
// amazon-vpc-cni-k8s v1.23.1); Kubernetes rounds up.
constexpr size_t kRollOutParts = 10;
// Nodes of a settled start begin at different times, so that their loops are out of step.
constexpr int64_t kStartSpreadMs = 65000;

}  // namespace

NodeManager::NodeManager(ClusterContext& context, Ec2& ec2, NetworkFactory& networks,
                         WorkloadController& workloads,
                         std::function<EntityId(EntityKind, std::string_view, EntityId)> new_entity)
    : context_(context),
      ec2_(ec2),
      networks_(networks),
      workloads_(workloads),
      new_entity_(std::move(new_entity)),
      groups_(context.scenario.node_groups.size()) {}

void NodeManager::Start() {
  for (int g = 0; g < static_cast<int>(groups_.size()); ++g) {
    Scale(g, context_.scenario.node_groups[static_cast<size_t>(g)].desired_capacity);
  }
}

void NodeManager::Scale(int node_group, int desired_capacity) {
  Group& group = groups_[static_cast<size_t>(node_group)];
  group.desired = desired_capacity;
  while (static_cast<int>(group.members.size()) < desired_capacity) Launch(node_group);
  while (static_cast<int>(group.members.size()) > desired_capacity) {
    Node* youngest = group.members.back();
    group.members.pop_back();
    Drain(*youngest);
  }
}

NodeConfig NodeManager::Configure(int node_group) {
  const NodeGroupSpec& spec = context_.scenario.node_groups[static_cast<size_t>(node_group)];
  const auto number = static_cast<size_t>(groups_[static_cast<size_t>(node_group)].launched++);
  NodeConfig config;
  config.index = static_cast<uint32_t>(nodes_.size());
  config.node_group = node_group;
  config.name = fmt::format("{}-{}", spec.name, number + 1);
  config.entity = new_entity_(EntityKind::kNode, config.name,
                              context_.node_groups[static_cast<size_t>(node_group)]);
  const NodeSpec* listed = number < spec.nodes.size() ? &spec.nodes[number] : nullptr;
  config.type = FindInstanceType(listed != nullptr ? listed->instance_type : spec.instance_type);
  config.cpu_milli = listed != nullptr ? listed->cpu_milli : config.type->vcpu * int64_t{1000};
  config.memory_mib = listed != nullptr ? listed->memory_mib : config.type->memory_mib;
  config.max_pods = spec.max_pods ? *spec.max_pods : networks_.MaxPods(*config.type);
  config.subnet = static_cast<size_t>(spec.subnets[number % spec.subnets.size()]);
  return config;
}

void NodeManager::Launch(int node_group) {
  NodeConfig config = Configure(node_group);
  Node& node = *nodes_.emplace_back(std::make_unique<Node>(context_, std::move(config)));
  groups_[static_cast<size_t>(node_group)].members.push_back(&node);
  node.joined = std::max(context_.Now(), kTimeZero);
  node.flow = Boot(node);
  node.flow.Start();
}

// In the node's own subnet, or else in another one of its group, as an Auto Scaling group would.
bool NodeManager::LaunchInstance(Node& node) {
  const std::vector<int>& subnets =
      context_.scenario.node_groups[static_cast<size_t>(node.config().node_group)].subnets;
  const auto first = std::ranges::find(subnets, static_cast<int>(node.config().subnet));
  for (size_t i = 0; i < subnets.size(); ++i) {
    const auto at = static_cast<size_t>(first - subnets.begin()) + i;
    const auto subnet = static_cast<size_t>(subnets[at % subnets.size()]);
    const Result<InstanceIndex> instance =
        ec2_.AddInstance(node.name(), node.type(), subnet, node.entity());
    if (!instance) continue;
    node.set_subnet(subnet);
    node.instance = *instance;
    node.network = networks_.MakeNetwork(node);
    return true;
  }
  return false;
}

Task<void> NodeManager::Boot(Node& node) {
  Simulation& simulation = context_.simulation;
  const Constants& constants = context_.scenario.constants;
  if (context_.warming_up) {
    const uint64_t draw = KeyedDraw(context_.seed, HashName(node.name()), HashName("start"), 0);
    co_await simulation.Sleep(std::chrono::milliseconds(
        static_cast<int64_t>(draw % static_cast<uint64_t>(kStartSpreadMs))));
  }
  bool told = false;
  while (!LaunchInstance(node)) {
    if (!told) {
      context_.TellFinding("node-launch-failed", Severity::kError,
                           node.name() +
                               " cannot launch: no subnet of its node group has an "
                               "address left; tried again every 60 s");
      told = true;
    }
    co_await simulation.Sleep(kLaunchRetry);
  }
  if (!context_.warming_up) {
    co_await simulation.Sleep(node.Sample(constants.node_boot, "boot"));
    node.booted = true;
    const bool aws = context_.scenario.network.plugin == Plugin::kAwsVpcCni;
    co_await simulation.Sleep(
        node.Sample(aws ? constants.node_agent_start : constants.calico_start, "agent"));
  }
  node.booted = true;
  node.network->Start([this, &node] { OnNetworkReady(node); });
}

void NodeManager::OnNetworkReady(Node& node) {
  if (node.ready) return;  // a restarted agent: the conflist was there all the time
  // This comes from within the plugin; go on from an event of the node's own.
  context_.simulation.Call(context_.Now(), [this, index = node.index()] {
    if (nodes_[index] == nullptr) return;
    Node& booted = *nodes_[index];
    booted.flow = BecomeReady(booted);
    booted.flow.Start();
  });
}

Task<void> NodeManager::BecomeReady(Node& node) {
  if (!context_.warming_up) {
    co_await context_.simulation.Sleep(
        node.Sample(context_.scenario.constants.node_ready_delay, "ready"));
  }
  const TimePoint now = context_.Now();
  node.ready = std::max(now, kTimeZero);
  ++ready_;
  TellReady();
  if (context_.observer != nullptr) {
    context_.observer->OnSample(Metric::kNodeReadySeconds,
                                context_.node_groups[static_cast<size_t>(node.config().node_group)],
                                now, now - node.joined, false);
  }
  if (node.draining) co_return;
  const auto group = static_cast<size_t>(node.config().node_group);
  if (const auto& lifetime = context_.scenario.node_groups[group].node_lifetime) {
    const TimePoint from = std::max(now, kTimeZero);
    context_.simulation.Call(from + node.Sample(*lifetime, "lifetime"),
                             [this, index = node.index()] { Replace(index); });
  }
  workloads_.scheduler().AddNode(node);
  workloads_.OnNodeReady(node);
}

void NodeManager::Drain(Node& node) {
  node.draining = true;
  workloads_.scheduler().RemoveNode(node);
  const std::vector<Pod*> pods = node.pods();
  for (Pod* pod : pods) workloads_.Delete(*pod);
  Node* draining = &node;
  context_.simulation.Spawn(TerminateWhenEmpty(*draining));
}

Task<void> NodeManager::TerminateWhenEmpty(Node& node) {
  while (!node.pods().empty()) co_await context_.simulation.Sleep(kDrainCheck);
  node.flow = Task<void>();
  if (node.network != nullptr) node.network->Stop();
  if (node.ready) {
    --ready_;
    TellReady();
  }
  TellNode(node, /*removed=*/true);
  node.network.reset();
  if (context_.network_model != nullptr) context_.network_model->OnNodeGone(node.name());
  networks_.OnNodeGone(node);
  if (node.instance) ec2_.RemoveInstance(*node.instance);
  nodes_[node.index()].reset();
}

void NodeManager::Replace(uint32_t index) {
  if (nodes_[index] == nullptr || nodes_[index]->draining) return;
  Node& node = *nodes_[index];
  const int group = node.config().node_group;
  std::erase(groups_[static_cast<size_t>(group)].members, &node);
  // The machine is interrupted: whatever its agent was doing stays as it is.
  node.network->Stop();
  Drain(node);
  Scale(group, groups_[static_cast<size_t>(group)].desired);
}

void NodeManager::RollOut() {
  roll_out_ = RestartAgents();
  roll_out_.Start();
}

Task<void> NodeManager::RestartAgents() {
  std::vector<uint32_t> waiting;
  for (const auto& node : nodes_) {
    if (node != nullptr && node->network != nullptr && node->ready)
      waiting.push_back(node->index());
  }
  const size_t at_once = (waiting.size() + kRollOutParts - 1) / kRollOutParts;
  std::vector<uint32_t> restarting;
  const auto done = [this](uint32_t index) {
    const auto& node = nodes_[index];
    return node == nullptr || node->draining || node->network->Serving();
  };
  size_t next = 0;
  while (next < waiting.size() || !restarting.empty()) {
    while (next < waiting.size() && restarting.size() < at_once) {
      const uint32_t index = waiting[next++];
      if (nodes_[index] == nullptr || nodes_[index]->draining) continue;
      nodes_[index]->network->Restart();
      restarting.push_back(index);
    }
    co_await context_.simulation.Sleep(kRollOutCheck);
    std::erase_if(restarting, done);
  }
}

void NodeManager::RestartAgent(const std::string& node) {
  const auto it = std::ranges::find_if(
      nodes_, [&](const auto& n) { return n != nullptr && n->name() == node; });
  if (it == nodes_.end() || (*it)->network == nullptr || !(*it)->ready || (*it)->draining) {
    context_.TellFinding("restart-without-agent", Severity::kWarning,
                         "no agent runs on " + node + " when its restart is due");
    return;
  }
  (*it)->network->Restart();
}

void NodeManager::TellReady() {
  if (context_.observer != nullptr) {
    context_.observer->OnGauge(Metric::kNodesReady, kClusterEntity, context_.Now(), ready_);
  }
}

void NodeManager::TellAtStart() {
  TellReady();
  for (const auto& node : nodes_) {
    if (node->network != nullptr) node->network->Tell();
  }
}

void NodeManager::TellNode(const Node& node, bool removed) {
  if (context_.observer == nullptr) return;
  NodeRecord record;
  record.node = node.entity();
  record.instance_type = node.type().name;
  record.zone = context_.scenario.vpc.subnets[node.config().subnet].availability_zone;
  record.subnet = context_.subnets[node.config().subnet];
  record.max_pods = node.config().max_pods;
  record.joined = node.joined;
  record.ready = node.ready;
  if (removed) record.removed = context_.Now();
  context_.observer->OnNode(record);
}

void NodeManager::TellRemaining() {
  for (const auto& node : nodes_) {
    if (node == nullptr) continue;
    if (node->network != nullptr) {
      node->network->Tell();
      node->network->TellPages();
    }
    TellNode(*node, /*removed=*/false);
  }
}

void NodeManager::StopFlows() {
  roll_out_ = Task<void>();
  for (const auto& node : nodes_) {
    if (node == nullptr) continue;
    node->flow = Task<void>();
    node->network.reset();
  }
}

}  // namespace cnisim
