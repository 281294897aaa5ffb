#include "core/routing/reachability_diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/net/format.h"
#include "core/routing/reachability_probe.h"
#include "core/routing/render.h"
#include "core/routing/route_lookup.h"

namespace cnisim {
namespace {

std::string NameOf(const ClusterPod& pod) {
  return pod.netns.empty() ? fmt::format("the agent of {}", pod.node)
                           : fmt::format("{} ({} on {})", pod.name, pod.ip, pod.node);
}

// The steps that tell where a packet was last.
struct Trail {
  const WalkStep* lookup = nullptr;       // the last
  const WalkStep* transmit = nullptr;     // the last
  const WalkStep* encapsulate = nullptr;  // the one that it was lost in
  const WalkStep* filter = nullptr;       // the last with an effect
  const WalkStep* translate = nullptr;    // the first that changed the source
  const WalkStep* fragment = nullptr;
};

Trail Follow(const WalkResult& walk) {
  Trail trail;
  const WalkStep* before = nullptr;
  for (const WalkStep& step : walk.steps) {
    switch (step.kind) {
      case WalkStep::Kind::kLookup:
        trail.lookup = &step;
        break;
      case WalkStep::Kind::kTransmit:
        trail.transmit = &step;
        break;
      case WalkStep::Kind::kEncapsulate:
        trail.encapsulate = &step;
        break;
      case WalkStep::Kind::kDecapsulate:
        trail.encapsulate = nullptr;
        break;
      case WalkStep::Kind::kNetfilter:
        if (step.table->effects.empty()) break;
        trail.filter = &step;
        if (before != nullptr && before->packet.src != step.packet.src &&
            trail.translate == nullptr && trail.encapsulate == nullptr) {
          trail.translate = &step;
        }
        break;
      case WalkStep::Kind::kFragment:
        trail.fragment = &step;
        break;
      case WalkStep::Kind::kDelivered:
      case WalkStep::Kind::kDropped:
        break;
    }
    before = &step;
  }
  return trail;
}

class Detective {
 public:
  Detective(const std::map<std::string, const HostState*>& nodes, const VpcFabric& fabric,
            const ClusterPod& from, const ClusterPod& to, const WalkResult& walk)
      : nodes_(nodes), fabric_(fabric), from_(from), to_(to), walk_(walk), trail_(Follow(walk)) {}

  Diagnosis Run() {
    found_.reason = walk_.dropped;
    found_.node = walk_.node;
    if (trail_.lookup != nullptr && found_.node.empty()) found_.node = trail_.lookup->node;
    if (nodes_.find(from_.node) == nodes_.end()) {
      found_.node = from_.node;
      Say("Node {} of pod {} does not exist.", from_.node, NameOf(from_));
    } else if (trail_.translate != nullptr && !from_.netns.empty()) {
      Translated();
    } else if (walk_.arrived()) {
      Arrived();
    } else {
      Dropped();
    }
    return std::move(found_);
  }

 private:
  template <typename... Args>
  void Say(fmt::format_string<Args...> text, Args&&... args) {
    found_.cause = fmt::format(text, std::forward<Args>(args)...);
  }

  const HostState* StateOf(const std::string& node) const {
    const auto found = nodes_.find(node);
    return found == nodes_.end() ? nullptr : found->second;
  }

  // "rule 1536: from 10.0.0.51 lookup 2 and default via ...".
  std::string Deciding() const {
    if (trail_.lookup == nullptr || !trail_.lookup->rule) return "no rule";
    std::string text = fmt::format("rule {}", RuleText(*trail_.lookup->rule));
    if (trail_.lookup->route) text += fmt::format(" with route {}", RouteText());
    return text;
  }
  std::string RouteText() const {
    const RouteEntry& route = *trail_.lookup->route;
    return fmt::format("\"{}\"", RouteInSentence(route.key, route.value));
  }
  static std::string RuleText(const Rule& rule) {
    return fmt::format("\"{}\"", RuleInSentence(rule));
  }

