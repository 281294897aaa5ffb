#include "core/routing/forwarding_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/net/hash.h"
#include "core/routing/route_lookup.h"

namespace cnisim {
namespace {

constexpr int kHopLimit = 64;
constexpr size_t kUsualSteps = 12;
constexpr uint16_t kVxlanPort = 4789;  // RFC 7348, and Calico's default
constexpr int kVxlanOverhead = 50;
constexpr int kVxlanOverheadIpv6 = 70;
constexpr int kIpipOverhead = 20;

bool IsUnset(IpAddress address) { return address == IpAddress() || address == Ipv6Address(); }

// As `ip rule` names it.
std::string RuleProtocol(const FlowTuple& tuple) {
  return tuple.protocol == "icmp" && !tuple.dst.is_v4() ? "ipv6-icmp" : tuple.protocol;
}

RouteQuery QueryOf(const FlowTuple& tuple, const std::string& iif, uint32_t mark) {
  RouteQuery query;
  query.dst = tuple.dst;
  if (!IsUnset(tuple.src)) query.src = tuple.src;
  query.iif = iif;
  query.mark = mark;
  query.ip_protocol = RuleProtocol(tuple);
  return query;
}

const Link* UsableLink(const NetState& net, const std::string& dev) {
  const auto found = net.links.find(dev);
  return found == net.links.end() || !found->second.up ? nullptr : &found->second;
}

bool IsOn(const NetState& net, const std::string& sysctl) {
  const auto found = net.sysctls.find(sysctl);
  return found != net.sysctls.end() && found->second == "1";
}

}  // namespace

Packet WalkResult::Reply() const {
  Packet reply;
  reply.tuple = packet.tuple.Reversed();
  reply.size = packet.size;
  reply.dont_fragment = packet.dont_fragment;
  return reply;
}

// One packet's way. Every function ends it, or hands it on.
class ForwardingWalk::Journey {
 public:
  explicit Journey(ForwardingWalk& walk) : walk_(walk) {
    result_.steps.reserve(walk.detail_ == Detail::kSteps ? kUsualSteps : 1);
  }

  WalkResult Take() { return std::move(result_); }

  void FromPod(const std::string& node, const std::string& netns, Packet packet) {
    const NetState* net = NetOf(node, netns);
    if (net == nullptr) return Drop(node, netns, packet, DropReason::kNoDevice);
    const RouteLookup lookup = LookUp(*net, node, netns, "", packet);
    if (lookup.outcome == RouteLookup::Outcome::kLocal) return Deliver(node, netns, packet);
    if (!Usable(lookup, node, netns, packet)) return;
    if (IsUnset(packet.tuple.src) && lookup.src) packet.tuple.src = *lookup.src;
    if (!Fits(*net, *lookup.route, node, netns, packet)) return;
    Output(*net, node, netns, *lookup.route, packet);
  }

  void FromHost(const std::string& node, Packet packet) {
    if (!IsKnown(node)) return Drop(node, "", packet, DropReason::kNoDevice);
    const HostState& host = HostOf(node);
    RouteLookup lookup = LookUp(host.net, node, "", "", packet);
    if (lookup.outcome == RouteLookup::Outcome::kLocal) return Deliver(node, "", packet);
    if (!Usable(lookup, node, "", packet)) return;
    if (IsUnset(packet.tuple.src) && lookup.src) packet.tuple.src = *lookup.src;
    HookPacket inside;
    inside.tuple = packet.tuple;
    inside.mark = packet.mark;
    inside.out = lookup.route->dev;
    if (!Pass(Hook::kOutput, host, node, inside, packet)) return;
    if (inside.tuple.dst != lookup_dst_ || inside.mark != lookup_mark_) {
      lookup = LookUp(host.net, node, "", "", packet);
      if (lookup.outcome == RouteLookup::Outcome::kLocal) return Deliver(node, "", packet);
      if (!Usable(lookup, node, "", packet)) return;
    }
    Leave(host, node, *lookup.route, inside, packet);
  }

