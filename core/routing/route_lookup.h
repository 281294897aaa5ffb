// Which way a packet goes: the kernel's walk over the rules and the longest match in their tables.
//
// Complexity: linear in the rules up to the deciding one, and for each table that is looked at one
// search of the ordered routes for each prefix length.
#ifndef CNISIM_CORE_ROUTING_ROUTE_LOOKUP_H_
#define CNISIM_CORE_ROUTING_ROUTE_LOOKUP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "core/routing/host_state.h"

namespace cnisim {

struct RouteQuery {
  IpAddress dst;
  std::optional<IpAddress> src;  // unset: the kernel chooses one
  std::string iif;               // where the packet came from; empty if from here
  uint32_t mark = 0;
  std::string ip_protocol;  // as a rule names it
};

struct RouteLookup {
  enum class Outcome : uint8_t { kNoRoute, kLocal, kUnicast, kBlackhole };

  Outcome outcome = Outcome::kNoRoute;
  const Rule* rule = nullptr;     // that decided; null without route
  const RouteKey* key = nullptr;  // of `route`
  const Route* route = nullptr;   // null if local or without route
  int rules_checked = 0;          // the deciding one included
  std::optional<IpAddress> src;   // what the kernel chooses for a packet from here
};

// The pointers are into `net`.
RouteLookup LookUpRoute(const NetState& net, const RouteQuery& query);

// The link that has this address, loopback's block included; empty if none has.
std::string LinkOfAddress(const NetState& net, IpAddress address);

// The address that a packet from here gets if its route names none: one of the link's, first that
// of the next hop's subnet; else the first of all links.
std::optional<IpAddress> SelectSource(const NetState& net, const std::string& dev,
                                      IpAddress next_hop);

// ip route get DST [from SRC] [iif DEV] [mark MARK]
std::string RenderRouteGet(const NetState& net, const RouteQuery& query);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_ROUTE_LOOKUP_H_
