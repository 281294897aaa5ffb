#include "core/routing/route_lookup.h"

#include <fmt/format.h>

#include <iterator>

#include "core/net/format.h"
#include "core/routing/render.h"

namespace cnisim {
namespace {

bool Matches(const Rule& rule, const RouteQuery& query) {
  if (rule.family != FamilyOf(query.dst)) return false;
  if (rule.to && !rule.to->Contains(query.dst)) return false;
  if (rule.from && (!query.src || !rule.from->Contains(*query.src))) return false;
  if ((query.mark & rule.mask) != rule.mark) return false;
  if (!rule.iif.empty() && rule.iif != (query.iif.empty() ? "lo" : query.iif)) return false;
  return rule.ip_protocol.empty() || rule.ip_protocol == query.ip_protocol;
}

// The longest match of a table, of equal ones that with the lowest metric.
std::map<RouteKey, Route>::const_iterator LongestMatch(const NetState& net, int table,
                                                       IpAddress dst) {
  for (int length = dst.is_v4() ? 32 : 128; length >= 0; --length) {
    const IpCidr block =
        dst.is_v4() ? IpCidr(Ipv4Cidr(dst.v4(), length)) : IpCidr(Ipv6Cidr(dst.v6(), length));
    const auto found = net.routes.lower_bound({table, block, 0});
    if (found != net.routes.end() && found->first.table == table &&
        found->first.destination == block) {
      return found;
    }
  }
  return net.routes.end();
}

}  // namespace

std::string LinkOfAddress(const NetState& net, IpAddress address) {
  for (const auto& [key, attributes] : net.addresses) {
    if (key.address == address) return key.dev;
  }
  const bool loopback =
      address.is_v4() && Ipv4Cidr(Ipv4Address(127, 0, 0, 0), 8).Contains(address.v4());
  return loopback ? "lo" : "";
}

std::optional<IpAddress> SelectSource(const NetState& net, const std::string& dev,
                                      IpAddress next_hop) {
  std::optional<IpAddress> on_link;
  std::optional<IpAddress> anywhere;
  int lowest_index = 0;
  for (const auto& [key, attributes] : net.addresses) {
    if (FamilyOf(key.address) != FamilyOf(next_hop) || attributes.scope != Scope::kGlobal) continue;
    if (key.dev == dev) {
      const IpCidr subnet = key.address.is_v4()
                                ? IpCidr(Ipv4Cidr(key.address.v4(), attributes.length))
                                : IpCidr(Ipv6Cidr(key.address.v6(), attributes.length));
      if (subnet.Contains(next_hop)) return key.address;
      if (!on_link) on_link = key.address;
    }
    const auto link = net.links.find(key.dev);
    const int index = link == net.links.end() ? 0 : link->second.index;
    if (!anywhere || index < lowest_index) {
      anywhere = key.address;
      lowest_index = index;
    }
  }
  return on_link ? on_link : anywhere;
}

RouteLookup LookUpRoute(const NetState& net, const RouteQuery& query) {
  RouteLookup lookup;
  for (const Rule& rule : net.rules) {
    if (rule.family != FamilyOf(query.dst)) continue;
    ++lookup.rules_checked;
    if (!Matches(rule, query)) continue;
    if (rule.table == kLocalTable) {
      if (LinkOfAddress(net, query.dst).empty()) continue;
      lookup.outcome = RouteLookup::Outcome::kLocal;
      lookup.rule = &rule;
      lookup.src = query.src ? *query.src : query.dst;
      return lookup;
    }
    const auto found = LongestMatch(net, rule.table, query.dst);
    if (found == net.routes.end()) continue;
    lookup.rule = &rule;
    lookup.key = &found->first;
    lookup.route = &found->second;
    if (found->second.type == RouteType::kBlackhole) {
      lookup.outcome = RouteLookup::Outcome::kBlackhole;
    } else {
      lookup.outcome = RouteLookup::Outcome::kUnicast;
      const Route& route = found->second;
      lookup.src = query.src   ? query.src
                   : route.src ? route.src
                               : SelectSource(net, route.dev, route.via.value_or(query.dst));
    }
    return lookup;
  }
  return lookup;
}

std::string RenderRouteGet(const NetState& net, const RouteQuery& query) {
  const RouteLookup lookup = LookUpRoute(net, query);
  const bool local = lookup.outcome == RouteLookup::Outcome::kLocal;
  const bool v4 = query.dst.is_v4();
  if (lookup.outcome == RouteLookup::Outcome::kNoRoute) {
    return "RTNETLINK answers: Network is unreachable\n";
  }
  if (lookup.outcome == RouteLookup::Outcome::kBlackhole) {
    return "RTNETLINK answers: Invalid argument\n";
  }
  std::string out;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{}{} ", local ? "local " : "", query.dst);
  if (query.src) {
    fmt::format_to(to, "from {} ", *query.src);
  } else if (!v4) {
    out += "from :: ";
  }
  if (!local && lookup.route->via) fmt::format_to(to, "via {} ", *lookup.route->via);
  fmt::format_to(to, "dev {} ", local ? "lo" : lookup.route->dev);
  if (lookup.rule->table != kMainTable) {
    fmt::format_to(to, "table {} ", TableName(lookup.rule->table));
  }
  if (!query.src && lookup.src) fmt::format_to(to, "src {} ", *lookup.src);
  if (query.mark != 0) fmt::format_to(to, "mark {:#x} ", query.mark);
  const std::string iif = query.iif.empty() ? "" : fmt::format("iif {} ", query.iif);
  if (!v4) {
    if (!local) fmt::format_to(to, "metric {} ", lookup.key->metric);
    return fmt::format("{}{}pref medium\n", out, iif);
  }
  if (query.iif.empty()) out += "uid 0 ";
  out += "\n    cache ";
  if (local) out += "<local> ";
  if (!local && lookup.route->mtu != 0) fmt::format_to(to, "mtu {} ", lookup.route->mtu);
  return out + iif + "\n";
}

}  // namespace cnisim
