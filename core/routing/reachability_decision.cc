#include "core/routing/reachability_decision.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/routing/host_distinctions.h"
#include "core/routing/reachability_diagnosis.h"
#include "core/routing/reachability_probe.h"
#include "core/routing/route_lookup.h"

namespace cnisim {
namespace {

// What becomes of packets from some source that come to a host for some pod.
enum class Fate : uint8_t {
  kUnknown,
  kRight,
  kLost,
  kOnward,  // back to the fabric: where to depends on more than was asked
};

// Pods, what they share of the way, and who gives packets to whom.
class WayGraph {
 public:
  enum Kind { kSenders, kHost, kEniOut, kEniIn, kRouter, kSubnet, kHop };

  explicit WayGraph(size_t pods) : pods_(pods), size_(pods) {}

  size_t Vertex(Kind kind, const void* what, int which = 0) {
    const auto [it, added] = vertices_.try_emplace({kind, what, which}, size_);
    if (added) ++size_;
    return it->second;
  }
  void Connect(size_t from, size_t to) { edges_.emplace_back(from, to); }

  // The sizes of the strongly connected components in pods.
  std::vector<int64_t> Islands() const {
    using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
    const Graph graph(edges_.begin(), edges_.end(), size_);
    std::vector<int> component(size_);
    const int count = boost::strong_components(
        graph, boost::make_iterator_property_map(component.begin(),
                                                 boost::get(boost::vertex_index, graph)));
    std::vector<int64_t> islands(count, 0);
    for (size_t pod = 0; pod < pods_; ++pod) ++islands[component[pod]];
    std::erase(islands, 0);
    std::ranges::sort(islands, std::greater<>());
    return islands;
  }

 private:
  size_t pods_;
  size_t size_;
  std::map<std::tuple<Kind, const void*, int>, size_t> vertices_;
  std::vector<std::pair<size_t, size_t>> edges_;
};

class Decision {
 public:
  Decision(const std::map<std::string, const HostState*>& nodes, const VpcFabric& fabric,
           const std::vector<const ClusterPod*>& pods, size_t max_examples)
      : states_(nodes), fabric_(fabric), max_examples_(max_examples), graph_(pods.size()) {
    for (const auto& [name, state] : nodes) {
      node_of_[name] = static_cast<int>(nodes_.size());
      Node& node = nodes_.emplace_back();
      node.name = &name;
      node.state = state;
    }
    for (const ClusterPod* pod : pods) {
      const auto node = node_of_.find(pod->node);
      const int index = node == node_of_.end() ? -1 : node->second;
      if (index >= 0) nodes_[index].pods.push_back(static_cast<int>(pods_.size()));
      pods_.push_back({pod, pod->ip, index});
    }
  }

  ReachabilityReport Run() {
    const auto count = static_cast<int64_t>(pods_.size());
    report_.pairs = count * (count - 1);
    TellApart();
    JudgeReceivers();
    for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
      JudgeLocalPairs(n);
      JudgeRemotePairs(n);
      JudgeAgent(n);
    }
    JudgeHomeless();
    report_.islands = graph_.Islands();
    Explain();
    return std::move(report_);
  }

 private:
  struct Pod {
    const ClusterPod* pod;
    IpAddress ip;
    int node;
  };
  // A region of sources, and one pod of it.
  struct Source {
    int region;
    int example;
  };
  struct Node {
    const std::string* name = nullptr;
    const HostState* state = nullptr;
    std::vector<int> pods;
    AddressRegions destinations;
    AddressRegions sources;
    std::vector<SenderGroup> senders;  // members are positions in `pods`
    std::vector<Source> remote_sources;
  };
  // Other nodes' pods that a node does not tell apart, as ranges of pods.
  struct Target {
    int example = 0;
    int64_t pods = 0;
    std::vector<std::pair<int, int>> ranges;
  };
  // What the fabric does with a pod's address, and the host that it goes to with the packet.
  struct Receiver {
    const VpcInterface* interface = nullptr;
    int node = -1;
    Fate fate = Fate::kUnknown;
    std::vector<Fate> by_source;  // of the node's regions, if they differ
  };
  // A packet of some source to a host by a next hop or a tunnel.
  struct Entrance {
    int id = 0;
    Packet packet;
    std::map<int, Fate> fates;  // of pods
  };
  // Failures with one cause: a cell of the whole decision.
  enum FailureKind { kSending, kReceiving, kChecked, kWalked, kEntering, kLocal, kTooBig, kAgent };
  using FailureKey = std::array<int, 4>;
  struct Failure {
    int64_t pairs = 0;
    std::vector<std::pair<int, int>> examples;
  };