  void Translated() {
    found_.problem = ReachabilityProblem::kPodToPodNat;
    const WalkStep& step = *trail_.translate;
    found_.node = step.node;
    Say("{} translates pods' packets to pods: {} gives them the source {}, so network policies, "
        "security groups and logs see another one. Except the pods' blocks from translation (the "
        "VPC's CIDRs or AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS; the IP pools).",
        step.node, fmt::format("\"{}\"", Ending(step)), step.packet.src);
  }
  static std::string Ending(const WalkStep& step) { return step.table->effects.back(); }

  void Arrived() {
    if (trail_.fragment != nullptr && IsRight(walk_, from_, to_)) return TooBig(*trail_.fragment);
    if (walk_.node.empty()) {
      found_.node = trail_.transmit->node;
      Say("{} sends what is for {} out of the VPC by {}: nobody inside has the address. Assign it "
          "to an ENI, or route it to the pod's node.",
          found_.node, NameOf(to_), Deciding());
      return;
    }
    if (walk_.packet.tuple.dst != to_.ip) {
      Say("{} translates the destination {} to {}; remove the translation.", walk_.node, to_.ip,
          walk_.packet.tuple.dst);
      return;
    }
    const std::string who = walk_.netns.empty() ? fmt::format("node {} itself", walk_.node)
                                                : fmt::format("{} on {}", walk_.netns, walk_.node);
    found_.node = walk_.node;
    Say("{} receives what is for {}, by {}. The address is in use twice, or the entry is a "
        "leftover: remove it.",
        who, NameOf(to_), Deciding());
  }

  void TooBig(const WalkStep& step) {
    found_.problem = ReachabilityProblem::kPodMtuTooBig;
    found_.node = step.node;
    const WalkStep& sent = walk_.steps.front();
    const HostState* host = StateOf(step.node);
    int mtu = 0;
    std::string dev = step.dev;
    if (trail_.lookup->route) {
      dev = trail_.lookup->route->value.dev;
      mtu = trail_.lookup->route->value.mtu;
    }
    if (host != nullptr) {
      const auto link = host->net.links.find(dev);
      if (link != host->net.links.end() && (mtu == 0 || link->second.mtu < mtu)) {
        mtu = link->second.mtu;
      }
    }
    Say("Pods of {} may send packets of {} bytes, but {} carries {}{}: the packets are {}. Lower "
        "the pods' MTU by what the tunnel adds (VXLAN 50, IP-in-IP 20), and make the pods anew.",
        from_.node, sent.size, dev, mtu,
        trail_.encapsulate == nullptr ? "" : " with the tunnel's header",
        step.kind == WalkStep::Kind::kFragment ? "cut" : "lost");
  }

  void Dropped() {
    switch (walk_.dropped) {
      case DropReason::kNone:
      case DropReason::kPacketTooBig:
        return TooBig(walk_.steps.back());
      case DropReason::kSourceCheck:
        return SourceCheck();
      case DropReason::kDestinationCheck:
        return DestinationCheck();
      case DropReason::kUnknownDestination:
        return UnknownDestination();
      case DropReason::kNoNeighbour:
        return NoNeighbour();
      case DropReason::kWrongNeighbour:
        return WrongNeighbour();
      case DropReason::kNoFdbEntry:
        return NoFdbEntry();
      case DropReason::kFiltered:
        Say("A chain of {} drops it: {}. Accept what is between pods, and tunnels from all nodes.",
            walk_.node, trail_.filter == nullptr ? "" : Ending(*trail_.filter));
        return;
      case DropReason::kNoDevice:
        return NoDevice();
      case DropReason::kNoRoute:
      case DropReason::kBlackhole:
      case DropReason::kNotReceived:
      case DropReason::kHopLimit:
        return Misrouted();
    }
  }

  // ---- What a pod's own node must have for it

  // The host's end of the pod's veth; empty if there is none.
  static std::string VethOf(const HostState& host, const ClusterPod& pod) {
    for (const auto& [name, link] : host.net.links) {
      if (link.type == LinkType::kVeth && link.peer_netns == pod.netns) return name;
    }
    return "";
  }

