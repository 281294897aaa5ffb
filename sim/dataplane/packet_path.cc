#include "sim/dataplane/packet_path.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/routing/route_lookup.h"

namespace cnisim {
namespace {

constexpr uint16_t kServerPort = 80;
constexpr uint16_t kFirstClientPort = 40000;  // Linux's ip_local_port_range
constexpr int kSmallPacket = 100;
constexpr size_t kBuiltinRules = 3;  // local, main, default

// What one walk meets on each side.
struct Counted {
  CostVector send;
  CostVector receive;
};

bool HasOwnRules(const NetState& net, Family family) {
  const auto of_family = [&](const Rule& rule) { return rule.family == family; };
  return static_cast<size_t>(std::ranges::count_if(net.rules, of_family)) > kBuiltinRules;
}

bool IsNoTrack(const WalkStep& step) {
  return step.table->table == IptablesTableName(IptablesTable::kRaw) &&
         std::ranges::any_of(step.table->effects, [](const std::string& effect) {
           return effect.ends_with(" NOTRACK");
         });
}

// Goes along a walk's steps and counts what each costs.
class Counter {
 public:
  Counter(const std::map<std::string, const HostState*>& nodes, const PathEnd& from)
      : nodes_(nodes), from_(from), from_here_(from.netns.empty()) {
    Pay(Cost::kSocketSend);
    Pay(Cost::kCopyIn);
  }

  Counted Count(const WalkResult& walk) {
    for (const WalkStep& step : walk.steps) {
      switch (step.kind) {
        case WalkStep::Kind::kLookup:
          Lookup(step);
          break;
        case WalkStep::Kind::kNetfilter:
          Pay(Cost::kNetfilterTable);
          Pay(Cost::kIptablesRule, step.table->rules_checked);
          if (IsNoTrack(step)) Pay(Cost::kConntrackLookup, -1);
          break;
        case WalkStep::Kind::kEncapsulate:
          Pay(Cost::kIpTransmit);
          Pay(Cost::kTunnelTransmit);
          if (step.packet.protocol == "udp") Pay(Cost::kVxlanTransmit);
          from_here_ = true;
          break;
        case WalkStep::Kind::kDecapsulate:
          Pay(Cost::kTunnelReceive);
          if (IsVxlan(step)) Pay(Cost::kVxlanReceive);
          break;
        case WalkStep::Kind::kTransmit:
          Transmit(step);
          break;
        case WalkStep::Kind::kDelivered:
          Pay(Cost::kSocketReceive);
          Pay(Cost::kWakeup);
          Pay(Cost::kCopyOut);
          break;
        case WalkStep::Kind::kFragment:
        case WalkStep::Kind::kDropped:
          break;
      }
    }
    return counted_;
  }

 private:
  void Pay(Cost cost, double times = 1) {
    (receiving_ ? counted_.receive : counted_.send)[cost] += times;
  }

  const NetState& NetOf(const WalkStep& step) const {
    return *nodes_.at(step.node)->Find(step.netns);
  }

  bool IsVxlan(const WalkStep& step) const {
    const auto link = NetOf(step).links.find(step.dev);
    return link != NetOf(step).links.end() && link->second.type == LinkType::kVxlan;
  }

  // A way through a host's hooks has one. Pods' namespaces have no hooks, and their lookup is part
  // of the socket's cost.
  void Lookup(const WalkStep& step) {
    if (!step.netns.empty()) return;
    Pay(Cost::kConntrackLookup);
    const NetState& net = NetOf(step);
    const Family family = FamilyOf(step.packet.dst);
    const bool rules = HasOwnRules(net, family);
    // The local table is looked at first; without rules it is merged with main.
    Pay(Cost::kRouteLookup, rules ? 2 : 1);
    if (rules) Pay(Cost::kRoutingRule, step.rules_checked);
    if (std::exchange(from_here_, false)) return;
    Pay(Cost::kIpReceive);
    if (rules) {
      RouteQuery source;
      source.dst = step.packet.src;
      source.src = step.packet.dst;
      const RouteLookup back = LookUpRoute(net, source);
      Pay(Cost::kRouteLookup, 2);
      Pay(Cost::kRoutingRule, back.rules_checked);
    }
  }

  void Transmit(const WalkStep& step) {
    if (step.netns.empty()) Pay(Cost::kIpTransmit);
    if (NetOf(step).links.at(step.dev).type == LinkType::kVeth) {
      Pay(Cost::kVethTransmit);
      return;
    }
    Pay(Cost::kDriverTransmit);
    Pay(Cost::kSegment);
    Pay(Cost::kChecksum);
    receiving_ = true;
    Pay(Cost::kDriverReceive);
    Pay(Cost::kGroMerge);
  }

