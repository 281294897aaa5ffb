#include "core/routing/reachability_probe.h"

#include <algorithm>

#include "core/routing/route_lookup.h"

namespace cnisim {

Packet ProbePacket(IpAddress from, IpAddress to) {
  Packet packet;
  packet.tuple = {from, to, "tcp", 40000, kProbedPort};
  return packet;
}

Packet FullProbePacket(const std::map<std::string, const HostState*>& nodes, const ClusterPod& from,
                       IpAddress to) {
  Packet packet = ProbePacket(from.ip, to);
  const auto host = nodes.find(from.node);
  const NetState* net = host == nodes.end() ? nullptr : host->second->Find(from.netns);
  if (net == nullptr) return packet;
  RouteQuery query;
  query.dst = to;
  query.src = from.ip;
  const RouteLookup lookup = LookUpRoute(*net, query);
  if (lookup.outcome != RouteLookup::Outcome::kUnicast) return packet;
  const auto link = net->links.find(lookup.route->dev);
  if (link == net->links.end()) return packet;
  const int mtu = link->second.mtu;
  packet.size = lookup.route->mtu == 0 ? mtu : std::min(mtu, lookup.route->mtu);
  return packet;
}

bool FitsTheWay(const std::map<std::string, const HostState*>& nodes, const ClusterPod& from,
                IpAddress to) {
  const FabricEdge edge;
  ForwardingWalk walk(nodes, edge);
  const WalkResult result = walk.Send(from.node, from.netns, FullProbePacket(nodes, from, to));
  return result.dropped != DropReason::kPacketTooBig &&
         std::ranges::none_of(result.steps, [](const WalkStep& step) {
           return step.kind == WalkStep::Kind::kFragment;
         });
}

ClusterPod AgentOf(const std::string& node) {
  ClusterPod agent;
  agent.node = node;
  return agent;
}

bool IsRight(const WalkResult& walk, const ClusterPod& from, const ClusterPod& to) {
  const auto is = [](const ClusterPod& pod, IpAddress address) {
    return pod.netns.empty() || pod.ip == address;
  };
  return walk.arrived() && walk.node == to.node && walk.netns == to.netns &&
         is(from, walk.packet.tuple.src) && is(to, walk.packet.tuple.dst);
}

AgentWalk WalkAgent(const std::map<std::string, const HostState*>& nodes, const Fabric& fabric,
                    const ClusterPod& pod, ForwardingWalk::Detail detail) {
  ForwardingWalk walk(nodes, fabric, detail);
  const ClusterPod agent = AgentOf(pod.node);
  // The kernel chooses the agent's address.
  const IpAddress unset = pod.ip.is_v4() ? IpAddress() : IpAddress(Ipv6Address());
  AgentWalk result;
  result.walk = walk.Send(pod.node, "", ProbePacket(unset, pod.ip));
  if (!IsRight(result.walk, agent, pod)) return result;
  result.is_answer = true;
  result.walk = walk.Send(pod.node, pod.netns, result.walk.Reply());
  result.right = IsRight(result.walk, pod, agent);
  return result;
}

}  // namespace cnisim
