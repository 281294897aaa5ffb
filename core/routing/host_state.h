// The network state of a host as plain data: what a planner wants, what the kernel has.
//
// A state is a value: it can be copied, compared, and walked in a defined order. Everything is kept
// in a map from what identifies it to the kernel to its other attributes, but for the rules, which
// are a sequence. What the kernel derives by itself is left out: the local table (it follows from
// the addresses), IPv6 link-local addresses, and multicast. Connected routes are listed, as agents
// remove them.
//
// Sizes in bytes; table 254 is main, 255 local, 253 default. Sources: Linux's rtnetlink and
// iproute2 6.1 for the attributes, amazon-vpc-cni-k8s v1.23.1 and Calico v3.32 for which of them
// there are.
#ifndef CNISIM_CORE_ROUTING_HOST_STATE_H_
#define CNISIM_CORE_ROUTING_HOST_STATE_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/ip.h"
#include "core/net/mac.h"
#include "core/routing/iptables.h"

namespace cnisim {

inline constexpr int kMainTable = 254;
inline constexpr int kLocalTable = 255;
inline constexpr int kDefaultTable = 253;

enum class LinkType : uint8_t { kLoopback, kPhysical, kVeth, kVlan, kVxlan, kIpip };

// A veth pair is two links, each in its namespace, that name each other.
struct Link {
  LinkType type = LinkType::kPhysical;
  int index = 0;
  MacAddress mac;
  int mtu = 1500;
  bool up = true;
  std::string parent;      // the link below a VLAN or VXLAN
  int id = 0;              // VLAN id or VNI
  IpAddress local;         // VXLAN: source of the outer header
  std::string peer_netns;  // veth: where its other end is; empty for the host
  std::string peer;
  int peer_index = 0;
  friend auto operator<=>(const Link&, const Link&) = default;
};

enum class Scope : uint8_t { kGlobal = 0, kLink = 253, kHost = 254 };

struct AddressKey {
  std::string dev;
  IpAddress address;
  friend auto operator<=>(const AddressKey&, const AddressKey&) = default;
};

struct AddressAttributes {
  int length = 32;
  Scope scope = Scope::kGlobal;
  friend auto operator<=>(const AddressAttributes&, const AddressAttributes&) = default;
};

// Ordered as Linux dumps an IPv4 table: ascending, of equal base addresses the longest first.
struct RouteKey {
  int table = kMainTable;
  IpCidr destination;
  uint32_t metric = 0;

  friend bool operator==(const RouteKey&, const RouteKey&) = default;
  friend std::strong_ordering operator<=>(const RouteKey& a, const RouteKey& b) {
    if (const auto c = a.table <=> b.table; c != 0) return c;
    if (const auto c = a.destination.network() <=> b.destination.network(); c != 0) return c;
    if (const auto c = b.destination.length() <=> a.destination.length(); c != 0) return c;
    return a.metric <=> b.metric;
  }
};

// Numbers of /etc/iproute2/rt_protos. Calico's Felix marks its own routes with 80.
inline constexpr int kProtocolKernel = 2;
inline constexpr int kProtocolBoot = 3;
inline constexpr int kProtocolBird = 12;
inline constexpr int kProtocolDhcp = 16;
inline constexpr int kProtocolFelix = 80;

enum class RouteType : uint8_t { kUnicast, kBlackhole };

struct Route {
  RouteType type = RouteType::kUnicast;
  std::optional<IpAddress> via;
  std::string dev;
  int protocol = kProtocolBoot;
  Scope scope = Scope::kGlobal;
  std::optional<IpAddress> src;
  bool onlink = false;
  int mtu = 0;  // 0: the device's
  friend auto operator<=>(const Route&, const Route&) = default;
};

// An entry of the routing policy database. Rules are tried in the order of their priority; of equal
// ones, the one that was added first.
struct Rule {
  Family family = Family::kV4;
  int priority = 0;
  std::optional<IpCidr> from;
  std::optional<IpCidr> to;
  uint32_t mark = 0;
  uint32_t mask = 0;  // 0: any mark
  std::string iif;
  std::string ip_protocol;  // empty: any
  int table = kMainTable;
  friend auto operator<=>(const Rule&, const Rule&) = default;
};

struct NeighbourKey {
  std::string dev;
  IpAddress address;
  friend auto operator<=>(const NeighbourKey&, const NeighbourKey&) = default;
};

struct FdbKey {
  std::string dev;
  MacAddress mac;
  friend auto operator<=>(const FdbKey&, const FdbKey&) = default;
};

// One network namespace. Neighbours are the PERMANENT ones only.
struct NetState {
  std::map<std::string, Link> links;
  std::map<AddressKey, AddressAttributes> addresses;
  std::map<RouteKey, Route> routes;
  std::vector<Rule> rules;  // IPv4 ones first, then by priority
  std::map<NeighbourKey, MacAddress> neighbours;
  std::map<std::string, std::string> sysctls;  // "net.ipv4.ip_forward" -> "1"
  friend bool operator==(const NetState&, const NetState&) = default;
};

// The VPC CNI's nftables table "aws-cni", which has one form only (v1.23.0 and later).
struct NftConnmark {
  std::string veth_prefix;
  uint32_t mark = 0;
  std::set<IpCidr> unmarked;  // destinations; their order is irrelevant
  friend auto operator<=>(const NftConnmark&, const NftConnmark&) = default;
};

// The host's own namespace with what only it has, and the namespaces of the pods by name.
struct HostState {
  NetState net;
  std::map<FdbKey, IpAddress> fdb;  // VXLAN device and MAC -> the host that has it
  std::map<ChainKey, std::vector<IptablesRule>> chains;
  std::map<std::string, std::set<IpCidr>> ipsets;
  std::optional<NftConnmark> nft;
  std::map<std::string, NetState> pods;
  friend bool operator==(const HostState&, const HostState&) = default;

  // Of the pod of that name, or of the host if it is empty; null if there is no such pod.
  const NetState* Find(const std::string& netns) const;
  NetState* Find(const std::string& netns);
};

// As the kernel makes them: the loopback device, the built-in rules; empty built-in chains.
NetState NewNetState();
HostState NewHostState();

// The device of "net.ipv4.conf.DEVICE.rp_filter" and its like, which may have dots; empty if it is
// none. Such a setting goes with the device.
std::string_view DeviceOfSysctl(std::string_view name);

// The built-in chains of a table, in the order in which `iptables -S` lists them.
const std::vector<std::string>& BuiltinChains(IptablesTable table);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_HOST_STATE_H_
