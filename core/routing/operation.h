// One step from one host state to another: what a netlink message or an iptables command can do.
//
// Planners write operations and Diff finds them; Apply does them to a state, as the kernel would.
// Errors: kOperationExists if what is added is there already, and kOperationMissing if what is
// replaced or removed, or the link or namespace that it needs, is not; the state is then unchanged.
// Complexity: O(log) of the state, but linear in the rules or the chain where one of them changes.
#ifndef CNISIM_CORE_ROUTING_OPERATION_H_
#define CNISIM_CORE_ROUTING_OPERATION_H_

#include <compare>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/ports/result.h"
#include "core/routing/host_state.h"

namespace cnisim {

inline constexpr std::string_view kOperationExists = "EEXIST";
inline constexpr std::string_view kOperationMissing = "ENOENT";

enum class Verb : uint8_t { kAdd, kReplace, kRemove };

// One entry of one of the maps of a state.
template <typename Key, typename Value>
struct Entry {
  Key key;
  Value value;
  friend auto operator<=>(const Entry&, const Entry&) = default;
};

using LinkEntry = Entry<std::string, Link>;
using AddressEntry = Entry<AddressKey, AddressAttributes>;
using RouteEntry = Entry<RouteKey, Route>;
using NeighbourEntry = Entry<NeighbourKey, MacAddress>;
using SysctlEntry = Entry<std::string, std::string>;
using FdbEntry = Entry<FdbKey, IpAddress>;
using IpsetEntry = Entry<std::string, std::set<IpCidr>>;

// A rule and its place in its chain, from 1, as of the moment of the operation; 0 adds at the end
// and removes the first that is equal.
struct ChainRule {
  ChainKey chain;
  int position = 0;
  IptablesRule rule;
  friend auto operator<=>(const ChainRule&, const ChainRule&) = default;
};

// A pod's namespace: a new one is as NewNetState() makes it, and a removed one takes its content
// with it.
struct PodNamespace {
  std::string name;
  friend auto operator<=>(const PodNamespace&, const PodNamespace&) = default;
};

struct Operation {
  Verb verb = Verb::kAdd;
  std::string netns;  // empty: the host's
  std::variant<PodNamespace, LinkEntry, AddressEntry, SysctlEntry, NeighbourEntry, FdbEntry,
               RouteEntry, IpsetEntry, NftConnmark, ChainKey, ChainRule, Rule>
      subject;
  friend auto operator<=>(const Operation&, const Operation&) = default;
};

Status Apply(const Operation& operation, HostState& state);
// Stops at the first that fails.
Status Apply(std::span<const Operation> operations, HostState& state);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_OPERATION_H_
