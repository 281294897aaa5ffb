#include "tools/kernel_lab/router.h"

#include <fmt/format.h>

#include "tools/kernel_lab/process.h"

namespace cnisim {
namespace {

// The VPC carries jumbo frames, whatever a node's own MTU.
const char* const kMtu = "9001";

}  // namespace

Status Router::Start() {
  if (Status status = namespaces_.Add("router"); !status) return status;
  if (Status status = namespaces_.Add("outside"); !status) return status;
  return RunCommands({
      // The filter of a link is the stricter of its own and that of all.
      InNamespace(router(), {"sysctl", "-qw", "net/ipv4/ip_forward=1",
                             "net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/default/rp_filter=1"}),
      {"ip", "-n", router(), "link", "add", "name", "outside", "type", "veth", "peer", "name",
       "eth0", "netns", outside()},
      {"ip", "-n", router(), "addr", "add", "198.51.100.1/24", "dev", "outside"},
      {"ip", "-n", router(), "link", "set", "dev", "outside", "mtu", kMtu, "up"},
      {"ip", "-n", outside(), "addr", "add", kOutsideAddress.ToString() + "/24", "dev", "eth0"},
      {"ip", "-n", outside(), "link", "set", "dev", "eth0", "mtu", kMtu, "up"},
      {"ip", "-n", outside(), "route", "add", "default", "via", "198.51.100.1"},
  });
}

Status Router::AddGateway(IpAddress gateway) {
  return RunCommands({{"ip", "-n", router(), "addr", "replace", gateway.ToString(), "dev", "lo"}});
}

Status Router::Plug(const std::string& node, const std::string& name, const Link& link) {
  Port& port = ports_[{node, name}];
  port = {fmt::format("port{}", ++last_port_), link.mac};
  return RunCommands({
      {"ip", "-n", namespaces_.NameOf(node), "link", "add", "name", name, "index",
       std::to_string(link.index), "type", "veth", "peer", "name", port.name, "netns", router()},
      {"ip", "-n", router(), "link", "set", "dev", port.name, "mtu", kMtu, "up"},
      InNamespace(router(),
                  {"sysctl", "-qw", fmt::format("net/ipv4/conf/{}/proxy_arp=1", port.name),
                   fmt::format("net/ipv4/neigh/{}/proxy_delay=0", port.name)}),
  });
}

Status Router::Unplug(const std::string& node, const std::string& name) {
  const auto port = ports_.extract({node, name});
  if (port.empty()) return Fail("ENOENT", fmt::format("port of {} {}", node, name));
  return RunCommands({{"ip", "-n", router(), "link", "del", "dev", port.mapped().name}});
}

Status Router::Assign(IpAddress address, const std::string& node, const std::string& name) {
  const auto found = ports_.find({node, name});
  if (found == ports_.end()) return Fail("ENOENT", fmt::format("port of {} {}", node, name));
  const Port& port = found->second;
  return RunCommands({
      {"ip", "-n", router(), "route", "replace", address.ToString(), "dev", port.name},
      {"ip", "-n", router(), "neigh", "replace", address.ToString(), "lladdr", port.mac.ToString(),
       "dev", port.name, "nud", "permanent"},
  });
}

Status Router::Unassign(IpAddress address) {
  return RunCommands({{"ip", "-n", router(), "route", "del", address.ToString()}});
}

}  // namespace cnisim
