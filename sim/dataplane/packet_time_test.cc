#include "sim/dataplane/packet_time.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cnisim {
namespace {

// A way between nodes on which everything is paid once.
PacketWay Way(std::optional<LinkType> tunnel = std::nullopt, int overhead = 0) {
  PacketWay way;
  way.crosses = true;
  way.tunnel = tunnel;
  way.overhead = overhead;
  for (size_t i = 0; i < kCosts; ++i) {
    const bool receives =
        static_cast<Cost>(i) == Cost::kSocketReceive || static_cast<Cost>(i) == Cost::kWakeup ||
        static_cast<Cost>(i) == Cost::kCopyOut || static_cast<Cost>(i) == Cost::kDriverReceive ||
        static_cast<Cost>(i) == Cost::kGroMerge;
    if (kAllCosts[i].per != CostPer::kDelay) (receives ? way.receive : way.send).values[i] = 1;
  }
  return way;
}

CostProfile Profile(Cost cost, double value) {
  CostProfile profile;
  profile.costs[cost] = value;
  return profile;
}

struct FrameCase {
  std::optional<LinkType> tunnel;
  int overhead;
  int mtu;  // of the pods
  int payload;
  int64_t packets;  // of 64 KiB
  double share;     // payload of a full Ethernet frame
};

// The table of headers that architects compare by: arithmetic from the RFCs' header sizes.
TEST(PacketTime, HeadersTakeWhatTheyTake) {
  const std::vector<FrameCase> cases = {
      {std::nullopt, 0, 9001, 8949, 8, .9927},      {std::nullopt, 0, 1500, 1448, 46, .9564},
      {LinkType::kIpip, 20, 8981, 8929, 8, .9905},  {LinkType::kIpip, 20, 1480, 1428, 46, .9432},
      {LinkType::kVxlan, 50, 8951, 8899, 8, .9871}, {LinkType::kVxlan, 50, 1450, 1398, 47, .9234},
  };
  for (const FrameCase& c : cases) {
    const PacketWay way = Way(c.tunnel, c.overhead);
    EXPECT_EQ(PayloadOf(way, c.mtu, Transport::kTcp), c.payload);
    const Wire full = WireOf(way, c.mtu, {c.payload, Transport::kTcp}, NicFacts());
    EXPECT_EQ(full.packets, 1);
    EXPECT_NEAR(c.payload / static_cast<double>(full.bytes), c.share, 0.00005);
    EXPECT_EQ(WireOf(way, c.mtu, {65536, Transport::kTcp}, NicFacts()).packets, c.packets);
  }
}

TEST(PacketTime, DevicesSegmentWhatTheyCanLookInto) {
  const Message large{65536, Transport::kTcp};
  const CostProfile segment = Profile(Cost::kSegment, 1);
  const CostProfile driver = Profile(Cost::kDriverTransmit, 1);
  // 45 segments fill a stack packet, so there are two.
  EXPECT_EQ(TimeOf(Way(), 1500, large, segment).send, 0);
  EXPECT_EQ(TimeOf(Way(), 1500, large, driver).send, 2);
  const PacketWay vxlan = Way(LinkType::kVxlan, 50);
  EXPECT_EQ(TimeOf(vxlan, 1450, large, segment).send, 47);
  EXPECT_EQ(TimeOf(vxlan, 1450, large, driver).send, 47);
  CostProfile able = driver;
  able.nic.tunnel_segmentation = true;
  EXPECT_EQ(TimeOf(vxlan, 1450, large, able).send, 2);
  // Nothing to cut.
  EXPECT_EQ(TimeOf(vxlan, 1450, {100, Transport::kTcp}, segment).send, 0);
}

TEST(PacketTime, ChecksumsAreMadeWhereTheDeviceMakesNone) {
  const Message message{1000, Transport::kUdp};
  const CostProfile checksum = Profile(Cost::kChecksum, 1);
  EXPECT_EQ(TimeOf(Way(), 9001, message, checksum).send, 0);
  EXPECT_EQ(TimeOf(Way(LinkType::kIpip, 20), 9001, message, checksum).send, 1000);
}

TEST(PacketTime, WithoutTheTunnelsOffloadsEachSegmentIsAPacket) {
  const Message large{65536, Transport::kTcp};
  PacketWay way = Way(LinkType::kVxlan, 50);
  const CostProfile profile = Profile(Cost::kTunnelTransmit, 1);
  EXPECT_EQ(TimeOf(way, 1450, large, profile).send, 2);
  way.no_offloads = true;
  EXPECT_EQ(TimeOf(way, 1450, large, profile).send, 47);
}

TEST(PacketTime, TheReadersThreadPaysForWakingAndCopying) {
  CostProfile profile = Profile(Cost::kWakeup, 100);
  profile.costs[Cost::kCopyOut] = 2;
  profile.costs[Cost::kSocketReceive] = 7;
  profile.costs[Cost::kWakeupDelay] = 1000;
  profile.costs[Cost::kNicDelay] = 5000;
  const WayTime time = TimeOf(Way(), 9001, {50, Transport::kTcp}, profile);
  EXPECT_EQ(time.read, 200);
  EXPECT_EQ(time.receive, 7);
  EXPECT_EQ(time.delay, 6000);
  PacketWay within = Way();
  within.crosses = false;
  within.send += within.receive;
  within.receive = CostVector();
  const WayTime near = TimeOf(within, 9001, {50, Transport::kTcp}, profile);
  EXPECT_EQ(near.read, 200);
  EXPECT_EQ(near.send, 7);
  EXPECT_EQ(near.receive, 0);
  EXPECT_EQ(near.delay, 1000);
  EXPECT_EQ(near.wire.bytes, 0);
}

TEST(PacketTime, FragmentsAreTwicePackets) {
  PacketWay way = Way(LinkType::kVxlan, 50);
  const Wire whole = WireOf(way, 9001, {65536, Transport::kTcp}, NicFacts());
  way.fragments = true;
  const Wire cut = WireOf(way, 9001, {65536, Transport::kTcp}, NicFacts());
  EXPECT_EQ(cut.packets, 2 * whole.packets);
  EXPECT_GT(cut.bytes, whole.bytes);
}

}  // namespace
}  // namespace cnisim