  void Arrive(const std::string& node, const std::string& dev, Packet packet) {
    if (++hops_ > kHopLimit) return Drop(node, "", packet, DropReason::kHopLimit);
    const HostState& host = HostOf(node);
    if (UsableLink(host.net, dev) == nullptr) {
      return Drop(node, "", packet, DropReason::kNoDevice);
    }
    HookPacket inside;
    inside.tuple = packet.tuple;
    inside.in = dev;
    packet.mark = 0;
    if (!Pass(Hook::kPrerouting, host, node, inside, packet)) return;
    const RouteLookup lookup = LookUp(host.net, node, "", dev, packet);
    if (lookup.outcome == RouteLookup::Outcome::kLocal) {
      if (!Pass(Hook::kInput, host, node, inside, packet)) return;
      if (packet.inner != nullptr) return Decapsulate(host, node, packet);
      return Deliver(node, "", packet);
    }
    if (!Usable(lookup, node, "", packet)) return;
    inside.out = lookup.route->dev;
    if (!Fits(host.net, *lookup.route, node, "", packet)) return;
    if (!Pass(Hook::kForward, host, node, inside, packet)) return;
    Leave(host, node, *lookup.route, inside, packet);
  }

  void FromOutside(const Packet& packet) {
    Cross(FrameOf(packet, "", "", packet.tuple.dst), packet);
  }

 private:
  const NetState* NetOf(const std::string& node, const std::string& netns) {
    return IsKnown(node) ? HostOf(node).Find(netns) : nullptr;
  }

  // Looked up anew only when the packet gets to another node.
  bool IsKnown(const std::string& node) {
    if (host_ != nullptr && host_->first == node) return true;
    const auto found = walk_.nodes_.find(node);
    if (found == walk_.nodes_.end()) return false;
    host_ = &*found;
    return true;
  }
  const HostState& HostOf(const std::string& node) {
    [[maybe_unused]] const bool known = IsKnown(node);
    assert(known);
    return *host_->second;
  }

  WalkStep& Step(WalkStep::Kind kind, const std::string& node, const std::string& netns,
                 const Packet& packet) {
    if (walk_.detail_ == Detail::kEnd) result_.steps.clear();
    WalkStep& step = result_.steps.emplace_back();
    step.kind = kind;
    step.node = node;
    step.netns = netns;
    step.packet = packet.tuple;
    step.mark = packet.mark;
    step.size = packet.size;
    return step;
  }

  void End(const std::string& node, const std::string& netns, const Packet& packet,
           DropReason dropped) {
    result_.dropped = dropped;
    result_.packet = packet;
    result_.node = node;
    result_.netns = netns;
  }

  void Drop(const std::string& node, const std::string& netns, const Packet& packet,
            DropReason reason) {
    Step(WalkStep::Kind::kDropped, node, netns, packet).dropped = reason;
    End(node, netns, packet, reason);
  }

  void Deliver(const std::string& node, const std::string& netns, const Packet& packet) {
    Step(WalkStep::Kind::kDelivered, node, netns, packet);
    End(node, netns, packet, DropReason::kNone);
  }

  RouteLookup LookUp(const NetState& net, const std::string& node, const std::string& netns,
                     const std::string& iif, const Packet& packet) {
    const RouteLookup lookup = LookUpRoute(net, QueryOf(packet.tuple, iif, packet.mark));
    lookup_dst_ = packet.tuple.dst;
    lookup_mark_ = packet.mark;
    WalkStep& step = Step(WalkStep::Kind::kLookup, node, netns, packet);
    step.rules_checked = lookup.rules_checked;
    if (lookup.rule != nullptr) step.rule = *lookup.rule;
    if (lookup.route != nullptr) step.route = RouteEntry{*lookup.key, *lookup.route};
    return lookup;
  }

  // Ends the way if the lookup says so.
  bool Usable(const RouteLookup& lookup, const std::string& node, const std::string& netns,
              const Packet& packet) {
    if (lookup.outcome == RouteLookup::Outcome::kUnicast) return true;
    Drop(node, netns, packet,
         lookup.outcome == RouteLookup::Outcome::kBlackhole ? DropReason::kBlackhole
                                                            : DropReason::kNoRoute);
    return false;
  }