  // ---- What is told apart

  void TellApart() {
    for (const Pod& pod : pods_) inhabited_.push_back(pod.ip);
    for (const Node& node : nodes_) {
      for (const auto& [key, attributes] : node.state->net.addresses) {
        inhabited_.push_back(key.address);
      }
    }
    std::ranges::sort(inhabited_);
    const IsInhabited is_inhabited = [this](const IpCidr& block) {
      const auto at = std::ranges::lower_bound(inhabited_, block.network());
      return at != inhabited_.end() && block.Contains(*at);
    };
    for (Node& node : nodes_) {
      node.destinations =
          DestinationsToldApart(*node.state, fabric_.InterfacesOf(*node.name), is_inhabited);
      node.sources = SourcesToldApart(*node.state, is_inhabited);
      std::vector<SendingPod> sending;
      for (const int p : node.pods)
        sending.push_back({pods_[p].pod->netns, pods_[p].ip, IsTwin(p)});
      node.senders = GroupSenders(*node.state, sending, is_inhabited);
      for (SenderGroup& group : node.senders) {
        for (int& member : group.members) member = node.pods[member];
      }
      node.remote_sources = SourcesOf(node, true);
    }
  }

  bool IsTwin(int p) const {
    const auto same = [&](int other) {
      return other >= 0 && other < static_cast<int>(pods_.size()) && pods_[other].ip == pods_[p].ip;
    };
    return same(p - 1) || same(p + 1);
  }

  // Calls with each region and its range of pods, by address.
  template <typename Function>
  void ForEachRange(const AddressRegions& regions, Function function) const {
    auto begin = pods_.begin();
    const auto& ranges = regions.ranges();
    for (size_t r = 0; r < ranges.size() && begin != pods_.end(); ++r) {
      const auto end =
          r + 1 == ranges.size()
              ? pods_.end()
              : std::lower_bound(begin, pods_.end(), ranges[r + 1].first,
                                 [](const Pod& pod, IpAddress first) { return pod.ip < first; });
      if (begin != end) {
        function(ranges[r].region, static_cast<int>(begin - pods_.begin()),
                 static_cast<int>(end - pods_.begin()));
      }
      begin = end;
    }
  }

  int IndexOf(const Node& node) const { return static_cast<int>(&node - nodes_.data()); }

  std::vector<Source> SourcesOf(const Node& node, bool remote_only) const {
    std::vector<Source> sources;
    std::vector<bool> seen(node.sources.size(), false);
    ForEachRange(node.sources, [&](int region, int begin, int end) {
      for (int p = begin; p < end && !seen[region]; ++p) {
        if (remote_only && pods_[p].node == IndexOf(node)) continue;
        seen[region] = true;
        sources.push_back({region, p});
      }
    });
    return sources;
  }

  std::vector<Target> TargetsOf(const Node& node) const {
    std::vector<Target> targets;
    std::vector<int> target_of(node.destinations.size(), -1);
    ForEachRange(node.destinations, [&](int region, int begin, int end) {
      const auto local =
          std::ranges::lower_bound(node.pods, end) - std::ranges::lower_bound(node.pods, begin);
      const int64_t remote = end - begin - local;
      if (remote == 0) return;
      if (target_of[region] < 0) {
        target_of[region] = static_cast<int>(targets.size());
        Target& target = targets.emplace_back();
        target.example = begin;
        while (pods_[target.example].node == IndexOf(node)) ++target.example;
      }
      Target& target = targets[target_of[region]];
      target.pods += remote;
      target.ranges.emplace_back(begin, end);
    });
    return targets;
  }

  std::vector<int> PodsOf(const Node& node, const Target& target) const {
    std::vector<int> pods;
    pods.reserve(target.pods);
    for (const auto& [begin, end] : target.ranges) {
      for (int p = begin; p < end; ++p) {
        if (pods_[p].node != IndexOf(node)) pods.push_back(p);
      }
    }
    return pods;
  }

