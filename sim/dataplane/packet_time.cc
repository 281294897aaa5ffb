#include "sim/dataplane/packet_time.h"

#include <algorithm>

namespace cnisim {
namespace {

constexpr int64_t kLargestStackPacket = 65536;
constexpr int kIpv4Header = 20;
constexpr int kIpv6Header = 40;
constexpr int kTcpHeader = 32;  // with timestamps
constexpr int kUdpHeader = 8;

int IpHeader(const PacketWay& way) { return way.wire.dst.is_v4() ? kIpv4Header : kIpv6Header; }
int TransportHeader(Transport transport) {
  return transport == Transport::kTcp ? kTcpHeader : kUdpHeader;
}

// One of which the device can make `packets`.
bool DeviceSegments(const PacketWay& way, Transport transport, const NicFacts& nic) {
  return transport == Transport::kTcp && nic.segmentation && !way.no_offloads &&
         (!way.tunnel || nic.tunnel_segmentation);
}

bool DeviceChecksums(const PacketWay& way, const NicFacts& nic) {
  return nic.checksum && !way.no_offloads && (!way.tunnel || nic.tunnel_checksum);
}

// How often what a cost is paid for is there.
struct Amounts {
  double stack_packets = 1;
  double handed = 1;
  double wire_packets = 1;
  double bytes = 0;

  double Of(CostPer per) const {
    switch (per) {
      case CostPer::kPacket:
        return stack_packets;
      case CostPer::kHanded:
        return handed;
      case CostPer::kWire:
        return wire_packets;
      case CostPer::kByte:
        return bytes;
      case CostPer::kDelay:
        break;
    }
    return 1;
  }
};

double Price(const CostVector& counts, const Amounts& amounts, const CostProfile& profile) {
  double sum = 0;
  for (size_t i = 0; i < kCosts; ++i) {
    const double paid = counts.values[i];
    if (paid != 0) sum += paid * profile.costs.values[i] * amounts.Of(kAllCosts[i].per);
  }
  return sum;
}

// Moves what a thread does itself out of `counts`.
CostVector TakeReader(CostVector& counts) {
  CostVector reader;
  for (const Cost cost : {Cost::kWakeup, Cost::kCopyOut}) {
    reader[cost] = counts[cost];
    counts[cost] = 0;
  }
  return reader;
}

}  // namespace

int PayloadOf(const PacketWay& way, int mtu, Transport transport) {
  return std::max(1, mtu - IpHeader(way) - TransportHeader(transport));
}

int64_t LargestPayload(const PacketWay& way, int mtu, Transport transport) {
  const int64_t payload = PayloadOf(way, mtu, transport);
  if (transport == Transport::kUdp) return payload;
  return std::max<int64_t>(1, kLargestStackPacket / payload) * payload;
}

Wire WireOf(const PacketWay& way, int mtu, const Message& message, const NicFacts& nic) {
  Wire wire;
  const int64_t payload = PayloadOf(way, mtu, message.transport);
  wire.packets = std::max<int64_t>(1, (message.bytes + payload - 1) / payload);
  if (message.transport == Transport::kTcp) {
    const int64_t most = LargestPayload(way, mtu, message.transport);
    wire.stack_packets = std::max<int64_t>(1, (message.bytes + most - 1) / most);
  }
  if (way.fragments) wire.packets *= 2;
  if (!way.crosses) return wire;
  const int headers =
      IpHeader(way) + TransportHeader(message.transport) + way.overhead + nic.frame_bytes;
  wire.bytes = message.bytes + wire.packets * headers;
  return wire;
}

double WireTime(int64_t bytes, double bits_per_second) {
  return bits_per_second == 0 ? 0 : static_cast<double>(bytes) * 8e9 / bits_per_second;
}

WayTime TimeOf(const PacketWay& way, int mtu, const Message& message, const CostProfile& profile) {
  WayTime time;
  time.wire = WireOf(way, mtu, message, profile.nic);
  Amounts amounts;
  amounts.stack_packets = static_cast<double>(time.wire.stack_packets);
  amounts.wire_packets = static_cast<double>(time.wire.packets);
  amounts.bytes = static_cast<double>(message.bytes);
  const bool device_segments = DeviceSegments(way, message.transport, profile.nic);
  amounts.handed = device_segments ? amounts.stack_packets : amounts.wire_packets;

  CostVector send = way.send;
  CostVector receive = way.receive;
  const CostVector reader = TakeReader(way.crosses ? receive : send);
  if (device_segments || time.wire.packets == time.wire.stack_packets) send[Cost::kSegment] = 0;
  if (DeviceChecksums(way, profile.nic)) send[Cost::kChecksum] = 0;
  if (message.transport != Transport::kTcp) receive[Cost::kGroMerge] = 0;
  // Segmented before the tunnel: all of its host's work is done for each segment. (The part before
  // the tunnel's device is not, so this is an upper bound.)
  Amounts sent = amounts;
  if (way.no_offloads) sent.stack_packets = sent.wire_packets;
  time.send = Price(send, sent, profile);
  time.receive = Price(receive, amounts, profile);
  time.read = Price(reader, amounts, profile);
  time.delay = profile.costs[Cost::kWakeupDelay];
  if (way.crosses) {
    time.delay += profile.costs[Cost::kNicDelay] + profile.costs[Cost::kInterruptDelay];
  }
  return time;
}

double TimeOf(const CostVector& counts, const CostProfile& profile) {
  return Price(counts, Amounts(), profile);
}

}  // namespace cnisim
