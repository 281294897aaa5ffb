#include "core/routing/plan.h"

#include <algorithm>

namespace cnisim {
namespace {

IpCidr AnyOf(IpAddress address) {
  return address.is_v4() ? IpCidr(Ipv4Cidr(Ipv4Address(), 0)) : IpCidr(Ipv6Cidr(Ipv6Address(), 0));
}

// IPv6 routes have metric 1024 where none is given.
uint32_t MetricOf(IpAddress address) { return address.is_v4() ? 0 : 1024; }

}  // namespace

void AddVethPair(const VethPair& veth, int mtu, Plan& plan) {
  Link host;
  host.type = LinkType::kVeth;
  host.index = veth.host_index;
  host.mac = veth.host_mac;
  host.mtu = mtu;
  host.peer_netns = veth.netns;
  host.peer = veth.container_name;
  host.peer_index = veth.container_index;
  Link container;
  container.type = LinkType::kVeth;
  container.index = veth.container_index;
  container.mac = veth.container_mac;
  container.mtu = mtu;
  container.peer = veth.host_name;
  container.peer_index = veth.host_index;
  plan.Add(LinkEntry{veth.host_name, std::move(host)});
  plan.Add(LinkEntry{veth.container_name, std::move(container)}, veth.netns);
}

RouteEntry DeviceRoute(IpAddress to, std::string dev, int table) {
  Route route;
  route.dev = std::move(dev);
  route.scope = Scope::kLink;
  return {{table, IpCidr(to), MetricOf(to)}, std::move(route)};
}

RouteEntry DefaultRoute(IpAddress via, std::string dev, int table) {
  Route route;
  route.via = via;
  route.dev = std::move(dev);
  return {{table, AnyOf(via), MetricOf(via)}, std::move(route)};
}

RouteEntry ConnectedRoute(const IpCidr& subnet, std::string dev, IpAddress address) {
  RouteEntry entry = DeviceRoute(subnet.network(), std::move(dev));
  entry.key.destination = subnet;
  entry.value.protocol = kProtocolKernel;
  entry.value.src = address;
  return entry;
}

void AddDistributionRoutes(NodeImage image, const std::string& link, IpAddress address,
                           const IpCidr& subnet, IpAddress gateway,
                           std::optional<IpAddress> resolver, Plan& plan) {
  RouteEntry connected = ConnectedRoute(subnet, link, address);
  if (image == NodeImage::kAl2) {
    plan.Add(std::move(connected));
    plan.Add(DefaultRoute(gateway, link));
    return;
  }
  constexpr uint32_t kDhcpMetric = 512;
  const auto dhcp = [&](RouteEntry entry) {
    entry.key.metric = kDhcpMetric;
    entry.value.protocol = kProtocolDhcp;
    entry.value.src = address;
    plan.Add(std::move(entry));
  };
  connected.key.metric = kDhcpMetric;
  plan.Add(std::move(connected));
  dhcp(DeviceRoute(gateway, link));
  dhcp(DefaultRoute(gateway, link));
  if (resolver) dhcp(DeviceRoute(*resolver, link));
}

std::vector<Operation> Undo(std::vector<Operation> additions) {
  std::erase_if(additions, [](const Operation& operation) { return !operation.netns.empty(); });
  std::reverse(additions.begin(), additions.end());
  for (Operation& operation : additions) operation.verb = Verb::kRemove;
  return additions;
}

}  // namespace cnisim