  // ---- Walks

  Packet Probe(int from, int to) const { return ProbePacket(pods_[from].ip, pods_[to].ip); }

  using Detail = ForwardingWalk::Detail;

  WalkResult Send(const Fabric& fabric, int from, Packet packet, Detail detail) {
    ++report_.walks;
    ForwardingWalk walk(states_, fabric, detail);
    return walk.Send(pods_[from].pod->node, pods_[from].pod->netns, std::move(packet));
  }

  Fate Enter(const Node& node, const std::string& link, const Packet& packet, int from, int to) {
    ++report_.walks;
    const FabricEdge edge({DropReason::kNone, *node.name, link});
    ForwardingWalk walk(states_, edge, Detail::kEnd);
    const WalkResult result = walk.SendFromOutside(packet);
    if (edge.frame()) return Fate::kOnward;
    return IsRight(result, *pods_[from].pod, *pods_[to].pod) ? Fate::kRight : Fate::kLost;
  }

  // The pairs that nothing else decides.
  void WalkPairs(std::span<const int> senders, int to) {
    for (const int from : senders) {
      if (from == to) continue;
      const WalkResult result = Send(fabric_, from, Probe(from, to), Detail::kEnd);
      if (IsRight(result, *pods_[from].pod, *pods_[to].pod)) {
        graph_.Connect(from, to);
      } else {
        Fail({kWalked, pods_[from].node, to, 0}, std::span(&from, 1), std::span(&to, 1));
      }
    }
  }

  void Fail(const FailureKey& key, std::span<const int> senders, std::span<const int> receivers) {
    if (senders.empty() || receivers.empty()) return;
    Failure& failure = failures_[key];
    failure.pairs += static_cast<int64_t>(senders.size() * receivers.size());
    for (const int from : senders) {
      for (const int to : receivers) {
        if (failure.examples.size() >= std::max<size_t>(max_examples_, 1)) return;
        failure.examples.emplace_back(from, to);
      }
    }
  }

  // ---- Receivers

  // Every pod's last part of the way: from the router to its ENI, its node, its namespace.
  void JudgeReceivers() {
    const size_t router = graph_.Vertex(WayGraph::kRouter, nullptr);
    receivers_.resize(pods_.size());
    for (int to = 0; to < static_cast<int>(pods_.size()); ++to) {
      Receiver& receiver = receivers_[to];
      JudgeReceiver(to, receiver);
      if (receiver.fate != Fate::kRight || !receiver.by_source.empty()) {
        not_right_.push_back(to);
        continue;
      }
      const VpcInterface& interface = *receiver.interface;
      const size_t eni = graph_.Vertex(WayGraph::kEniIn, &interface);
      if (connected_.insert(eni).second) {
        const size_t subnet = SubnetVertex(interface, to);
        if (connected_.insert(subnet).second) graph_.Connect(router, subnet);
        graph_.Connect(subnet, eni);
      }
      graph_.Connect(eni, to);
    }
  }

  size_t SubnetVertex(const VpcInterface& interface, int pod) {
    const auto subnet = std::ranges::find(interface.subnets, pods_[pod].ip.is_v4(), &IpCidr::is_v4);
    const IpCidr cidr = subnet == interface.subnets.end() ? IpCidr() : *subnet;
    return graph_.Vertex(WayGraph::kSubnet, &*subnets_.insert(cidr).first);
  }

  void JudgeReceiver(int to, Receiver& receiver) {
    receiver.fate = Fate::kLost;
    const IpAddress ip = pods_[to].ip;
    receiver.interface = fabric_.HolderOf(ip);
    if (receiver.interface == nullptr || !VpcFabric::PassesCheck(*receiver.interface, ip)) return;
    const auto found = node_of_.find(receiver.interface->node);
    if (found == node_of_.end()) return;
    receiver.node = found->second;
    const Node& node = nodes_[receiver.node];
    // Pods of that node send this way only if the pod is not its own.
    const bool home = receiver.node == pods_[to].node;
    const std::vector<Source> sources = home ? node.remote_sources : SourcesOf(node, false);
    std::vector<Fate> fates(node.sources.size(), Fate::kRight);
    for (const Source& source : sources) {
      fates[source.region] = pods_[source.example].ip == ip
                                 ? Fate::kOnward
                                 : Enter(node, receiver.interface->link, Probe(source.example, to),
                                         source.example, to);
    }
    const auto fate_of = [&](const Source& source) { return fates[source.region]; };
    receiver.fate = sources.empty() ? Fate::kRight : fate_of(sources.front());
    if (!std::ranges::all_of(
            sources, [&](Fate fate) { return fate == receiver.fate; }, fate_of)) {
      receiver.by_source = std::move(fates);
    }
  }