  // What the node lacks to hand the pod its packets, and the remedy; empty if it lacks nothing.
  std::string MissingFor(const ClusterPod& pod) const {
    const HostState* host = StateOf(pod.node);
    if (host == nullptr || pod.netns.empty()) return "";
    const std::string veth = VethOf(*host, pod);
    if (veth.empty())
      return fmt::format("{} has no link to {}; add the pod anew", pod.node, pod.name);
    std::vector<int> tables;
    for (const auto& [key, route] : host->net.routes) {
      if (key.destination == IpCidr(pod.ip) && route.dev == veth) tables.push_back(key.table);
    }
    if (tables.empty()) {
      return fmt::format("{} has no route to {} by {}: add \"{} dev {} scope link\"", pod.node,
                         NameOf(pod), veth, pod.ip, veth);
    }
    const RouteLookup lookup = LookUpFor(*host, pod, tables);
    if (lookup.rule == nullptr || std::ranges::find(tables, lookup.rule->table) == tables.end()) {
      const std::string table = TableName(tables.front());
      const bool in_main = tables.front() == kMainTable;
      return fmt::format(
          "{} has no rule by which packets to {} get to table {}, where its route is"
          ": add {}",
          pod.node, NameOf(pod), table,
          in_main ? fmt::format("\"512: from all to {} lookup main\"", pod.ip)
                  : fmt::format("\"10: from all iif ... lookup {}\" for its VLAN and "
                                "its veth",
                                table));
    }
    if (lookup.route == nullptr || lookup.route->dev != veth) {
      return fmt::format(
          "{} routes {} otherwise than to {}: replace it by \"{} dev {} scope link\"", pod.node,
          NameOf(pod), veth, pod.ip, veth);
    }
    return "";
  }

  // Of a packet by the way that it came, or by the VPC: pods of one node may have to use that. The
  // one that finds a table with the pod's route, else the first.
  RouteLookup LookUpFor(const HostState& host, const ClusterPod& pod,
                        const std::vector<int>& tables) const {
    std::vector<std::string> interfaces;
    if (from_.node == pod.node) {
      interfaces.push_back(from_.netns.empty() ? "" : VethOf(host, from_));
    }
    const VpcInterface* holder = fabric_.HolderOf(pod.ip);
    if (holder != nullptr) interfaces.push_back(holder->link);
    if (interfaces.empty()) interfaces.push_back("");
    std::vector<RouteLookup> lookups;
    for (const std::string& interface : interfaces) {
      RouteQuery query;
      query.dst = pod.ip;
      query.src = from_.netns.empty() ? walk_.packet.tuple.src : from_.ip;
      query.iif = interface;
      lookups.push_back(LookUpRoute(host.net, query));
    }
    const auto right = std::ranges::find_if(lookups, [&](const RouteLookup& lookup) {
      return lookup.rule != nullptr &&
             std::ranges::find(tables, lookup.rule->table) != tables.end();
    });
    return right == lookups.end() ? lookups.front() : *right;
  }

  // Where the receiver's node lost it: by what it lacks, else as the lookup went.
  void Misrouted() {
    if (found_.node == to_.node) {
      const std::string missing = MissingFor(to_);
      if (!missing.empty()) {
        Say("{}. Packets to the pod end by {}.", missing, Deciding());
        return;
      }
    }
    const std::string place = walk_.netns.empty() ? walk_.node : walk_.netns + " on " + walk_.node;
    switch (walk_.dropped) {
      case DropReason::kNoRoute:
        if (!walk_.netns.empty()) {
          Say("{} has no route: add its gateway and the default route, or make it anew.", place);
        } else {
          Say("{} has no route to {}: add one to its node {}.", place, NameOf(to_), to_.node);
        }
        return;
      case DropReason::kBlackhole:
        Say("{} drops what is for {} by {}: replace it by a route to the pod's node {}.", place,
            NameOf(to_), Deciding(), to_.node);
        return;
      case DropReason::kHopLimit:
        Say("{} passes what is for {} around in a circle by {}: route it to the pod's node {}.",
            place, NameOf(to_), Deciding(), to_.node);
        return;
      default:
        if (trail_.encapsulate != nullptr && walk_.netns.empty()) {
          Say("{} gets a tunnel's packet for {}, but has no such tunnel: make the device, or "
              "remove "
              "the entry that points there.",
              place, NameOf(to_));
        } else {
          Say("{} gets what is for {} by {}, but does not have the address: remove the entry, or "
              "add the address.",
              place, NameOf(to_), Deciding());
        }
    }
  }

