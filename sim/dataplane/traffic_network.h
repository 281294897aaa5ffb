// Traffic between pods as a queue network: which CPU, NIC and limit each request visits, and for
// how long.
//
// A host is its CPUs, each a queue that serves soft interrupts and threads in the order in which
// they come, and its NIC, one queue in and one out. A packet's way (packet_time.h) is cut at the
// places where another takes over:
//   client's CPU -> NIC out -> [flow limit] -> fabric -> NIC in -> CPU of the receive queue ->
//   server's CPU (reads, works, answers) -> the same way back -> client's CPU.
// Within a node the client's CPU does all up to the server's socket. Threads are spread over the
// CPUs in turn; receive queues are chosen by a hash of what the NIC hashes: ports for TCP and UDP,
// so also for VXLAN's outer packets, addresses alone for IP-in-IP, all of which between two nodes
// lands on one CPU. EC2's limit for one flow groups in the same way: it makes those wait that would
// exceed it, and takes no time itself.
//
// A request or answer is one visit to each place, whatever its size; a bulk stream keeps
// kStreamWindow stack packets of 64 KiB under way, each acknowledged.
// Where connections are made for each request, the handshake's packets take their way first, and
// pay what first packets pay.
#ifndef CNISIM_SIM_DATAPLANE_TRAFFIC_NETWORK_H_
#define CNISIM_SIM_DATAPLANE_TRAFFIC_NETWORK_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/dataplane/cost_profile.h"
#include "sim/dataplane/packet_path.h"
#include "sim/dataplane/queue_network.h"
#include "sim/dataplane/spec.h"

namespace cnisim {

// Stack packets of a bulk stream that are sent and not yet acknowledged: 1 MiB. Assumption: Linux's
// tcp_rmem lets windows grow to 6 MiB; less is in use where the way is short.
inline constexpr uint32_t kStreamWindow = 16;

struct TrafficHost {
  std::string name;
  int cpus = 1;
  double bits_per_second = 0;  // each way; 0: the profile's
};

// A pair of pods that exchange one entry's traffic.
struct TrafficPair {
  uint32_t traffic = 0;  // an index into the scenario's traffic
  uint32_t client = 0;   // indices of hosts
  uint32_t server = 0;
  uint64_t key = 0;               // names the pair in random numbers and hashes
  double fabric_nanoseconds = 0;  // one way between the hosts' ENIs
  PairPath path;
};

// What all requests of one entry pay together.
struct TrafficCost {
  double client_cpu_ns = 0;  // a request, networking only, on the client's node
  double server_cpu_ns = 0;
  double wire_bytes = 0;  // a request with its answer, over the fabric
  double wire_packets = 0;
  double payload_bytes = 0;
};

struct TrafficNetwork {
  QueueNetwork network;            // its groups are the scenario's traffic
  std::vector<uint32_t> pair_of;   // of each class, an index into the pairs
  std::vector<TrafficCost> costs;  // of each class
  // Of each host, a station; its other CPUs follow, then NIC out and NIC in.
  std::vector<uint32_t> first_cpu;
};

// Pairs that do not work are left out. Of a bulk stream a request is one stack packet.
TrafficNetwork BuildTrafficNetwork(std::span<const TrafficHost> hosts,
                                   std::span<const TrafficSpec> traffic,
                                   std::span<const TrafficPair> pairs, const CostProfile& profile);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_TRAFFIC_NETWORK_H_