  // ---- Pairs of one node

  void JudgeLocalPairs(int n) {
    const Node& node = nodes_[n];
    const size_t host = graph_.Vertex(WayGraph::kHost, node.state);
    for (const int to : node.pods) {
      // From this rule on, nobody's own rules matter.
      const size_t decided = CommonDecision(*node.state, pods_[to].ip);
      std::map<std::pair<int, bool>, Fate> fates;
      bool all_right = true;
      for (size_t g = 0; g < node.senders.size(); ++g) {
        const SenderGroup& group = node.senders[g];
        std::vector<int> members = group.members;
        std::erase(members, to);
        if (members.empty()) continue;
        const bool own = group.first_own_rule < decided;
        Fate& fate = fates[{own ? static_cast<int>(g) : group.likeness, own}];
        if (fate == Fate::kUnknown) fate = LocalFate(members.front(), to);
        if (fate != Fate::kRight) all_right = false;
        if (fate == Fate::kLost) {
          Fail({kLocal, n, to, static_cast<int>(g)}, members, std::span(&to, 1));
        } else if (fate == Fate::kOnward) {
          WalkPairs(members, to);
        }
      }
      graph_.Connect(to, host);
      if (all_right) graph_.Connect(host, to);
    }
  }

  // The index of the rule that decides about packets to a pod at the latest, whoever sends them.
  static size_t CommonDecision(const HostState& host, IpAddress to) {
    RouteQuery query;
    query.dst = to;
    const Rule* rule = LookUpRoute(host.net, query).rule;
    if (rule == nullptr || rule->mask != 0 || !rule->iif.empty() || !rule->ip_protocol.empty()) {
      return host.net.rules.size();
    }
    return rule - host.net.rules.data();
  }

  Fate LocalFate(int from, int to) {
    const FabricEdge edge;
    const WalkResult result = Send(edge, from, Probe(from, to), Detail::kEnd);
    if (edge.frame()) return Fate::kOnward;
    return IsRight(result, *pods_[from].pod, *pods_[to].pod) ? Fate::kRight : Fate::kLost;
  }

  // ---- Pairs of two nodes

  void JudgeRemotePairs(int n) {
    const std::vector<Target> targets = TargetsOf(nodes_[n]);
    for (size_t g = 0; g < nodes_[n].senders.size(); ++g) {
      Sending sending;
      sending.node = n;
      sending.group = static_cast<int>(g);
      sending.vertex = graph_.Vertex(WayGraph::kSenders, nodes_[n].state, static_cast<int>(g));
      for (size_t t = 0; t < targets.size(); ++t) {
        sending.target = static_cast<int>(t);
        JudgeSending(sending, targets[t]);
      }
    }
  }

  struct Sending {
    int node = 0;
    int group = 0;
    int target = 0;
    size_t vertex = 0;
    std::map<const VpcInterface*, std::vector<int>> passing;  // who gets past an ENI's check
    std::map<std::string, bool> too_big;                      // by the way out
  };

  void FailAll(const Sending& sending, const Target& target) {
    const Node& node = nodes_[sending.node];
    Fail({kSending, sending.node, sending.group, sending.target},
         node.senders[sending.group].members, PodsOf(node, target));
  }

