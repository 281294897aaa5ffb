#include "core/routing/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "core/net/format.h"

namespace cnisim {
namespace {

// iproute2 leaves out the length of a single address.
std::string Prefix(const IpCidr& cidr) {
  return cidr.length() == (cidr.is_v4() ? 32 : 128) ? cidr.network().ToString() : cidr.ToString();
}

std::string ProtocolName(int protocol) {
  switch (protocol) {
    case kProtocolKernel:
      return "kernel";
    case kProtocolBird:
      return "bird";
    case kProtocolDhcp:
      return "dhcp";
    default:
      return std::to_string(protocol);
  }
}

std::string_view ScopeName(Scope scope) {
  switch (scope) {
    case Scope::kLink:
      return "link";
    case Scope::kHost:
      return "host";
    case Scope::kGlobal:
      break;
  }
  return "global";
}

std::vector<std::pair<std::string, const Link*>> LinksByIndex(const NetState& net) {
  std::vector<std::pair<std::string, const Link*>> links;
  for (const auto& [name, link] : net.links) links.emplace_back(name, &link);
  std::stable_sort(links.begin(), links.end(),
                   [](const auto& a, const auto& b) { return a.second->index < b.second->index; });
  return links;
}

// IPv4 first, as the kernel dumps.
std::vector<std::pair<IpAddress, AddressAttributes>> AddressesOf(const NetState& net,
                                                                 const std::string& dev) {
  std::vector<std::pair<IpAddress, AddressAttributes>> addresses;
  for (const Family family : {Family::kV4, Family::kV6}) {
    for (auto it = net.addresses.lower_bound({dev, Ipv6Address()});
         it != net.addresses.end() && it->first.dev == dev; ++it) {
      if (FamilyOf(it->first.address) == family) {
        addresses.emplace_back(it->first.address, it->second);
      }
    }
  }
  return addresses;
}

// With what it stands on: "eth0@if7", "vlan.eth.5@eth1".
std::string FullName(const std::string& name, const Link& link) {
  switch (link.type) {
    case LinkType::kVeth:
      return fmt::format("{}@if{}", name, link.peer_index);
    case LinkType::kVlan:
      return fmt::format("{}@{}", name, link.parent);
    case LinkType::kIpip:
      return name + "@NONE";
    default:
      return name;
  }
}

std::string_view OperState(const Link& link) {
  if (!link.up) return "DOWN";
  switch (link.type) {
    case LinkType::kLoopback:
    case LinkType::kVxlan:
    case LinkType::kIpip:
      return "UNKNOWN";
    default:
      return "UP";
  }
}

std::string_view KindFlags(const Link& link) {
  switch (link.type) {
    case LinkType::kLoopback:
      return "LOOPBACK";
    case LinkType::kIpip:
      return "NOARP";
    default:
      return "BROADCAST,MULTICAST";
  }
}

std::string_view Qdisc(const Link& link) {
  if (link.type == LinkType::kPhysical) return "mq";  // ENA has several queues
  return link.up ? "noqueue" : "noop";
}

std::string HardwareAddress(const Link& link, const std::string& parent_suffix) {
  switch (link.type) {
    case LinkType::kLoopback:
      return "link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00";
    case LinkType::kIpip:
      return "link/ipip 0.0.0.0 brd 0.0.0.0";
    default:
      return fmt::format("link/ether {} brd ff:ff:ff:ff:ff:ff{}", link.mac, parent_suffix);
  }
}

}  // namespace

std::string TableName(int table) {
  switch (table) {
    case kMainTable:
      return "main";
    case kLocalTable:
      return "local";
    case kDefaultTable:
      return "default";
    default:
      return std::to_string(table);
  }
}

std::string RenderBriefAddresses(const NetState& net) {
  std::string out;
  for (const auto& [name, link] : LinksByIndex(net)) {
    fmt::format_to(std::back_inserter(out), "{:<16} {:<14} ", FullName(name, *link),
                   OperState(*link));
    for (const auto& [address, attributes] : AddressesOf(net, name)) {
      fmt::format_to(std::back_inserter(out), "{}/{} ", address, attributes.length);
    }
    out += '\n';
  }
  return out;
}

std::string RenderAddresses(const NetState& net) {
  std::string out;
  for (const auto& [name, link] : LinksByIndex(net)) {
    const std::string peer = link->type != LinkType::kVeth ? ""
                             : link->peer_netns.empty()    ? " link-netnsid 0"
                                                           : " link-netns " + link->peer_netns;
    fmt::format_to(std::back_inserter(out),
                   "{}: {}: <{}{}> mtu {} qdisc {} state {} group default qlen 1000\n    {}\n",
                   link->index, FullName(name, *link), KindFlags(*link),
                   link->up ? ",UP,LOWER_UP" : "", link->mtu, Qdisc(*link), OperState(*link),
                   HardwareAddress(*link, peer));
    for (const auto& [address, attributes] : AddressesOf(net, name)) {
      fmt::format_to(std::back_inserter(out),
                     "    {} {}/{} scope {} {}\n       valid_lft forever preferred_lft forever\n",
                     address.is_v4() ? "inet" : "inet6", address, attributes.length,
                     ScopeName(attributes.scope), address.is_v4() ? name : "");
    }
  }
  return out;
}

std::string RenderRule(const Rule& rule) {
  std::string out =
      fmt::format("{}:\tfrom {}", rule.priority, rule.from ? Prefix(*rule.from) : "all");
  if (rule.to) out += " to " + Prefix(*rule.to);
  if (rule.mask != 0) {
    out += rule.mask == 0xffffffff ? fmt::format(" fwmark {:#x}", rule.mark)
                                   : fmt::format(" fwmark {:#x}/{:#x}", rule.mark, rule.mask);
  }
  if (!rule.iif.empty()) out += " iif " + rule.iif;
  if (!rule.ip_protocol.empty()) out += " ipproto " + rule.ip_protocol;
  return out + " lookup " + TableName(rule.table);
}

std::string RuleInSentence(const Rule& rule) {
  std::string text = RenderRule(rule);
  std::ranges::replace(text, '\t', ' ');
  return text;
}

std::string RouteInSentence(const RouteKey& key, const Route& route) {
  std::string text = RenderRoute(key, route, /*with_table=*/true);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string RenderRules(const NetState& net, Family family) {
  std::string out;
  for (const Rule& rule : net.rules) {
    if (rule.family == family) out += RenderRule(rule) + "\n";
  }
  return out;
}

std::string RenderRoute(const RouteKey& key, const Route& route, bool with_table) {
  std::string out;
  auto to = std::back_inserter(out);
  if (route.type == RouteType::kBlackhole) out += "blackhole ";
  fmt::format_to(to, "{} ", key.destination.length() == 0 ? "default" : Prefix(key.destination));
  if (route.via) fmt::format_to(to, "via {} ", *route.via);
  if (!route.dev.empty()) fmt::format_to(to, "dev {} ", route.dev);
  if (with_table && key.table != kMainTable) fmt::format_to(to, "table {} ", TableName(key.table));
  if (route.protocol != kProtocolBoot) {
    fmt::format_to(to, "proto {} ", ProtocolName(route.protocol));
  }
  // IPv6 routes have no scope.
  const bool v4 = key.destination.is_v4();
  if (v4 && route.scope != Scope::kGlobal) fmt::format_to(to, "scope {} ", ScopeName(route.scope));
  if (route.src) fmt::format_to(to, "src {} ", *route.src);
  if (key.metric != 0) fmt::format_to(to, "metric {} ", key.metric);
  if (route.onlink) out += "onlink ";
  if (route.mtu != 0) fmt::format_to(to, "mtu {} ", route.mtu);
  if (!v4) out += "pref medium";
  return out;
}

std::string RenderRoutes(const NetState& net, int table, Family family) {
  std::vector<std::pair<RouteKey, const Route*>> routes;
  for (auto it = net.routes.lower_bound({table, IpCidr(IpAddress(Ipv6Address())), 0});
       it != net.routes.end() && it->first.table == table; ++it) {
    if (FamilyOf(it->first.destination) == family) routes.emplace_back(it->first, &it->second);
  }
  if (family == Family::kV6) {
    // Linux walks IPv6's tree from the leaves up: a block comes after all that it contains.
    const auto last = [](const IpCidr& cidr) {
      const int length = cidr.length();
      const auto ones = [](int n) { return n <= 0 ? 0 : n >= 64 ? ~0ull : (1ull << n) - 1; };
      const Ipv6Address base = cidr.network().v6();
      return Ipv6Address(base.high() | ones(64 - length), base.low() | ones(128 - length));
    };
    std::stable_sort(routes.begin(), routes.end(), [&](const auto& a, const auto& b) {
      const IpCidr& x = a.first.destination;
      const IpCidr& y = b.first.destination;
      return std::pair(last(x), -x.length()) < std::pair(last(y), -y.length());
    });
  }
  std::string out;
  for (const auto& [key, route] : routes) out += RenderRoute(key, *route) + "\n";
  return out;
}

std::string RenderNeighbours(const NetState& net, std::string_view dev, Family family) {
  std::string out;
  for (const auto& [key, mac] : net.neighbours) {
    if (FamilyOf(key.address) != family || (!dev.empty() && key.dev != dev)) continue;
    const std::string on = dev.empty() ? fmt::format("dev {} ", key.dev) : "";
    fmt::format_to(std::back_inserter(out), "{} {}lladdr {} PERMANENT \n", key.address, on, mac);
  }
  return out;
}

std::string RenderFdb(const HostState& host, std::string_view dev) {
  std::string out;
  for (const auto& [key, remote] : host.fdb) {
    if (!dev.empty() && key.dev != dev) continue;
    const std::string on = dev.empty() ? fmt::format("dev {} ", key.dev) : "";
    fmt::format_to(std::back_inserter(out), "{} {}dst {} self permanent\n", key.mac, on, remote);
  }
  return out;
}

}  // namespace cnisim