  bool Fits(const NetState& net, const Route& route, const std::string& node,
            const std::string& netns, const Packet& packet) {
    const Link* link = UsableLink(net, route.dev);
    if (link == nullptr) {
      Drop(node, netns, packet, DropReason::kNoDevice);
      return false;
    }
    const int mtu = route.mtu == 0 ? link->mtu : std::min(route.mtu, link->mtu);
    if (packet.size <= mtu) return true;
    if (packet.dont_fragment || !packet.tuple.dst.is_v4()) {
      Drop(node, netns, packet, DropReason::kPacketTooBig);
      return false;
    }
    Step(WalkStep::Kind::kFragment, node, netns, packet).dev = route.dev;
    return true;
  }

  bool Pass(Hook hook, const HostState& host, const std::string& node, HookPacket& inside,
            Packet& packet) {
    const HookResult passed = RunHook(hook, host, walk_.conntracks_[node], inside);
    packet.tuple = inside.tuple;
    packet.mark = inside.mark;
    for (const HookTrace& table : passed.tables) {
      Step(WalkStep::Kind::kNetfilter, node, "", packet).table = table;
    }
    if (passed.dropped) Drop(node, "", packet, DropReason::kFiltered);
    return !passed.dropped;
  }

  // The end of every way through a host. Local packets have not been measured yet.
  void Leave(const HostState& host, const std::string& node, const Route& route, HookPacket& inside,
             Packet& packet) {
    inside.out = route.dev;
    if (inside.in.empty() && !Fits(host.net, route, node, "", packet)) return;
    if (!Pass(Hook::kPostrouting, host, node, inside, packet)) return;
    Output(host.net, node, "", route, packet);
  }

  void Output(const NetState& net, const std::string& node, const std::string& netns,
              const Route& route, const Packet& packet) {
    const Link* link = UsableLink(net, route.dev);
    if (link == nullptr) return Drop(node, netns, packet, DropReason::kNoDevice);
    const IpAddress via = route.via.value_or(packet.tuple.dst);
    switch (link->type) {
      case LinkType::kVeth:
        return ThroughVeth(net, *link, node, netns, route.dev, via, packet);
      case LinkType::kVxlan:
        return ThroughVxlan(net, *link, node, route.dev, via, packet);
      case LinkType::kIpip:
        return Encapsulate(node, {}, via, LinkType::kIpip, {}, packet);
      case LinkType::kPhysical:
      case LinkType::kVlan:
      case LinkType::kLoopback:
        break;
    }
    Step(WalkStep::Kind::kTransmit, node, netns, packet).dev = route.dev;
    Cross(FrameOf(packet, node, route.dev, via), packet);
  }

  static FabricFrame FrameOf(const Packet& packet, std::string node, std::string link,
                             IpAddress via) {
    return {std::move(node), std::move(link),     via, packet.tuple.src, packet.tuple.dst,
            packet.size,     packet.dont_fragment};
  }

  void Cross(const FabricFrame& frame, const Packet& packet) {
    const FabricVerdict verdict = walk_.fabric_.Carry(frame);
    if (verdict.dropped != DropReason::kNone) {
      return Drop(frame.node, "", packet, verdict.dropped);
    }
    if (verdict.node.empty()) return Deliver("", "", packet);
    if (!IsKnown(verdict.node)) {
      return Drop(verdict.node, "", packet, DropReason::kNotReceived);
    }
    Arrive(verdict.node, verdict.link, packet);
  }

  void ThroughVeth(const NetState& net, const Link& link, const std::string& node,
                   const std::string& netns, const std::string& dev, IpAddress via,
                   const Packet& packet) {
    const NetState* other = NetOf(node, link.peer_netns);
    const Link* peer = other == nullptr ? nullptr : UsableLink(*other, link.peer);
    if (peer == nullptr) return Drop(node, netns, packet, DropReason::kNoDevice);
    const auto entry = net.neighbours.find({dev, via});
    if (entry != net.neighbours.end()) {
      if (entry->second != peer->mac) {
        return Drop(node, netns, packet, DropReason::kWrongNeighbour);
      }
    } else if (LinkOfAddress(*other, via).empty() && !IsLinkLocal(via) &&
               !IsOn(*other, fmt::format("net.ipv4.conf.{}.proxy_arp", link.peer))) {
      return Drop(node, netns, packet, DropReason::kNoNeighbour);
    }
    Step(WalkStep::Kind::kTransmit, node, netns, packet).dev = dev;
    if (link.peer_netns.empty()) return Arrive(node, link.peer, packet);
    if (LinkOfAddress(*other, packet.tuple.dst).empty()) {
      return Drop(node, link.peer_netns, packet, DropReason::kNotReceived);
    }
    Deliver(node, link.peer_netns, packet);
  }

