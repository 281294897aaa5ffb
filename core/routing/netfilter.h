// What a host's iptables chains and nftables connmark do to one packet at one hook.
//
// Tables run in the kernel's order (raw, conntrack, mangle, nat, nftables' -90, filter). A nat
// table is walked for the first packet of a connection only; later ones are translated as the
// connection remembers. Where a rule asks for a random number, a hash of the connection answers.
#ifndef CNISIM_CORE_ROUTING_NETFILTER_H_
#define CNISIM_CORE_ROUTING_NETFILTER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/routing/conntrack.h"
#include "core/routing/host_state.h"

namespace cnisim {

enum class Hook : uint8_t { kPrerouting, kInput, kForward, kOutput, kPostrouting };

// A packet inside a host.
struct HookPacket {
  FlowTuple tuple;
  uint32_t mark = 0;
  std::string in;  // interfaces; empty where there is none
  std::string out;
  bool tracked = true;
  std::shared_ptr<Connection> connection;  // set at the first hook
  bool is_new = false;
  bool is_reply = false;
};

// One table at one hook.
struct HookTrace {
  std::string table;
  std::string chain;  // the built-in one
  int rules_checked = 0;
  std::vector<std::string> effects;  // rules that changed the packet, as `-S` prints them
};

struct HookResult {
  bool dropped = false;
  std::vector<HookTrace> tables;  // those that have rules for it
};

// Whether a rule's name of an interface means this one: "eni+" stands for every name that begins
// with "eni".
bool InterfaceMatches(const std::string& pattern, const std::string& name);

// A connection is remembered at the last hook that it passes (input or postrouting).
HookResult RunHook(Hook hook, const HostState& host, Conntrack& conntrack, HookPacket& packet);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_NETFILTER_H_
