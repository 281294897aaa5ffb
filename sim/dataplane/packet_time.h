// How long a message takes on its way: the path's counts times the profile's costs.
//
// A message is what one write sends. TCP hands the stack packets of up to 64 KiB, which the device
// cuts into segments, or the kernel does just before it where the device cannot look into a tunnel;
// receivers put segments of one message together again (GRO). UDP sends one packet, in fragments if
// it does not fit. Sizes in bytes, times in nanoseconds.
// Sources: Linux's TSO/GSO/GRO limit of 64 KiB; RFC 7323's timestamps, which Linux uses by default,
// take 12 bytes of each TCP header.
#ifndef CNISIM_SIM_DATAPLANE_PACKET_TIME_H_
#define CNISIM_SIM_DATAPLANE_PACKET_TIME_H_

#include <cstdint>

#include "sim/dataplane/cost_profile.h"
#include "sim/dataplane/packet_path.h"
#include "sim/dataplane/spec.h"

namespace cnisim {

struct Message {
  int64_t bytes = 0;  // of payload
  Transport transport = Transport::kTcp;
};

// A message as it is cut up.
struct Wire {
  int64_t stack_packets = 1;  // as the stack sees them
  int64_t packets = 1;        // on the wire
  int64_t bytes = 0;          // on the wire, with all headers and frames
};

// Payload of one full packet; at least 1.
int PayloadOf(const PacketWay& way, int mtu, Transport transport);
// Payload of the largest packet that the stack hands on as one: whole segments that fit in 64 KiB.
// One packet's with UDP, which the stack does not put together.
int64_t LargestPayload(const PacketWay& way, int mtu, Transport transport);
Wire WireOf(const PacketWay& way, int mtu, const Message& message, const NicFacts& nic);
// Nanoseconds that so much bandwidth takes for `bytes`; 0 where nothing limits it.
double WireTime(int64_t bytes, double bits_per_second);

// Where the time goes. CPUs work during all of it but `delay`.
struct WayTime {
  double send = 0;     // the sender's CPU; without crossing nodes, up to the receiver's socket
  double receive = 0;  // the CPU of the receive queue; 0 if nothing crosses
  double read = 0;     // the receiving thread's CPU
  double delay = 0;    // devices, interrupt, waking; the fabric's and the wire's time is not in it
  Wire wire;           // no bytes if nothing crosses
};
WayTime TimeOf(const PacketWay& way, int mtu, const Message& message, const CostProfile& profile);

// Of counts that are paid once, as by a connection's first packet.
double TimeOf(const CostVector& counts, const CostProfile& profile);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_PACKET_TIME_H_