  void JudgeSending(Sending& sending, const Target& target) {
    const Node& node = nodes_[sending.node];
    const SenderGroup& group = node.senders[sending.group];
    const int from = group.members.front();
    const Packet packet = Probe(from, target.example);
    const FabricEdge edge;
    const WalkResult result = Send(edge, from, packet, Detail::kSteps);
    if (!edge.frame() || !result.arrived()) return FailAll(sending, target);
    const FabricFrame& frame = *edge.frame();
    const Packet& sent = result.packet;
    const FlowTuple& carried = sent.inner == nullptr ? sent.tuple : sent.inner->packet.tuple;
    if (sent.inner != nullptr && sent.inner->packet.inner != nullptr) {
      // A tunnel in a tunnel: nobody wants that, but it may arrive.
      for (const int to : PodsOf(node, target)) WalkPairs(group.members, to);
      return;
    }
    if (carried != packet.tuple) return FailAll(sending, target);
    JudgeSize(sending, target, result);
    if (sent.inner != nullptr) {
      const FabricVerdict verdict = fabric_.Carry(frame);
      const auto to = node_of_.find(verdict.node);
      if (verdict.dropped != DropReason::kNone || to == node_of_.end()) {
        return FailAll(sending, target);
      }
      return JudgeEntering(sending, target, group.members, to->second, verdict.link, sent);
    }
    const VpcInterface* interface = fabric_.Find(frame.node, frame.link);
    if (interface == nullptr) return FailAll(sending, target);
    const std::vector<int>& passing = Passing(sending, group, *interface, node, target);
    if (passing.empty()) return;
    switch (VpcFabric::NextHopOf(*interface, frame)) {
      case VpcFabric::NextHop::kNobody:
        return FailPassing(sending, passing, PodsOf(node, target));
      case VpcFabric::NextHop::kDestination:
        return JudgeRouted(sending, target, passing, *interface);
      case VpcFabric::NextHop::kVia:
        break;
    }
    const VpcInterface* hop = fabric_.HolderOf(frame.via);
    const auto to = hop == nullptr ? node_of_.end() : node_of_.find(hop->node);
    if (to == node_of_.end()) return FailPassing(sending, passing, PodsOf(node, target));
    if (hop->source_dest_check) {
      // It takes in only what the fabric would have given it.
      std::vector<int> refused = PodsOf(node, target);
      const auto accepted = std::ranges::partition(
          refused, [&](int p) { return !VpcFabric::PassesCheck(*hop, pods_[p].ip); });
      for (const int p : accepted) WalkPairs(passing, p);
      refused.erase(accepted.begin(), accepted.end());
      std::ranges::sort(refused);
      return FailPassing(sending, passing, refused);
    }
    JudgeEntering(sending, target, passing, to->second, hop->link, sent);
  }

  void FailPassing(const Sending& sending, std::span<const int> passing,
                   std::span<const int> receivers) {
    Fail({kSending, sending.node, sending.group, sending.target}, passing, receivers);
  }

  // Which of a group's members an ENI lets out. The others fail here.
  const std::vector<int>& Passing(Sending& sending, const SenderGroup& group,
                                  const VpcInterface& interface, const Node& node,
                                  const Target& target) {
    const auto [it, added] = sending.passing.try_emplace(&interface);
    std::vector<int>& passing = it->second;
    if (added) {
      std::ranges::copy_if(group.members, std::back_inserter(passing),
                           [&](int p) { return VpcFabric::PassesCheck(interface, pods_[p].ip); });
    }
    if (passing.size() < group.members.size()) {
      const std::vector<int> receivers = PodsOf(node, target);
      for (const int p : group.members) {
        if (VpcFabric::PassesCheck(interface, pods_[p].ip)) continue;
        Fail({kChecked, p, 0, 0}, std::span(&p, 1), receivers);
      }
    }
    return passing;
  }

  // The fabric gives the packets to whoever has the destination: that was judged for each pod.
  void JudgeRouted(const Sending& sending, const Target& target, const std::vector<int>& senders,
                   const VpcInterface& interface) {
    const size_t eni = graph_.Vertex(WayGraph::kEniOut, &interface);
    if (connected_.insert(eni).second) {
      graph_.Connect(eni, graph_.Vertex(WayGraph::kRouter, nullptr));
    }
    ConnectSenders(sending, senders, eni);
    for (const auto& [begin, end] : target.ranges) {
      auto at = std::ranges::lower_bound(not_right_, begin);
      for (; at != not_right_.end() && *at < end; ++at) {
        const int to = *at;
        if (pods_[to].node == sending.node) continue;
        const Receiver& receiver = receivers_[to];
        for (const int from : senders) {
          const Fate fate =
              receiver.by_source.empty()
                  ? receiver.fate
                  : receiver.by_source[nodes_[receiver.node].sources.RegionOf(pods_[from].ip)];
          if (fate == Fate::kLost) {
            Fail({kReceiving, to, 0, 0}, std::span(&from, 1), std::span(&to, 1));
          } else if (fate == Fate::kOnward) {
            WalkPairs(std::span(&from, 1), to);
          }
        }
      }
    }
  }

