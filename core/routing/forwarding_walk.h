// Follows a packet from where it is sent to where it arrives or is lost, through the tables of
// every host on its way, and tells each step.
//
// On a host: netfilter's hooks, the lookup, the MTU, the neighbour, the device; tunnels are entered
// and left. Between hosts a Fabric decides. Connections are remembered from one packet to the next,
// so a reply is simply another packet. Not followed: reverse-path filters, ICMP errors, fragments
// (a packet that is fragmented goes on as one), network policies that are not in the chains.
//
// Sizes are those of the IP packet, in bytes: VXLAN adds 50 over IPv4 and 70 over IPv6 (14 inner
// Ethernet, 8 VXLAN, 8 UDP, 20 or 40 IP), IP-in-IP 20.
#ifndef CNISIM_CORE_ROUTING_FORWARDING_WALK_H_
#define CNISIM_CORE_ROUTING_FORWARDING_WALK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/mac.h"
#include "core/routing/conntrack.h"
#include "core/routing/host_state.h"
#include "core/routing/netfilter.h"
#include "core/routing/operation.h"

namespace cnisim {

struct Encapsulated;

struct Packet {
  FlowTuple tuple;
  int size = 100;
  bool dont_fragment = true;
  uint32_t mark = 0;
  std::shared_ptr<const Encapsulated> inner;  // of a tunnel's packet
};

struct Encapsulated {
  LinkType tunnel = LinkType::kVxlan;
  int vni = 0;
  MacAddress mac;  // VXLAN: to whom the inner frame is addressed
  Packet packet;
};

enum class DropReason : uint8_t {
  kNone,
  kNoRoute,
  kBlackhole,
  kPacketTooBig,        // the sender is told, if it is reachable
  kFiltered,            // by a chain
  kSourceCheck,         // the fabric: the ENI does not have the source address
  kDestinationCheck,    // the fabric: nor the destination
  kUnknownDestination,  // the fabric knows nobody with that address
  kNoNeighbour,         // nobody answers for the next hop's address
  kWrongNeighbour,      // the entry names a MAC that the other end does not have
  kNoFdbEntry,
  kNoDevice,     // the route's device is not there or down
  kNotReceived,  // the host that it came to neither has the address nor forwards it
  kHopLimit,
};

std::string_view DropReasonName(DropReason reason);

// What lies between the hosts. `via` is the next hop on the sending link, which is the destination
// itself if it is on-link.
struct FabricFrame {
  std::string node;
  std::string link;
  IpAddress via;
  IpAddress src;
  IpAddress dst;
  int size = 0;  // of the IP packet
  bool dont_fragment = false;
};

struct FabricVerdict {
  DropReason dropped = DropReason::kNone;
  std::string node;  // where it arrives; empty: outside of all nodes
  std::string link;
};

class Fabric {
 public:
  virtual ~Fabric() = default;
  virtual FabricVerdict Carry(const FabricFrame& frame) const = 0;
};

struct WalkStep {
  enum class Kind : uint8_t {
    kLookup,       // `rule`, `route`, `rules_checked`; a local destination has no route
    kNetfilter,    // one table at one hook
    kFragment,     // needed, and allowed
    kEncapsulate,  // the packet is the outer one from here
    kDecapsulate,
    kTransmit,   // out of `dev`; into a pod, onto the fabric
    kDelivered,  // at `node` and `netns`; outside if both are empty
    kDropped,
  };

  Kind kind = Kind::kLookup;
  std::string node;
  std::string netns;
  std::string dev;
  FlowTuple packet;  // after the step
  uint32_t mark = 0;
  int size = 0;
  std::optional<Rule> rule;
  std::optional<RouteEntry> route;
  int rules_checked = 0;
  std::optional<HookTrace> table;
  DropReason dropped = DropReason::kNone;
};

struct WalkResult {
  std::vector<WalkStep> steps;
  DropReason dropped = DropReason::kNone;
  Packet packet;      // as it arrived, or as it was lost
  std::string node;   // where; empty if outside
  std::string netns;  // empty: the host itself

  bool arrived() const { return dropped == DropReason::kNone; }
  // What whoever received it answers.
  Packet Reply() const;
};

// One line a step. `names` are what to call pods' namespaces; others keep their own.
std::string RenderWalk(const WalkResult& result,
                       const std::map<std::string, std::string>& names = {});

class ForwardingWalk {
 public:
  // Whether results have all steps, or the last one only, which is cheaper.
  enum class Detail : uint8_t { kSteps, kEnd };

  // Both are used until the walk is destroyed. States may change between packets.
  ForwardingWalk(const std::map<std::string, const HostState*>& nodes, const Fabric& fabric,
                 Detail detail = Detail::kSteps)
      : nodes_(nodes), fabric_(fabric), detail_(detail) {}

  // From a pod's namespace, or from the host itself if `netns` is empty.
  WalkResult Send(const std::string& node, const std::string& netns, Packet packet);
  // From outside, to whoever the fabric says.
  WalkResult SendFromOutside(const Packet& packet);

  const Conntrack& conntrack(const std::string& node) { return conntracks_[node]; }

 private:
  class Journey;

  const std::map<std::string, const HostState*>& nodes_;
  const Fabric& fabric_;
  Detail detail_;
  std::map<std::string, Conntrack> conntracks_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_FORWARDING_WALK_H_