  static bool IsLinkLocal(IpAddress address) {
    return IpCidr(Ipv6Cidr(Ipv6Address(0xfe80000000000000, 0), 10)).Contains(address);
  }

  void ThroughVxlan(const NetState& net, const Link& link, const std::string& node,
                    const std::string& dev, IpAddress via, const Packet& packet) {
    const auto mac = net.neighbours.find({dev, via});
    if (mac == net.neighbours.end()) return Drop(node, "", packet, DropReason::kNoNeighbour);
    const HostState& host = HostOf(node);
    const auto remote = host.fdb.find({dev, mac->second});
    if (remote == host.fdb.end()) return Drop(node, "", packet, DropReason::kNoFdbEntry);
    Encapsulated header;
    header.vni = link.id;
    header.mac = mac->second;
    Encapsulate(node, link.local, remote->second, LinkType::kVxlan, header, packet);
  }

  void Encapsulate(const std::string& node, IpAddress src, IpAddress dst, LinkType tunnel,
                   Encapsulated header, const Packet& packet) {
    if (++hops_ > kHopLimit) return Drop(node, "", packet, DropReason::kHopLimit);
    header.tunnel = tunnel;
    header.packet = packet;
    Packet outer;
    outer.tuple.src = src;
    outer.tuple.dst = dst;
    if (tunnel == LinkType::kVxlan) {
      // The source port spreads inner flows; Linux takes it from ip_local_port_range.
      const uint64_t ports =
          uint64_t{packet.tuple.source_port} << 16 | packet.tuple.destination_port;
      const uint64_t hash = HashMix(packet.tuple.src.bits().low()) ^
                            HashMix(packet.tuple.dst.bits().low() + (ports << 32));
      outer.tuple.protocol = "udp";
      outer.tuple.source_port = static_cast<uint16_t>(32768 + hash % 28232);
      outer.tuple.destination_port = kVxlanPort;
      outer.size = packet.size + (dst.is_v4() ? kVxlanOverhead : kVxlanOverheadIpv6);
      outer.dont_fragment = false;
    } else {
      outer.tuple.protocol = "ipencap";
      outer.size = packet.size + kIpipOverhead;
      outer.dont_fragment = packet.dont_fragment;
    }
    outer.inner = std::make_shared<const Encapsulated>(std::move(header));
    Step(WalkStep::Kind::kEncapsulate, node, "", outer);
    FromHost(node, outer);
  }

  void Decapsulate(const HostState& host, const std::string& node, const Packet& packet) {
    DropReason reason = DropReason::kNotReceived;
    for (const auto& [name, link] : host.net.links) {
      if (!link.up || link.type != packet.inner->tunnel) continue;
      if (link.type == LinkType::kVxlan) {
        if (link.id != packet.inner->vni) continue;
        if (link.mac != packet.inner->mac) {
          reason = DropReason::kWrongNeighbour;
          continue;
        }
      }
      const Packet inner = packet.inner->packet;
      Step(WalkStep::Kind::kDecapsulate, node, "", inner).dev = name;
      return Arrive(node, name, inner);
    }
    Drop(node, "", packet, reason);
  }

  ForwardingWalk& walk_;
  WalkResult result_;
  const std::pair<const std::string, const HostState*>* host_ = nullptr;
  int hops_ = 0;
  IpAddress lookup_dst_;
  uint32_t lookup_mark_ = 0;
};

WalkResult ForwardingWalk::Send(const std::string& node, const std::string& netns, Packet packet) {
  Journey journey(*this);
  if (netns.empty()) {
    journey.FromHost(node, std::move(packet));
  } else {
    journey.FromPod(node, netns, std::move(packet));
  }
  return journey.Take();
}

WalkResult ForwardingWalk::SendFromOutside(const Packet& packet) {
  Journey journey(*this);
  journey.FromOutside(packet);
  return journey.Take();
}

}  // namespace cnisim