  // A group's packets come to a host that may not be the pods', by a next hop or a tunnel.
  void JudgeEntering(const Sending& sending, const Target& target, const std::vector<int>& senders,
                     int n, const std::string& link, const Packet& packet) {
    const Node& node = nodes_[n];
    std::map<int, std::vector<int>> by_source;
    if (node.remote_sources.size() == 1) {
      by_source[node.remote_sources.front().region] = senders;
    } else {
      for (const int p : senders) by_source[node.sources.RegionOf(pods_[p].ip)].push_back(p);
    }
    const std::vector<int> receivers = PodsOf(nodes_[sending.node], target);
    for (const auto& [region, members] : by_source) {
      Entrance& entrance = EntranceTo(n, link, packet, region);
      const size_t hop = graph_.Vertex(WayGraph::kHop, node.state, entrance.id);
      bool any_right = false;
      for (const int to : receivers) {
        Fate fate = Fate::kOnward;
        // Pods elsewhere: the host passes the packet on, and who knows what then.
        if (pods_[to].node == n) {
          Fate& known = entrance.fates[to];
          if (known == Fate::kUnknown) {
            known = EnterBy(node, link, packet, members.front(), to);
            if (known == Fate::kRight) graph_.Connect(hop, to);
          }
          fate = known;
        }
        if (fate == Fate::kRight) any_right = true;
        if (fate == Fate::kLost) {
          Fail({kEntering, n, entrance.id, to}, members, std::span(&to, 1));
        } else if (fate == Fate::kOnward) {
          WalkPairs(members, to);
        }
      }
      if (any_right) ConnectSenders(sending, members, hop);
    }
  }

  Entrance& EntranceTo(int n, const std::string& link, const Packet& packet, int region) {
    const bool tunnel = packet.inner != nullptr;
    const std::tuple key(
        n, link, region, tunnel, tunnel ? nodes_[n].sources.RegionOf(packet.tuple.src) : 0,
        tunnel ? packet.tuple.dst : IpAddress(), tunnel ? packet.inner->tunnel : LinkType::kVeth,
        tunnel ? packet.inner->vni : 0, tunnel ? packet.inner->mac : MacAddress());
    Entrance& entrance = entrances_[key];
    if (entrance.id == 0) entrance.id = static_cast<int>(entrances_.size());
    return entrance;
  }

  Fate EnterBy(const Node& node, const std::string& link, const Packet& sent, int from, int to) {
    Packet packet = Probe(from, to);
    if (sent.inner != nullptr) {
      Encapsulated inner = *sent.inner;
      inner.packet.tuple = packet.tuple;
      packet = sent;
      packet.inner = std::make_shared<const Encapsulated>(std::move(inner));
    }
    return Enter(node, link, packet, from, to);
  }

  void ConnectSenders(const Sending& sending, const std::vector<int>& senders, size_t way) {
    // A whole group goes by a vertex of its own.
    if (senders.size() == nodes_[sending.node].senders[sending.group].members.size()) {
      if (connected_.insert(sending.vertex).second) {
        for (const int p : senders) graph_.Connect(p, sending.vertex);
      }
      if (ways_.insert({sending.vertex, way}).second) graph_.Connect(sending.vertex, way);
      return;
    }
    for (const int p : senders) {
      if (ways_.insert({p, way}).second) graph_.Connect(p, way);
    }
  }

