#include "tools/cnisim/inspect/inspect_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "core/routing/forwarding_walk.h"
#include "core/routing/route_lookup.h"
#include "core/routing/vpc_fabric.h"
#include "tools/cnisim/inspect/inspect_views.h"

namespace cnisim {
namespace {

// Of Linux's default range for connections (net.ipv4.ip_local_port_range).
constexpr uint16_t kClientPort = 40000;
constexpr uint16_t kServerPort = 80;
// The smallest that every IPv4 host takes unfragmented, and EC2's jumbo frame.
constexpr int kSmallestPacket = 68;
constexpr int kLargestPacket = 9001;
// Of more, only the kernels of both ends' nodes are looked at.
constexpr size_t kMostNodes = 200;
constexpr std::string_view kOutside = "outside";
constexpr std::string_view kNodePrefix = "node/";
constexpr std::string_view kServicePrefix = "svc/";

struct End {
  std::string node;            // empty: outside
  std::string netns;           // empty: the node itself
  std::vector<IpAddress> ips;  // one of a family
  std::optional<uint16_t> port;
  std::string protocol;           // of a service
  std::vector<IpAddress> behind;  // endpoints of a service
};

// A node's own addresses are those of its primary ENI.
Result<End> NodeEnd(WorldView& world, std::string_view name) {
  const Result<NodeView> node = FindNode(world, name);
  if (!node) return tl::unexpected(node.error());
  End end;
  end.node = node->name;
  end.ips = {node->ip};
  const HostState* kernel = FindNodeKernel(world, node->name);
  if (kernel == nullptr) {
    return Fail("usage", fmt::format("node {} has not booted at that time", name));
  }
  const std::string link = LinkOfAddress(kernel->net, node->ip);
  for (const auto& [key, attributes] : kernel->net.addresses) {
    if (key.dev == link && !key.address.is_v4()) end.ips.push_back(key.address);
  }
  return end;
}

// Documentation's own addresses (RFC 5737, RFC 3849).
End OutsideEnd() {
  End end;
  end.ips = {Ipv4Address(198, 51, 100, 7), Ipv6Address(0x20010db800000000, 7)};
  return end;
}

Result<End> PodEnd(WorldView& world, std::string_view name) {
  const Result<PodView> pod = FindPod(world, name);
  if (!pod) return tl::unexpected(pod.error());
  if (!pod->ip) return Fail("usage", fmt::format("pod {} has no address at that time", name));
  return End{pod->node, pod->netns, {*pod->ip}, std::nullopt, "", {}};
}

Result<End> ServiceEnd(WorldView& world, std::string_view name) {
  for (const KubeServicePort& service : world.Services()) {
    const size_t slash = service.name.find('/');
    if (service.name != name && std::string_view(service.name).substr(slash + 1) != name) continue;
    End end;
    end.ips = {service.cluster_ip};
    end.port = service.port;
    end.protocol = service.protocol;
    for (const KubeEndpoint& endpoint : service.endpoints) end.behind.push_back(endpoint.ip);
    return end;
  }
  return Fail("usage",
              fmt::format("there is no service '{}'; 'services' of the scenario lists them", name));
}

Result<End> FindEnd(WorldView& world, std::string_view text) {
  if (text == kOutside) return OutsideEnd();
  if (text.starts_with(kNodePrefix)) return NodeEnd(world, text.substr(kNodePrefix.size()));
  if (text.starts_with(kServicePrefix)) {
    return ServiceEnd(world, text.substr(kServicePrefix.size()));
  }
  if (const auto ip = IpAddress::Parse(text)) return End{"", "", {*ip}, std::nullopt, "", {}};
  return PodEnd(world, text);
}

bool Contains(const std::vector<IpAddress>& addresses, IpAddress address) {
  return std::ranges::find(addresses, address) != addresses.end();
}

std::optional<std::pair<IpAddress, IpAddress>> OfOneFamily(const End& from, const End& to) {
  for (const IpAddress dst : to.ips) {
    for (const IpAddress src : from.ips) {
      if (src.is_v4() == dst.is_v4()) return std::pair(src, dst);
    }
  }
  return std::nullopt;
}

// All that a walk needs; what it points to lives here.
struct Network {
  std::map<std::string, HostState> kernels;
  std::map<std::string, const HostState*> nodes;
  std::map<std::string, std::string> pod_names;  // by namespace
  VpcFabric fabric{{}, {}};
};

Network NetworkOf(WorldView& world, const End& from, const End& to) {
  Network network;
  const std::vector<std::string> all = world.NodeNames();
  std::set<std::string> needed(all.begin(), all.end());
  if (all.size() > kMostNodes) {
    needed = {from.node, to.node};
    for (const PodView& pod : world.Pods()) {
      const bool is_end = pod.ip && (Contains(to.ips, *pod.ip) || Contains(to.behind, *pod.ip));
      if (is_end) needed.insert(pod.node);
    }
    for (const NodeView& node : world.Nodes()) {
      if (Contains(to.ips, node.ip)) needed.insert(node.name);
    }
  }
  const std::vector<KubeServicePort> services = world.Services();
  for (const std::string& node : needed) {
    // kube-proxy translates where a connection begins, or comes in.
    const bool translates = node == from.node || node == to.node || from.node.empty();
    Result<HostState> kernel =
        KernelOf(world, node, translates ? services : std::vector<KubeServicePort>());
    if (kernel) network.kernels.emplace(node, *std::move(kernel));
  }
  for (const auto& [name, kernel] : network.kernels) network.nodes.emplace(name, &kernel);
  for (const PodView& pod : world.Pods()) {
    if (!pod.netns.empty()) network.pod_names.emplace(pod.netns, pod.name);
  }
  network.fabric = FabricOf(world);
  return network;
}

WalkResult Send(ForwardingWalk& walk, const End& from, const Packet& packet) {
  return from.node.empty() ? walk.SendFromOutside(packet)
                           : walk.Send(from.node, from.netns, packet);
}

// The largest packet that arrives without being fragmented; 0 if none does.
int LargestPacket(const Network& network, const End& from, Packet packet) {
  const auto arrives = [&](int size) {
    ForwardingWalk walk(network.nodes, network.fabric);
    packet.size = size;
    return Send(walk, from, packet).arrived();
  };
  if (!arrives(kSmallestPacket)) return 0;
  int low = kSmallestPacket;
  int high = kLargestPacket;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (arrives(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::string InWords(const Network& network, const WalkResult& there, const Packet& sent) {
  if (!there.arrived()) {
    return fmt::format("lost at {}: {}", there.node.empty() ? "the VPC" : there.node,
                       DropReasonName(there.dropped));
  }
  const auto pod = network.pod_names.find(there.netns);
  std::string text =
      fmt::format("arrives at {}", pod != network.pod_names.end() ? "pod " + pod->second
                                   : there.node.empty()           ? std::string("the outside")
                                                                  : "node " + there.node);
  const FlowTuple& tuple = there.packet.tuple;
  text += tuple.src == sent.tuple.src
              ? fmt::format(" with its own source address {}", tuple.src.ToString())
              : fmt::format(", seen as {} instead of {}", tuple.src.ToString(),
                            sent.tuple.src.ToString());
  if (tuple.dst != sent.tuple.dst) {
    text += fmt::format("; sent to {}, which stands for {}", sent.tuple.dst.ToString(),
                        tuple.dst.ToString());
  }
  return text;
}

}  // namespace

Result<std::string> PathText(WorldView& world, const PathOptions& options) {
  const Result<End> from = FindEnd(world, options.from);
  if (!from) return tl::unexpected(from.error());
  if (from->node.empty() && options.from != kOutside) {
    return Fail("usage",
                fmt::format("'{}' sends nothing: name a pod, node/NODE or outside", options.from));
  }
  const Result<End> to = FindEnd(world, options.to);
  if (!to) return tl::unexpected(to.error());

  const auto addresses = OfOneFamily(*from, *to);
  if (!addresses) {
    return Fail("usage",
                fmt::format("{} and {} have no addresses of one family", options.from, options.to));
  }
  const std::string protocol =
      options.protocol.value_or(to->protocol.empty() ? "tcp" : to->protocol);
  if (!to->protocol.empty() && protocol != to->protocol) {
    return Fail("usage", fmt::format("{} is a service for {}, not for {}", options.to, to->protocol,
                                     protocol));
  }
  const Network network = NetworkOf(world, *from, *to);
  Packet packet;
  std::tie(packet.tuple.src, packet.tuple.dst) = *addresses;
  packet.tuple.protocol = protocol;
  if (packet.tuple.protocol != "icmp") {
    packet.tuple.source_port = kClientPort;
    packet.tuple.destination_port = options.port.value_or(to->port.value_or(kServerPort));
  }
  packet.size = options.size;

  ForwardingWalk walk(network.nodes, network.fabric);
  const WalkResult there = Send(walk, *from, packet);
  std::string text = RenderWalk(there, network.pod_names);
  text +=
      fmt::format("\n{} to {}: {}\n", options.from, options.to, InWords(network, there, packet));
  if (!there.arrived()) return text;
  if (const int largest = LargestPacket(network, *from, packet); largest > 0) {
    text += fmt::format("largest packet that arrives unfragmented: {} bytes\n", largest);
  }
  text += "\nThe answer:\n";
  const Packet reply = there.Reply();
  const WalkResult back =
      there.node.empty() ? walk.SendFromOutside(reply) : walk.Send(there.node, there.netns, reply);
  text += RenderWalk(back, network.pod_names);
  const bool home = back.arrived() && back.node == from->node && back.netns == from->netns;
  text += fmt::format("\nthe answer {}\n", home ? "comes back as one of the same connection"
                                           : back.arrived()
                                               ? fmt::format("goes astray, to {}", back.node)
                                               : InWords(network, back, reply));
  return text;
}

}  // namespace cnisim