  // ---- The fabric

  void SourceCheck() {
    const IpAddress src = walk_.packet.tuple.src;
    const std::string node = trail_.transmit->node;
    const std::string& dev = trail_.transmit->dev;
    found_.node = node;
    const VpcInterface* holder = fabric_.HolderOf(src);
    if (holder == nullptr) {
      if (ByDefault() && to_.node != node) return NoRouteToNode();
      found_.problem = ReachabilityProblem::kSourceDestCheck;
      Say("The source/destination check of {}'s {} drops packets with pods' addresses: disable the "
          "check, or encapsulate.",
          node, dev);
      return;
    }
    if (node != from_.node || holder->node != node) {
      // It came here for a pod, and was sent back out.
      const std::string missing = node == to_.node ? MissingFor(to_) : "";
      if (!missing.empty()) {
        Say("{}. By {} they go back to the VPC, which drops them.", missing, Deciding());
      } else {
        Say("{} sends packets of {} out of {}, but the VPC has that address on {}'s {}, and drops "
            "them: {} decides. Correct the route, or the ENI's addresses.",
            node, NameOf(from_), dev, holder->node, holder->link, Deciding());
      }
      return;
    }
    const std::string missing = to_.node == node ? MissingFor(to_) : "";
    if (!missing.empty()) {
      Say("{}. By {} they go to the VPC.", missing, Deciding());
      return;
    }
    WrongEni(*holder, dev);
  }

  // The pod's packets leave by another ENI than that which has its address.
  void WrongEni(const VpcInterface& holder, const std::string& dev) {
    const HostState& host = *StateOf(holder.node);
    const int table = TableOf(host, holder.link);
    const auto rule = std::ranges::find_if(
        host.net.rules, [&](const Rule& one) { return one.from == IpCidr(from_.ip); });
    const std::string remedy =
        table == 0 ? fmt::format("add the table of {} with its default route", holder.link)
        : table == kMainTable
            ? std::string("remove the rule")
            : fmt::format("add \"1536: from {} lookup {}\"", from_.ip, TableName(table));
    if (rule != host.net.rules.end() && table != 0 && rule->table != table) {
      Say("{}: rule {} names the wrong table, {}'s is {}: {}. Its packets leave by {}, whose "
          "source check drops them.",
          NameOf(from_), RuleText(*rule), holder.link, TableName(table), remedy, dev);
    } else if (rule != host.net.rules.end()) {
      Say("{}: {} sends its packets to {}, not to {}, which has its address: correct table {}.",
          NameOf(from_), Deciding(), dev, holder.link, TableName(rule->table));
    } else {
      Say("{}: its rule to the table of {} is missing: {}. By {} its packets leave by {}, whose "
          "source check drops them.",
          NameOf(from_), holder.link, remedy, Deciding(), dev);
    }
  }

  // The table whose default route is by that link; 0 if none.
  static int TableOf(const HostState& host, const std::string& link) {
    for (const auto& [key, route] : host.net.routes) {
      if (key.destination.length() == 0 && route.dev == link) return key.table;
    }
    return 0;
  }

  void DestinationCheck() {
    const VpcInterface* holder = fabric_.HolderOf(
        trail_.lookup->route && trail_.lookup->route->value.via ? *trail_.lookup->route->value.via
                                                                : walk_.packet.tuple.dst);
    found_.problem = ReachabilityProblem::kSourceDestCheck;
    if (holder != nullptr) found_.node = holder->node;
    Say("The source/destination check of {}'s {} drops packets to pods' addresses: disable the "
        "check, or encapsulate.",
        found_.node, holder == nullptr ? "ENI" : holder->link);
  }

  void UnknownDestination() {
    found_.node = trail_.transmit->node;
    if (trail_.encapsulate != nullptr) return StaleTunnel();
    const bool in_vpc = std::ranges::any_of(
        fabric_.cidrs(), [&](const IpCidr& cidr) { return cidr.Contains(to_.ip); });
    if (in_vpc) {
      Say("No ENI of the VPC has the address of {}: assign it to one of its node. {} sends to it "
          "by "
          "{}.",
          NameOf(to_), found_.node, Deciding());
      return;
    }
    NoRouteAcrossSubnets();
  }

