// What has to be done to a host to bring it from one state to another: operations, each of which
// one netlink message or iptables command can do.
//
// The order is such that a pod which both states serve alike is served after every operation: all
// that comes is there before what goes leaves; a route before the rule that leads to it, a gateway
// before the route through it, a chain before the jump to it; what goes leaves in the opposite
// order. Two things cannot be had that way: a link that becomes another one takes all that is on it
// with it, and a rule that must change its place among rules of equal priority is removed and
// added, as the kernel appends. Their order is therefore left as it comes where it cannot matter.
//
// Errors: applying fails with kOperationExists if what is added is there already, and with
// kOperationMissing if what is replaced or removed, or the link below it, is not; the state is then
// unchanged. Complexity: Diff is O(size of both) but for chains that differ, which cost the product
// of their differing middles, and rules out of order; Apply is O(log) but for rules and chains,
// where it is linear in their number.
#ifndef CNISIM_CORE_ROUTING_HOST_DIFF_H_
#define CNISIM_CORE_ROUTING_HOST_DIFF_H_

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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

// Applied to `from`, in order, gives `to`; rules of equal priority that no packet can match both
// may stand in another order.
std::vector<Operation> Diff(const HostState& from, const HostState& to);

Status Apply(const Operation& operation, HostState& state);
// Stops at the first that fails.
Status Apply(std::span<const Operation> operations, HostState& state);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_HOST_DIFF_H_
