#include "sim/cluster/vpc_resource_controller.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/rpc/branch_eni.h"

namespace cnisim {
namespace {

constexpr std::string_view kName = "vpc-resource-controller";
constexpr Duration kLongestBackOff = std::chrono::minutes(1);

// The annotation's fields are those of the controller's ENIDetails.
std::string Annotation(const NetworkInterface& eni, int vlan, Ipv4Cidr subnet) {
  return fmt::format(
      R"([{{"eniId":"{}","ifAddress":"{}","privateIp":"{}","vlanID":{},"subnetCidr":"{}"}}])",
      eni.id, eni.mac.ToString(), eni.primary_ip.ToString(), vlan, subnet.ToString());
}

CreateNetworkInterfaceRequest RequestOf(InterfaceType type, std::string subnet_id) {
  CreateNetworkInterfaceRequest request;
  request.interface_type = type;
  request.subnet_id = std::move(subnet_id);
  request.tags["eks:eni:owner"] = "eks-vpc-resource-controller";
  return request;
}

}  // namespace

VpcResourceController::VpcResourceController(ClusterContext& context, Ec2& ec2, PodStore& pods,
                                             std::function<void()> on_capacity)
    : context_(context),
      ec2_(ec2),
      pods_(pods),
      on_capacity_(std::move(on_capacity)),
      caller_{HashName(kName), kNoEntity, {}},
      client_(ec2, caller_),
      calls_(context.scenario.constants.resource_controller_rate,
             context.scenario.constants.resource_controller_burst),
      associations_(calls_),
      tells_(HasPodsWithBranchEnis(context.scenario)),
      levels_(context.scenario.node_groups.size()) {}

int VpcResourceController::NodeState::FreeVlan() const {
  if (static_cast<int>(vlans.count()) >= node->type().branch_enis) return 0;
  int vlan = kFirstBranchVlan;
  while (vlans.test(static_cast<size_t>(vlan))) ++vlan;  // no type has more than there are VLANs
  return vlan;
}

VpcResourceController::NodeState* VpcResourceController::Find(NodeIndex index) {
  const auto it = nodes_.find(index);
  return it == nodes_.end() ? nullptr : &it->second;
}

Duration VpcResourceController::Sample(const Distribution& distribution) {
  RandomStream stream(KeyedDraw(context_.seed, HashName(kName), HashName("sample"), samples_++), 0,
                      0);
  return distribution.Sample(stream);
}

Duration VpcResourceController::BackOff(int failures) {
  constexpr int kMostDoublings = 10;
  const Duration first = Sample(context_.scenario.constants.resource_controller_back_off);
  return std::min(kLongestBackOff, first * (1 << std::min(failures, kMostDoublings)));
}

Task<void> VpcResourceController::Grant(RateLimiter& limiter) {
  if (context_.warming_up) co_return;
  co_await context_.simulation.SleepUntil(limiter.Reserve(context_.Now()));
}

Task<void> VpcResourceController::PatchKubernetes() {
  if (context_.warming_up) co_return;
  co_await context_.simulation.Sleep(Sample(context_.scenario.constants.resource_controller_patch));
}

void VpcResourceController::Count(int node_group, int change) {
  const auto group = static_cast<size_t>(node_group);
  levels_[group] += change;
  if (context_.observer == nullptr || !tells_) return;
  context_.observer->OnGauge(Metric::kBranchEnis, context_.node_groups[group], context_.Now(),
                             levels_[group]);
}

void VpcResourceController::TellLevels() {
  for (int group = 0; group < static_cast<int>(levels_.size()); ++group) Count(group, 0);
}

// --- Trunk ENIs ---

void VpcResourceController::PatchCniNode(Node& node, const std::vector<CniNodeFeature>& features) {
  // The controller leaves types alone that it does not know, or that cannot have a trunk.
  if (node.type().branch_enis <= 0) return;
  NodeState& state = nodes_[node.index()];
  if (state.node == nullptr) {
    state.node = &node;
    state.subnet = node.config().subnet;
  }
  for (const CniNodeFeature& feature : features) {
    if (feature.name == "CustomNetworking") {
      const auto& configs = context_.scenario.network.eni_configs;
      const auto it = std::ranges::find(configs, feature.value, &EniConfigSpec::name);
      if (it != configs.end()) state.subnet = it->subnet;
    } else if (feature.name == "SecurityGroupsForPods" && !state.wants_trunk) {
      state.wants_trunk = true;
      context_.simulation.Spawn(MakeTrunk(node.index()));
    }
  }
}

Task<void> VpcResourceController::MakeTrunk(NodeIndex index) {
  for (int failures = 0;; ++failures) {
    const bool made = co_await TryTrunk(index);
    if (made) break;
    co_await context_.simulation.Sleep(BackOff(failures));
    if (Find(index) == nullptr) co_return;
  }
  co_await PatchKubernetes();
  if (const NodeState* state = Find(index)) {
    state->node->set_branch_enis(state->node->type().branch_enis);
    on_capacity_();
  }
}

Task<bool> VpcResourceController::TryTrunk(NodeIndex index) {
  const Node& node = *Find(index)->node;
  const std::string instance_id = ec2_.instance_id(*node.instance);
  const std::string subnet_id = ec2_.subnet_id(Find(index)->subnet);
  int device = node.type().eni_limit - 1;
  co_await Grant(calls_);
  const Result<std::vector<int>> used = co_await client_.DescribeInstanceDevices(instance_id, 0);
  if (!used) co_return false;
  // The highest free one, where the agent takes the lowest.
  while (std::ranges::find(*used, device) != used->end()) --device;
  if (device < 0) co_return false;

  co_await Grant(calls_);
  const Result<NetworkInterface> eni =
      co_await client_.CreateNetworkInterface(RequestOf(InterfaceType::kTrunk, subnet_id));
  if (!eni) co_return false;
  const Result<std::string> attachment = co_await AttachTrunk(eni->id, instance_id, device);
  if (attachment) co_await DeleteOnTermination(index, eni->id, *attachment);
  NodeState* state = Find(index);
  if (!attachment || state == nullptr) {
    Branch trunk;
    trunk.eni_id = eni->id;
    Delete(std::move(trunk));
    co_return false;
  }
  state->trunk_id = eni->id;
  co_return true;
}

Task<Result<std::string>> VpcResourceController::AttachTrunk(std::string eni_id,
                                                             std::string instance_id, int device) {
  AttachNetworkInterfaceRequest request;
  request.network_interface_id = eni_id;
  request.instance_id = std::move(instance_id);
  request.device_index = device;
  co_await Grant(calls_);
  Result<std::string> attachment = co_await client_.AttachNetworkInterface(std::move(request));
  if (attachment || attachment.error().code != ec2_error::kEniInUse) co_return attachment;
  // It was attached, but the answer got lost.
  std::vector<std::string> ids{std::move(eni_id)};
  co_await Grant(calls_);
  const Result<std::vector<NetworkInterface>> found =
      co_await client_.DescribeNetworkInterfaces(std::move(ids));
  if (!found) co_return tl::unexpected(found.error());
  co_return found->front().attachment_id;
}

Task<void> VpcResourceController::DeleteOnTermination(NodeIndex index, std::string eni_id,
                                                      std::string attachment_id) {
  ModifyNetworkInterfaceAttributeRequest request;
  request.network_interface_id = std::move(eni_id);
  request.delete_on_termination_of = std::move(attachment_id);
  for (int failures = 0; Find(index) != nullptr; ++failures) {
    co_await Grant(calls_);
    const Status modified = co_await client_.ModifyNetworkInterfaceAttribute(request);
    if (modified) co_return;
    co_await context_.simulation.Sleep(BackOff(failures));
  }
}

// --- Branch ENIs ---

void VpcResourceController::OnPodBound(const Pod& pod) {
  if (!pod.wants_branch_eni) return;
  Job job;
  job.pod = pod.id;
  Submit(std::move(job));
}

void VpcResourceController::OnPodGone(const Pod& pod) {
  NodeState* state = Find(pod.node->index());
  if (state == nullptr) return;
  const auto it = state->of_pods.find(pod.id);
  if (it == state->of_pods.end()) return;
  const NodeIndex node = pod.node->index();
  const TimePoint end =
      context_.Now() + Sample(context_.scenario.constants.resource_controller_cooldown);
  context_.simulation.Call(end, [this, node, eni_id = it->second.eni_id] {
    NodeState* still = Find(node);
    if (still == nullptr) return;
    const auto cooled = std::ranges::find(still->cooling, eni_id, &Branch::eni_id);
    Branch branch = std::move(*cooled);
    still->cooling.erase(cooled);
    Delete(std::move(branch));
  });
  state->cooling.push_back(std::move(it->second));
  state->of_pods.erase(it);
}

void VpcResourceController::OnNodeGone(const Node& node) {
  NodeState* state = Find(node.index());
  if (state == nullptr) return;
  for (Branch& branch : state->cooling) Delete(std::move(branch));
  nodes_.erase(node.index());
}

void VpcResourceController::Delete(Branch branch) {
  Job job;
  job.unwanted = std::move(branch);
  Submit(std::move(job));
}

void VpcResourceController::Submit(Job job) {
  queue_.push_back(std::move(job));
  if (workers_ >= context_.scenario.constants.resource_controller_workers) return;
  ++workers_;
  context_.simulation.Spawn(Work());
}

void VpcResourceController::SubmitAfter(Duration pause, Job job) {
  context_.simulation.Call(context_.Now() + pause,
                           [this, job = std::move(job)]() mutable { Submit(std::move(job)); });
}

void VpcResourceController::TryAgain(Job job) {
  const Duration pause = BackOff(job.failures++);
  SubmitAfter(pause, std::move(job));
}

Task<void> VpcResourceController::Work() {
  while (!queue_.empty()) {
    Job job = std::move(queue_.front());
    queue_.pop_front();
    if (job.unwanted.eni_id.empty()) {
      co_await MakeBranch(std::move(job));
    } else {
      co_await DeleteEni(std::move(job));
    }
  }
  --workers_;
}

Task<void> VpcResourceController::MakeBranch(Job job) {
  const Pod* waiting = pods_.Find(job.pod);
  if (waiting == nullptr) co_return;
  NodeState& state = *Find(waiting->node->index());
  Branch branch;
  branch.node = waiting->node->index();
  branch.node_group = waiting->node->config().node_group;
  branch.vlan = state.FreeVlan();
  if (branch.vlan == 0) {
    // Cooling ones are in the way.
    const Duration cooldown = Sample(context_.scenario.constants.resource_controller_cooldown);
    SubmitAfter(cooldown, std::move(job));
    co_return;
  }
  state.vlans.set(static_cast<size_t>(branch.vlan));
  AssociateTrunkInterfaceRequest association;
  association.trunk_interface_id = state.trunk_id;
  association.vlan_id = branch.vlan;
  const Ipv4Cidr subnet = context_.scenario.vpc.subnets[state.subnet].cidr;
  CreateNetworkInterfaceRequest request =
      RequestOf(InterfaceType::kBranch, ec2_.subnet_id(state.subnet));
  request.security_group_ids =
      context_.scenario.workloads[static_cast<size_t>(waiting->workload)].pod.security_groups;

  co_await Grant(calls_);
  const Result<NetworkInterface> eni = co_await client_.CreateNetworkInterface(std::move(request));
  if (!eni) {
    if (NodeState* still = Find(branch.node)) {
      still->vlans.reset(static_cast<size_t>(branch.vlan));
    }
    TryAgain(std::move(job));
    co_return;
  }
  Count(branch.node_group, 1);
  branch.eni_id = association.branch_interface_id = eni->id;
  co_await Grant(associations_);
  const Status associated = co_await client_.AssociateTrunkInterface(std::move(association));
  if (associated) co_await PatchKubernetes();

  Pod* pod = pods_.Find(job.pod);
  if (!associated || pod == nullptr) {
    Delete(std::move(branch));
    if (pod != nullptr) TryAgain(std::move(job));
    co_return;
  }
  pod->annotations[std::string(kPodEniKey)] = Annotation(*eni, branch.vlan, subnet);
  pod->branch_eni = {eni->id, eni->primary_ip};
  Find(branch.node)->of_pods.emplace(pod->id, std::move(branch));
}

Task<void> VpcResourceController::DeleteEni(Job job) {
  co_await Grant(calls_);
  const Status deleted = co_await client_.DeleteNetworkInterface(job.unwanted.eni_id);
  if (!deleted && deleted.error().code != ec2_error::kEniNotFound) {
    TryAgain(std::move(job));
    co_return;
  }
  const Branch& gone = job.unwanted;
  if (gone.vlan == 0) co_return;
  Count(gone.node_group, -1);
  if (NodeState* state = Find(gone.node)) state->vlans.reset(static_cast<size_t>(gone.vlan));
}

std::vector<std::string> VpcResourceController::CheckInvariants() const {
  std::vector<std::string> wrong;
  for (const auto& [index, state] : nodes_) {
    const std::string& name = state.node->name();
    if (static_cast<int>(state.vlans.count()) > state.node->type().branch_enis) {
      wrong.push_back(name + " has more branch ENIs than its type may");
    }
    const auto check = [&, &vlans = state.vlans](const Branch& branch) {
      const std::optional<BranchPlace> place = ec2_.FindBranch(branch.eni_id);
      if (!place || place->vlan_id != branch.vlan ||
          !vlans.test(static_cast<size_t>(branch.vlan))) {
        wrong.push_back(
            fmt::format("{}: {} is not VLAN {} of the trunk", name, branch.eni_id, branch.vlan));
      }
    };
    for (const auto& [pod, branch] : state.of_pods) check(branch);
    for (const Branch& branch : state.cooling) check(branch);
  }
  return wrong;
}

}  // namespace cnisim