  bool ByDefault() const {
    return !trail_.lookup->route || trail_.lookup->route->key.destination.length() == 0;
  }

  void NoRouteToNode() {
    Say("{} has no route to {}: by {} the packets go to the VPC's router, which knows no pods. Let "
        "the agent or BGP add the route to its block.",
        found_.node, NameOf(to_), Deciding());
  }

  void NoRouteAcrossSubnets() {
    const HostState* home = StateOf(to_.node);
    const std::string missing = home == nullptr || to_.node != found_.node ? "" : MissingFor(to_);
    if (!missing.empty()) {
      Say("{}. By {} they go to the VPC's router, which knows no pods.", missing, Deciding());
      return;
    }
    if (ByDefault()) return NoRouteToNode();
    found_.problem = ReachabilityProblem::kNoRouteAcrossSubnets;
    Say("{} sends what is for pods of {} without encapsulation by {}, but {} is in another subnet, "
        "and the VPC's router knows no pods: use CrossSubnet encapsulation, or add routes to the "
        "pods' blocks to the VPC.",
        found_.node, to_.node, Deciding(), to_.node);
  }

  void NoNeighbour() {
    const WalkStep& lookup = *trail_.lookup;
    found_.node = lookup.node;
    const HostState* host = StateOf(lookup.node);
    const NetState* net = host == nullptr ? nullptr : host->Find(lookup.netns);
    if (net == nullptr || !lookup.route) return Misrouted();
    const Route& route = lookup.route->value;
    const IpAddress via = route.via.value_or(walk_.packet.tuple.dst);
    const auto link = net->links.find(route.dev);
    const LinkType type = link == net->links.end() ? LinkType::kPhysical : link->second.type;
    if (type == LinkType::kVxlan) {
      Say("{} has no neighbour entry for {} on {}, to which {} sends packets to {}: add it with "
          "the VTEP's MAC address of {}.",
          found_.node, via, route.dev, RouteText(), to_.node, to_.node);
    } else if (type == LinkType::kVeth && !lookup.netns.empty()) {
      Say("{} on {} gets no answer for its gateway {}: add the neighbour entry with the MAC "
          "address "
          "of {}, or switch on proxy_arp there.",
          lookup.netns, lookup.node, via, link->second.peer);
    } else if (type == LinkType::kVeth) {
      Say("{} on {} does not have the address {} that {} leads to: add it to the pod, or remove "
          "the "
          "route.",
          link->second.peer_netns, lookup.node, via, RouteText());
    } else if (trail_.encapsulate != nullptr) {
      StaleTunnel();
    } else if (route.via && fabric_.HolderOf(*route.via) != nullptr) {
      NoRouteAcrossSubnets();
    } else if (!route.via) {
      const std::string missing = to_.node == found_.node ? MissingFor(to_) : "";
      if (missing.empty()) {
        Say("Nobody in the subnet answers for {}: assign the address to an ENI of its node. {} "
            "sends to it by {}.",
            NameOf(to_), found_.node, Deciding());
      } else {
        Say("{}. By {} they go to the subnet, where nobody has the address.", missing, Deciding());
      }
    } else {
      Say("{} sends what is for pods of {} to the next hop {}, which nobody has, by {}: correct "
          "the "
          "route.",
          found_.node, to_.node, via, Deciding());
    }
  }

  // ---- Tunnels

  // The entry of the tunnel's device that the packet was sent by, and where it leads.
  void StaleTunnel() {
    const std::string node = trail_.encapsulate->node;
    const HostState& host = *StateOf(node);
    found_.node = node;
    const Packet& outer = walk_.packet;
    if (outer.inner != nullptr && outer.inner->tunnel == LinkType::kVxlan) {
      for (const auto& [key, remote] : host.fdb) {
        if (key.mac != outer.inner->mac || remote != outer.tuple.dst) continue;
        Say("{} has a stale FDB entry: \"{} dev {} dst {}\" should lead to {}: replace its address "
            "by that node's.",
            node, key.mac, key.dev, remote, to_.node);
        return;
      }
    }
    Say("{} sends a tunnel's packets for pods of {} to {}, which is not that node: correct the "
        "route.",
        node, to_.node, outer.tuple.dst);
  }