  const std::map<std::string, const HostState*>& nodes_;
  const PathEnd& from_;
  Counted counted_;
  bool receiving_ = false;
  bool from_here_;  // the next lookup is of a packet that this host makes
};

const WalkStep* FindStep(const WalkResult& walk, WalkStep::Kind kind) {
  const auto found = std::ranges::find(walk.steps, kind, &WalkStep::kind);
  return found == walk.steps.end() ? nullptr : &*found;
}

PacketWay WayOf(const WalkResult& walk, const PathEnd& from, const Counted& counted) {
  PacketWay way;
  way.dropped = walk.dropped;
  if (!walk.arrived()) way.lost_at = walk.node;
  way.crosses = walk.node != from.node;
  way.send = counted.send;
  way.receive = counted.receive;
  way.wire = walk.steps.front().packet;
  if (const WalkStep* outer = FindStep(walk, WalkStep::Kind::kEncapsulate)) {
    way.tunnel = outer->packet.protocol == "udp" ? LinkType::kVxlan : LinkType::kIpip;
    way.overhead = outer->size - walk.steps.front().size;
    way.wire = outer->packet;
  }
  return way;
}

int DeviceMtu(const HostState& host, const PathEnd& end) {
  const NetState* net = host.Find(end.netns);
  if (net == nullptr) return 0;
  const auto link = net->links.find(LinkOfAddress(*net, end.ip));
  return link == net->links.end() ? 0 : link->second.mtu;
}

void AddKubeProxy(const KubeProxyCost& cost, double times, CostVector& to) {
  to[Cost::kIptablesRule] += times * cost.rules;
  to[Cost::kHashLookup] += times * cost.hash_lookups;
}

}  // namespace

PairPath PathFinder::Find(const PathEnd& from, const PathEnd& to, Transport transport,
                          bool via_service) const {
  ForwardingWalk walk(nodes_, fabric_);
  Packet packet;
  packet.tuple = {from.ip, to.ip, transport == Transport::kTcp ? "tcp" : "udp", kFirstClientPort,
                  kServerPort};
  packet.size = kSmallPacket;
  const auto send = [&](const PathEnd& end, const Packet& p) {
    return walk.Send(end.node, end.netns, p);
  };
  const auto count = [&](const PathEnd& end, const WalkResult& result) {
    return Counter(nodes_, end).Count(result);
  };

  PairPath path;
  // A first connection makes the nodes know each other (a tunnel's own entry in conntrack).
  WalkResult there = send(from, packet);
  path.request = WayOf(there, from, count(from, there));
  if (!there.arrived()) return path;
  WalkResult back = send(to, there.Reply());
  path.reply = WayOf(back, to, count(to, back));
  if (!back.arrived()) return path;

  // A second one, and its later packets.
  const size_t client_entries = walk.conntrack(from.node).size();
  const size_t server_entries = walk.conntrack(to.node).size();
  ++packet.tuple.source_port;
  there = send(from, packet);
  const Counted first = count(from, there);
  back = send(to, there.Reply());
  path.client_entries = static_cast<int>(walk.conntrack(from.node).size() - client_entries);
  if (path.request.crosses) {
    path.server_entries = static_cast<int>(walk.conntrack(to.node).size() - server_entries);
  }
  path.reply = WayOf(back, to, count(to, back));
  there = send(from, packet);
  const Counted later = count(from, there);
  path.request = WayOf(there, from, later);

  path.first_client = first.send;
  path.first_client -= later.send;
  path.first_server = first.receive;
  path.first_server -= later.receive;
  path.first_client[Cost::kConntrackNew] += path.client_entries;
  path.first_server[Cost::kConntrackNew] += path.server_entries;
  for (PacketWay* way : {&path.request, &path.reply}) {
    way->no_offloads = way->tunnel == LinkType::kVxlan && !settings_.vxlan_checksum_offload;
  }
  const KubeProxySpec& kube_proxy = settings_.kube_proxy;
  // kube-proxy's chains are met by each new entry's first packet.
  const KubeProxyCost other = CostOfOtherConnection(kube_proxy.mode, kube_proxy.services);
  const KubeProxyCost service =
      via_service
          ? CostOfServiceConnection(kube_proxy.mode, kube_proxy.services, kube_proxy.endpoints)
          : other;
  if (path.client_entries > 0) {
    AddKubeProxy(service, 1, path.first_client);
    AddKubeProxy(other, path.client_entries - 1, path.first_client);
  }
  AddKubeProxy(other, path.server_entries, path.first_server);

  // The largest packets that the ends' devices let through. If the sender's own host finds them too
  // large, the sender is told and learns how large they may be.
  const auto mtu_of = [&](const PathEnd& end) { return DeviceMtu(*nodes_.at(end.node), end); };
  path.mtu = std::min(mtu_of(from), mtu_of(to));
  for (const bool answer : {false, true}) {
    const PathEnd& end = answer ? to : from;
    Packet large = answer ? there.Reply() : packet;
    const auto of_size = [&](int size) {
      large.size = size;
      return send(end, large);
    };
    WalkResult result = of_size(path.mtu);
    if (result.dropped == DropReason::kPacketTooBig) {
      const bool told = result.node == end.node;
      path.too_big = std::max(path.too_big, told ? TooBig::kLearnt : TooBig::kLost);
      if (!told) continue;
      int low = kSmallPacket;
      for (int high = path.mtu - 1; low < high;) {
        const int middle = (low + high + 1) / 2;
        if (of_size(middle).arrived()) {
          low = middle;
        } else {
          high = middle - 1;
        }
      }
      path.mtu = low;
      result = of_size(path.mtu);
    }
    PacketWay& way = answer ? path.reply : path.request;
    way.fragments = FindStep(result, WalkStep::Kind::kFragment) != nullptr;
  }
  return path;
}

}  // namespace cnisim
