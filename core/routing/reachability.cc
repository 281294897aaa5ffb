#include "core/routing/reachability.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/net/format.h"
#include "core/routing/host_distinctions.h"
#include "core/routing/reachability_decision.h"
#include "core/routing/reachability_diagnosis.h"
#include "core/routing/reachability_probe.h"
#include "core/routing/render.h"

namespace cnisim {
namespace {

bool Overlap(const IpCidr& a, const IpCidr& b) {
  return a.Contains(b.network()) || b.Contains(a.network());
}

}  // namespace

std::string_view ReachabilityProblemName(ReachabilityProblem problem) {
  switch (problem) {
    case ReachabilityProblem::kDuplicateAddress:
      return "duplicate-address";
    case ReachabilityProblem::kPodUnreachable:
      return "pod-unreachable";
    case ReachabilityProblem::kPodToPodNat:
      return "pod-to-pod-nat";
    case ReachabilityProblem::kAgentCannotReachPod:
      return "agent-cannot-reach-pod";
    case ReachabilityProblem::kNoRouteAcrossSubnets:
      return "no-route-across-subnets";
    case ReachabilityProblem::kSourceDestCheck:
      return "source-dest-check";
    case ReachabilityProblem::kPodMtuTooBig:
      return "pod-mtu-too-big";
    case ReachabilityProblem::kOverlappingPools:
      return "overlapping-pools";
    case ReachabilityProblem::kLeftover:
      return "leftover";
  }
  return "";
}

void Reachability::AddPod(const ClusterPod& pod) {
  RemovePod(pod.name);
  pods_[pod.name] = pod;
  by_address_.emplace(pod.ip, pod.name);
  by_node_[pod.node].insert(pod.name);
}

void Reachability::RemovePod(const std::string& name) {
  const auto found = pods_.find(name);
  if (found == pods_.end()) return;
  by_address_.erase({found->second.ip, name});
  by_node_[found->second.node].erase(name);
  pods_.erase(found);
}

ReachabilityReport Reachability::Decide(size_t max_examples) const {
  std::vector<const ClusterPod*> pods;
  pods.reserve(pods_.size());
  for (const auto& [ip, name] : by_address_) pods.push_back(&pods_.at(name));
  ReachabilityReport report = DecideCluster(nodes_, fabric_, pods, max_examples);
  std::vector<ReachabilityFinding> findings = OverlappingPools();
  for (size_t i = 0; i < pods.size(); ++i) {
    const bool first = i == 0 || pods[i - 1]->ip != pods[i]->ip;
    if (first) DuplicatesOf(*pods[i], findings);
  }
  report.findings.insert(report.findings.begin(), findings.begin(), findings.end());
  return report;
}

void Reachability::DuplicatesOf(const ClusterPod& pod,
                                std::vector<ReachabilityFinding>& findings) const {
  ReachabilityFinding finding;
  finding.problem = ReachabilityProblem::kDuplicateAddress;
  std::string others;
  for (auto it = by_address_.lower_bound({pod.ip, ""});
       it != by_address_.end() && it->first == pod.ip; ++it) {
    if (it->second == pod.name) continue;
    const ClusterPod& other = pods_.at(it->second);
    finding.examples.emplace_back(pod.name, other.name);
    others += fmt::format(" and {} on {}", other.name, other.node);
  }
  if (finding.examples.empty()) return;
  finding.node = pod.node;
  finding.pairs = static_cast<int64_t>(finding.examples.size());
  finding.explanation = fmt::format(
      "{} on {}{} have the same address {}: delete all but one, and look for an address "
      "that was given out again too early.",
      pod.name, pod.node, others, pod.ip);
  findings.push_back(std::move(finding));
}

std::vector<ReachabilityFinding> Reachability::OverlappingPools() const {
  std::vector<ReachabilityFinding> findings;
  const auto check = [&](const PodPool& pool, std::string_view what, const IpCidr& cidr) {
    if (!Overlap(pool.cidr, cidr)) return;
    ReachabilityFinding& finding = findings.emplace_back();
    finding.problem = ReachabilityProblem::kOverlappingPools;
    finding.explanation = fmt::format(
        "Pool {} ({}) overlaps {} {}: an address may mean a pod or something else. Give "
        "the pool a block of its own.",
        pool.name, pool.cidr, what, cidr);
  };
  if (pools_.empty()) return findings;
  const std::set<IpCidr> subnets = fabric_.Subnets();
  for (size_t i = 0; i < pools_.size(); ++i) {
    for (size_t j = i + 1; j < pools_.size(); ++j) {
      check(pools_[i], fmt::format("pool {}", pools_[j].name), pools_[j].cidr);
    }
    for (const IpCidr& cidr : fabric_.cidrs()) check(pools_[i], "the VPC's", cidr);
    for (const IpCidr& cidr : subnets) check(pools_[i], "the subnet", cidr);
  }
  return findings;
}

std::vector<ReachabilityFinding> Reachability::DecideFor(const ClusterPod& pod) const {
  std::vector<ReachabilityFinding> findings;
  const auto host = nodes_.find(pod.node);
  if (host == nodes_.end()) return findings;
  if (!pods_.contains(pod.name)) {
    LeftoversOf(pod, *host->second, findings);
    return findings;
  }
  DuplicatesOf(pod, findings);
  const auto add = [&](Diagnosis diagnosis, const std::string& from, const std::string& to) {
    const auto known = std::ranges::find_if(findings, [&](const ReachabilityFinding& finding) {
      return finding.problem == diagnosis.problem && finding.explanation == diagnosis.cause;
    });
    ReachabilityFinding& finding = known == findings.end() ? findings.emplace_back() : *known;
    finding.problem = diagnosis.problem;
    finding.reason = diagnosis.reason;
    finding.node = std::move(diagnosis.node);
    finding.explanation = std::move(diagnosis.cause);
    ++finding.pairs;
    finding.examples.emplace_back(from, to);
  };
  const auto walk = [&](const ClusterPod& from, const Packet& packet) {
    ForwardingWalk walk(nodes_, fabric_);
    return walk.Send(from.node, from.netns, packet);
  };
  const auto judge = [&](const ClusterPod& from, const ClusterPod& to) {
    const WalkResult result = walk(from, ProbePacket(from.ip, to.ip));
    if (IsRight(result, from, to)) return true;
    add(Diagnose(nodes_, fabric_, from, to, result), from.name, to.name);
    return false;
  };
  if (!WalkAgent(nodes_, fabric_, pod).right) {
    add(DiagnoseAgent(nodes_, fabric_, pod), "", pod.name);
  }
  for (const std::string& name : by_node_.at(pod.node)) {
    if (name == pod.name) continue;
    const ClusterPod& other = pods_.at(name);
    judge(pod, other);
    judge(other, pod);
  }
  for (const ClusterPod* other : ExamplesElsewhere(pod.node, *host->second)) {
    if (judge(pod, *other) && !FitsTheWay(nodes_, pod, other->ip)) {
      const Packet packet = FullProbePacket(nodes_, pod, other->ip);
      add(Diagnose(nodes_, fabric_, pod, *other, walk(pod, packet)), pod.name, other->name);
    }
    judge(*other, pod);
  }
  return findings;
}

// One pod of each region of other nodes' pods that the node tells apart as a destination.
std::vector<const ClusterPod*> Reachability::ExamplesElsewhere(const std::string& node,
                                                               const HostState& host) const {
  const IsInhabited is_inhabited = [this](const IpCidr& block) {
    const auto at = by_address_.lower_bound({block.network(), ""});
    return at != by_address_.end() && block.Contains(at->first);
  };
  const AddressRegions regions =
      DestinationsToldApart(host, fabric_.InterfacesOf(node), is_inhabited);
  std::vector<const ClusterPod*> examples;
  std::vector<bool> seen(regions.size(), false);
  const auto& ranges = regions.ranges();
  for (size_t r = 0; r < ranges.size(); ++r) {
    if (seen[ranges[r].region]) continue;
    auto it = by_address_.lower_bound({ranges[r].first, ""});
    for (; it != by_address_.end(); ++it) {
      if (r + 1 < ranges.size() && it->first >= ranges[r + 1].first) break;
      const ClusterPod& pod = pods_.at(it->second);
      if (pod.node == node) continue;
      examples.push_back(&pod);
      seen[ranges[r].region] = true;
      break;
    }
  }
  return examples;
}

// Entries of a pod that is gone would catch the next one with its address.
void Reachability::LeftoversOf(const ClusterPod& pod, const HostState& host,
                               std::vector<ReachabilityFinding>& findings) const {
  // Another pod of the node may have the address by now.
  for (auto it = by_address_.lower_bound({pod.ip, ""});
       it != by_address_.end() && it->first == pod.ip; ++it) {
    if (pods_.at(it->second).node == pod.node) return;
  }
  const IpCidr own(pod.ip);
  const auto add = [&](std::string entry) {
    ReachabilityFinding& finding = findings.emplace_back();
    finding.problem = ReachabilityProblem::kLeftover;
    finding.node = pod.node;
    finding.explanation = fmt::format(
        "{} still has \"{}\" of {}, which is gone: remove it, or the next pod with its "
        "address is cut off.",
        pod.node, entry, pod.name);
  };
  for (const Rule& rule : host.net.rules) {
    if (rule.from == own || rule.to == own) add(RuleInSentence(rule));
  }
  for (const auto& [key, route] : host.net.routes) {
    if (key.destination == own) add(RouteInSentence(key, route));
  }
  if (host.pods.contains(pod.netns)) add("namespace " + pod.netns);
}

}  // namespace cnisim