  void WrongNeighbour() {
    const WalkStep& lookup = *trail_.lookup;
    if (trail_.encapsulate != nullptr) {
      // The tunnel's far end does not have the inner frame's MAC address.
      const Packet& outer = walk_.packet;
      const VpcInterface* reached = fabric_.HolderOf(outer.tuple.dst);
      if (reached == nullptr || reached->node != to_.node) return StaleTunnel();
      found_.node = trail_.encapsulate->node;
      Say("{} sends to the VTEP of {} with a MAC address that it does not have, {}: replace the "
          "stale neighbour and FDB entries by the VTEP's own.",
          found_.node, to_.node, outer.inner->mac);
      return;
    }
    found_.node = lookup.node;
    const NetState& net = *StateOf(lookup.node)->Find(lookup.netns);
    const Route& route = lookup.route->value;
    const IpAddress via = route.via.value_or(walk_.packet.tuple.dst);
    const auto entry = net.neighbours.find({route.dev, via});
    Say("{}{}: the neighbour entry of {} on {} has the MAC address {}, which the other end of the "
        "veth does not have (set by udev?): replace it.",
        lookup.netns.empty() ? "" : lookup.netns + " on ", lookup.node, via, route.dev,
        entry == net.neighbours.end() ? MacAddress() : entry->second);
  }

  void NoFdbEntry() {
    const WalkStep& lookup = *trail_.lookup;
    const NetState& net = StateOf(lookup.node)->net;
    const Route& route = lookup.route->value;
    const auto mac = net.neighbours.find({route.dev, route.via.value_or(walk_.packet.tuple.dst)});
    found_.node = lookup.node;
    Say("{} has no FDB entry for {} on {}: add it with the address of {}.", lookup.node,
        mac == net.neighbours.end() ? MacAddress() : mac->second, route.dev, to_.node);
  }

  void NoDevice() {
    const HostState* host = StateOf(walk_.node.empty() ? found_.node : walk_.node);
    if (host != nullptr && host->Find(walk_.netns) == nullptr) {
      Say("{} has no namespace {} of pod {}: make the pod anew.", walk_.node, walk_.netns,
          NameOf(from_));
      return;
    }
    const std::string dev =
        trail_.transmit != nullptr && trail_.lookup < trail_.transmit ? trail_.transmit->dev
        : trail_.lookup != nullptr && trail_.lookup->route ? trail_.lookup->route->value.dev
                                                           : std::string("?");
    const std::string missing = found_.node == to_.node ? MissingFor(to_) : "";
    Say("{}{}: {} or its other end is missing, down, or no ENI of the VPC{}. Set it up, or add the "
        "pod anew.",
        walk_.netns.empty() ? "" : walk_.netns + " on ", found_.node, dev,
        missing.empty() ? "" : "; " + missing);
  }

  const std::map<std::string, const HostState*>& nodes_;
  const VpcFabric& fabric_;
  const ClusterPod& from_;
  const ClusterPod& to_;
  const WalkResult& walk_;
  Trail trail_;
  Diagnosis found_;
};

}  // namespace

Diagnosis Diagnose(const std::map<std::string, const HostState*>& nodes, const VpcFabric& fabric,
                   const ClusterPod& from, const ClusterPod& to, const WalkResult& walk) {
  return Detective(nodes, fabric, from, to, walk).Run();
}

Diagnosis DiagnoseAgent(const std::map<std::string, const HostState*>& nodes,
                        const VpcFabric& fabric, const ClusterPod& pod) {
  const AgentWalk walk = WalkAgent(nodes, fabric, pod, ForwardingWalk::Detail::kSteps);
  const ClusterPod agent = AgentOf(pod.node);
  Diagnosis diagnosis = walk.is_answer ? Diagnose(nodes, fabric, pod, agent, walk.walk)
                                       : Diagnose(nodes, fabric, agent, pod, walk.walk);
  diagnosis.problem = ReachabilityProblem::kAgentCannotReachPod;
  diagnosis.cause =
      fmt::format("The agent of {} cannot {} {}. {}", pod.node,
                  walk.is_answer ? "be answered by" : "reach", NameOf(pod), diagnosis.cause);
  return diagnosis;
}

}  // namespace cnisim
