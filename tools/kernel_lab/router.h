// The network between the nodes: a namespace that stands for the VPC's router, and one host
// outside.
//
// A node's physical link is one end of a veth pair; the other is a port of the router. What EC2
// knows of an address is a /32 route to its ENI's port and a permanent neighbour with the ENI's
// MAC, so that the node is not asked. Whatever else of the VPC a node asks for by ARP, the router
// answers (proxy ARP), and it has the gateway's address of each subnet. Strict reverse-path filters
// at the ports are the source check; nothing comes to an ENI but what is for its addresses, which
// is the destination check.
//
// The outside host knows the way back to every address of the VPC, so a packet whose source is not
// translated is answered, and seen.
#ifndef CNISIM_TOOLS_KERNEL_LAB_ROUTER_H_
#define CNISIM_TOOLS_KERNEL_LAB_ROUTER_H_

#include <map>
#include <string>
#include <utility>

#include "core/net/ip.h"
#include "core/ports/result.h"
#include "core/routing/host_state.h"
#include "tools/kernel_lab/namespaces.h"

namespace cnisim {

// Of TEST-NET-2 (RFC 5737).
inline constexpr Ipv4Address kOutsideAddress{198, 51, 100, 2};

class Router {
 public:
  // `namespaces` are used until the router is destroyed.
  explicit Router(Namespaces& namespaces) : namespaces_(namespaces) {}

  // Makes both namespaces.
  Status Start();
  // The full name of the outside host's namespace, which has kOutsideAddress.
  std::string outside() const { return namespaces_.NameOf("outside"); }
  Status AddGateway(IpAddress gateway);

  // A node's link comes, named and numbered as planned, and goes.
  Status Plug(const std::string& node, const std::string& name, const Link& link);
  Status Unplug(const std::string& node, const std::string& name);
  // The address belongs to that link, which is plugged in, or to none any more.
  Status Assign(IpAddress address, const std::string& node, const std::string& name);
  Status Unassign(IpAddress address);

 private:
  struct Port {
    std::string name;
    MacAddress mac;  // of the node's end
  };

  std::string router() const { return namespaces_.NameOf("router"); }

  Namespaces& namespaces_;
  std::map<std::pair<std::string, std::string>, Port> ports_;  // by node and link
  int last_port_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_ROUTER_H_