  // Whether as big a packet as the pod may send gets out of the node in one piece.
  void JudgeSize(Sending& sending, const Target& target, const WalkResult& way) {
    const Node& node = nodes_[sending.node];
    const std::vector<int>& members = node.senders[sending.group].members;
    std::string route;
    for (const WalkStep& step : way.steps) {
      if (!step.route) continue;
      fmt::format_to(std::back_inserter(route), "{} {} ", step.route->value.dev,
                     step.route->value.mtu);
    }
    const auto [it, added] = sending.too_big.try_emplace(route, false);
    if (added) {
      ++report_.walks;
      it->second = !FitsTheWay(states_, *pods_[members.front()].pod, pods_[target.example].ip);
    }
    if (it->second) {
      Fail({kTooBig, sending.node, sending.group, 0}, members, PodsOf(node, target));
    }
  }

  // ---- Agents, and pods without a node

  void JudgeAgent(int n) {
    const Node& node = nodes_[n];
    for (const int p : node.pods) {
      report_.walks += 2;
      if (!WalkAgent(states_, fabric_, *pods_[p].pod).right) {
        Fail({kAgent, p, 0, 0}, std::span(&p, 1), std::span(&p, 1));
      }
    }
  }

  // Its node does not exist: it reaches nobody, and is reached by nobody.
  void JudgeHomeless() {
    for (int p = 0; p < static_cast<int>(pods_.size()); ++p) {
      if (pods_[p].node >= 0) continue;
      std::vector<int> others;
      for (int other = 0; other < static_cast<int>(pods_.size()); ++other) {
        if (other != p) others.push_back(other);
      }
      Fail({kSending, -1, p, 0}, std::span(&p, 1), others);
    }
  }

  // ---- Findings

  void Explain() {
    std::map<std::tuple<ReachabilityProblem, std::string, std::string>, size_t> known;
    for (const auto& [key, failure] : failures_) {
      const auto& [from, to] = failure.examples.front();
      const bool agent = key[0] == kAgent;
      const Diagnosis diagnosis = agent ? DiagnoseAgent(states_, fabric_, *pods_[to].pod)
                                        : DiagnosePair(key[0] == kTooBig, from, to);
      if (key[0] != kTooBig && !agent) report_.unreachable += failure.pairs;
      const auto [it, added] = known.try_emplace(
          {diagnosis.problem, diagnosis.node, diagnosis.cause}, report_.findings.size());
      if (added) {
        ReachabilityFinding& finding = report_.findings.emplace_back();
        finding.problem = diagnosis.problem;
        finding.reason = diagnosis.reason;
        finding.node = diagnosis.node;
        finding.explanation = diagnosis.cause;
      }
      ReachabilityFinding& finding = report_.findings[it->second];
      finding.pairs += failure.pairs;
      for (const auto& [a, b] : failure.examples) {
        if (finding.examples.size() >= max_examples_) break;
        finding.examples.emplace_back(agent ? "" : pods_[a].pod->name, pods_[b].pod->name);
      }
    }
  }

  Diagnosis DiagnosePair(bool too_big, int from, int to) {
    const WalkResult walk =
        Send(fabric_, from,
             too_big ? FullProbePacket(states_, *pods_[from].pod, pods_[to].ip) : Probe(from, to),
             Detail::kSteps);
    return Diagnose(states_, fabric_, *pods_[from].pod, *pods_[to].pod, walk);
  }

  const std::map<std::string, const HostState*>& states_;
  const VpcFabric& fabric_;
  size_t max_examples_;
  std::vector<Pod> pods_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, int> node_of_;
  std::vector<IpAddress> inhabited_;
  std::vector<Receiver> receivers_;
  std::vector<int> not_right_;  // receivers, ascending
  std::map<std::tuple<int, std::string, int, bool, int, IpAddress, LinkType, int, MacAddress>,
           Entrance>
      entrances_;
  WayGraph graph_;
  std::set<size_t> connected_;
  std::set<std::pair<size_t, size_t>> ways_;
  std::set<IpCidr> subnets_;
  std::map<FailureKey, Failure> failures_;
  ReachabilityReport report_;
};

}  // namespace

ReachabilityReport DecideCluster(const std::map<std::string, const HostState*>& nodes,
                                 const VpcFabric& fabric,
                                 const std::vector<const ClusterPod*>& pods, size_t max_examples) {
  return Decision(nodes, fabric, pods, max_examples).Run();
}

}  // namespace cnisim
