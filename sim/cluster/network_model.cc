#include "sim/cluster/network_model.h"

#include <algorithm>
#include <utility>

#include "core/routing/vpc_cni_planner.h"

namespace cnisim {
namespace {

// What follows from the scenario's settings, however well everything is done.
bool IsMisconfiguration(ReachabilityProblem problem) {
  switch (problem) {
    case ReachabilityProblem::kPodToPodNat:
    case ReachabilityProblem::kNoRouteAcrossSubnets:
    case ReachabilityProblem::kSourceDestCheck:
    case ReachabilityProblem::kPodMtuTooBig:
    case ReachabilityProblem::kOverlappingPools:
      return true;
    case ReachabilityProblem::kDuplicateAddress:
    case ReachabilityProblem::kPodUnreachable:
    case ReachabilityProblem::kAgentCannotReachPod:
    case ReachabilityProblem::kLeftover:
      break;
  }
  return false;
}

}  // namespace

NetworkModel::NetworkModel(const WorldView& world)
    : world_(world),
      keeps_kernels_(world.scenario().network.plugin == Plugin::kAwsVpcCni),
      fabric_(BlocksOf(world.scenario().vpc), {}),
      reachability_(kernels_, fabric_) {
  if (keeps_kernels_) return;
  for (const IpPoolSpec& pool : world.scenario().network.calico.ip_pools) {
    reachability_.AddPool({pool.name, pool.cidr});
  }
}

bool NetworkModel::ReadyFor(const ClusterPod& pod) {
  FollowChanges();
  if (keeps_kernels_) {
    FindKernel(pod.node);
    return true;
  }
  const std::vector<std::string> nodes = world_.NodeNames();
  if (nodes.size() > kMostReplannedNodes) return false;
  for (const std::string& node : nodes) FindKernel(node);
  return true;
}

void NetworkModel::DetachAll(const std::string& node) {
  std::vector<std::string> links;
  for (const VpcInterface* interface : fabric_.InterfacesOf(node)) links.push_back(interface->link);
  for (const std::string& link : links) fabric_.Detach(node, link);
}

void NetworkModel::FollowChanges() {
  // Addresses go from one to another: first all that they had, then all that they have.
  std::vector<std::string> nodes;
  for (const InstanceIndex instance : std::exchange(changed_, {})) {
    if (auto node = world_.NodeOf(instance)) nodes.push_back(*std::move(node));
  }
  for (const std::string& node : nodes) DetachAll(node);
  for (const std::string& node : nodes) {
    for (VpcInterface& interface : world_.InterfacesOf(node)) fabric_.Attach(std::move(interface));
  }
}

void NetworkModel::FindKernel(const std::string& node) {
  const HostState* kernel = FindNodeKernel(world_, node);
  if (kernel != nullptr) {
    kernels_[node] = kernel;
  } else {
    kernels_.erase(node);
  }
}

void NetworkModel::OnPodConnected(const ClusterPod& pod) {
  reachability_.AddPod(pod);
  if (ReadyFor(pod)) Judge(reachability_.DecideFor(pod));
}

void NetworkModel::OnPodGone(const ClusterPod& pod) {
  reachability_.RemovePod(pod.name);
  // A kernel that is planned anew has nothing left over.
  if (!keeps_kernels_ || !ReadyFor(pod)) return;
  NodeNetwork* network = world_.NetworkOf(pod.node);
  // An agent that is down hears of it later, and cleans up then.
  if (network != nullptr && network->Serving()) Judge(reachability_.DecideFor(pod));
}

void NetworkModel::OnNodeGone(const std::string& node) {
  kernels_.erase(node);
  DetachAll(node);
}

void NetworkModel::DecideAll() {
  FollowChanges();
  for (const std::string& node : world_.NodeNames()) FindKernel(node);
  Judge(reachability_.Decide().findings);
}

bool NetworkModel::IsExternalService(const ReachabilityFinding& finding) const {
  const auto covers = [&](const ClusterPod& to, const std::string& node) {
    const auto kernel = kernels_.find(node);
    if (kernel == kernels_.end()) return false;
    return std::ranges::any_of(kernel->second->net.rules, [&](const Rule& rule) {
      return rule.priority == kExternalServiceRule && rule.to && rule.to->Contains(to.ip);
    });
  };
  return std::ranges::any_of(finding.examples, [&](const auto& pair) {
    const auto from = reachability_.pods().find(pair.first);
    const auto to = reachability_.pods().find(pair.second);
    if (to == reachability_.pods().end()) return false;
    // The answer of a pod to its own node's agent goes the same way.
    return covers(to->second,
                  from != reachability_.pods().end() ? from->second.node : to->second.node);
  });
}

void NetworkModel::Judge(const std::vector<ReachabilityFinding>& found) {
  for (const ReachabilityFinding& finding : found) {
    const bool external = IsExternalService(finding);
    const std::string_view name =
        external ? "external-services-cover-pods" : ReachabilityProblemName(finding.problem);
    if (!external && !IsMisconfiguration(finding.problem)) {
      NodeNetwork* network = world_.NetworkOf(finding.node);
      if (network != nullptr && network->ForgotAddresses()) continue;  // a quirk, told as one
      violations_.push_back(finding.explanation);
    } else if (std::ranges::find(findings_, name, &NetworkFinding::code) == findings_.end()) {
      findings_.push_back({std::string(name), world_.Now(), finding.explanation});
    }
  }
}

std::vector<std::string> NetworkModel::TakeViolations() { return std::exchange(violations_, {}); }

}  // namespace cnisim
