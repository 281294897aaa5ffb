// The commands that do an operation on a Linux host: ip, bridge, sysctl, iptables, ipset, nft.
//
// A command is its words, so none of them needs quoting; RenderCommandLine is for people. The
// commands of a plan, in its order, work on a host that is as the plan expects. What adds or
// removes fails where Apply would, but for neighbours: one that the kernel has learnt by itself is
// no obstacle.
//
// Not everything has a command. Physical links and the kernel's own tunnel device are there before
// and after: they are only configured. The pod's end of a veth pair comes and goes with the host's
// end, so that of the host has to come first. What a sysctl was before is not known. Addresses are
// added without the route to their block, which plans list where it is wanted.
//
// Syntax: iproute2 6.1, iptables 1.8.9, ipset 7.17, nftables 1.0.6, procps 4.0 of Debian 12.
#ifndef CNISIM_CORE_ROUTING_RENDER_COMMAND_H_
#define CNISIM_CORE_ROUTING_RENDER_COMMAND_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/routing/operation.h"

namespace cnisim {

using Command = std::vector<std::string>;

// How `ip netns` calls a host's namespaces. A host without a name is the one that the commands are
// run on.
struct NamespaceNames {
  std::string host;
  // Of the pod of that name, or of the host if it is empty; without slashes.
  std::string Of(const std::string& netns) const;
};

// `command` as it is run inside a namespace.
Command InNamespace(const std::string& name, const Command& command);

std::vector<Command> RenderCommands(const Operation& operation, const NamespaceNames& names);

// Where /proc/sys has it: "net/ipv4/conf/vlan.eth.5/rp_filter". A device's own dots stay.
std::string SysctlPath(std::string_view name);

// One line for a POSIX shell.
std::string RenderCommandLine(const Command& command);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_RENDER_COMMAND_H_
