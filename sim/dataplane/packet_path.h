// What packets between two ends meet on their way, counted from the tables that the routing core
// made: how often each cost of costs.inc is paid, on which side, and what the wire sees.
//
// Nothing here is a constant of a plugin or mode: rules, lookups, hooks, tunnels and what is
// tracked come from a forwarding walk (core/routing/forwarding_walk.h) over the hosts' states, by
// these rules of Linux:
//  - A network namespace with rules of its own walks them at each lookup, after the local table,
//  and
//    again the other way round to validate the source of each packet that came in (fib_rules,
//    fib_validate_source). Without such rules a lookup is one search, and so is its validation
//    where rp_filter asks for one.
//  - Each way through a host's hooks looks for the connection, unless the raw table says NOTRACK. A
//    nat table is walked for a connection's first packet only.
//  - kube-proxy's part (its chains need not be in the states) is paid by a connection's first
//  packet
//    at each tracked beginning of a way through hooks; the first of all meets the service.
//  - All that a sender's host does is done by the sending CPU, all that the receiver's does up to
//  the
//    socket by the CPU of the receive queue (veth pairs and tunnels keep to the CPU).
// Sources: Linux 5.10 to 6.12, net/ipv4, net/netfilter, drivers/net/veth.c.
#ifndef CNISIM_SIM_DATAPLANE_PACKET_PATH_H_
#define CNISIM_SIM_DATAPLANE_PACKET_PATH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/routing/forwarding_walk.h"
#include "sim/dataplane/cost_profile.h"
#include "sim/dataplane/spec.h"

namespace cnisim {

struct PathEnd {
  std::string node;
  std::string netns;  // empty: the node itself
  IpAddress ip;
};

// One direction.
struct PacketWay {
  DropReason dropped = DropReason::kNone;
  std::string lost_at;   // the node, if dropped
  bool crosses = false;  // from one node to another
  CostVector send;       // paid by each packet at the sending node; all of it if nothing crosses
  CostVector receive;    // at the receiving node
  std::optional<LinkType> tunnel;
  int overhead = 0;  // bytes of headers that the tunnel adds to each packet on the wire
  FlowTuple wire;    // of the packet on the wire
  // Of the largest packet that the ends would send: it goes on in fragments.
  bool fragments = false;
  // The tunnel's device leaves checksums to nobody below it, and so gets one segment at a time.
  bool no_offloads = false;

  friend bool operator==(const PacketWay&, const PacketWay&) = default;
};

// What happens to packets that are larger than the way allows.
enum class TooBig : uint8_t {
  kNone,    // the ends' devices agree with the way
  kLearnt,  // the sender is told by its own host and sends smaller ones
  kLost,    // somewhere beyond: nobody tells in a way that helps
};

struct PairPath {
  PacketWay request;
  PacketWay reply;
  // What a connection's first packet pays in addition, at the client's and the server's node.
  CostVector first_client;
  CostVector first_server;
  int client_entries = 0;  // in conntrack, of one more connection
  int server_entries = 0;  // none if nothing crosses: the client's are the node's
  // Of the IP packets that the ends exchange: the smaller of their devices', or what they learn.
  int mtu = 0;
  TooBig too_big = TooBig::kNone;

  bool works() const {
    return request.dropped == DropReason::kNone && reply.dropped == DropReason::kNone;
  }
};

// What the hosts' states do not say.
struct PathSettings {
  KubeProxySpec kube_proxy;
  bool vxlan_checksum_offload = true;  // ethtool -K vxlan.calico tx-checksum-ip-generic
};

class PathFinder {
 public:
  // All are used until it is destroyed.
  PathFinder(const std::map<std::string, const HostState*>& nodes, const Fabric& fabric,
             const PathSettings& settings)
      : nodes_(nodes), fabric_(fabric), settings_(settings) {}

  // Of connections from one end to another, with the address of a service in front of it or not.
  // Seven walks.
  PairPath Find(const PathEnd& from, const PathEnd& to, Transport transport,
                bool via_service) const;

 private:
  const std::map<std::string, const HostState*>& nodes_;
  const Fabric& fabric_;
  const PathSettings& settings_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_PACKET_PATH_H_
