#include "core/routing/calico_planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/routing/calico_cluster_testing.h"
#include "core/routing/forwarding_walk.h"
#include "core/routing/host_diff.h"
#include "core/routing/vpc_fabric.h"

namespace cnisim {
namespace {

Packet Tcp(IpAddress src, IpAddress dst, int size = 100) {
  Packet packet;
  packet.tuple = {src, dst, "tcp", 40000, 80};
  packet.size = size;
  return packet;
}

int Encapsulations(const WalkResult& result) {
  return static_cast<int>(std::ranges::count_if(result.steps, [](const WalkStep& step) {
    return step.kind == WalkStep::Kind::kEncapsulate;
  }));
}

class CalicoWalk : public testing::TestWithParam<CalicoEncapsulation> {
 protected:
  // What the mode and the nodes' places say must happen between two pods.
  struct Fate {
    bool arrives;
    bool tunnelled;
  };
  static Fate Expected(CalicoEncapsulation mode, bool same_node, bool near, bool check) {
    if (same_node) return {true, false};
    switch (mode) {
      case CalicoEncapsulation::kVxlan:
      case CalicoEncapsulation::kIpip:
        return {true, true};
      case CalicoEncapsulation::kVxlanCrossSubnet:
      case CalicoEncapsulation::kIpipCrossSubnet:
        return {!near || !check, !near};
      case CalicoEncapsulation::kNone:
        break;
    }
    // The VPC's router knows no pods.
    return {near && !check, false};
  }
};

TEST_P(CalicoWalk, EveryPairOfPodsAsTheModeSays) {
  int checked = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    const RandomCalico random(seed, GetParam());
    const auto states = random.States();
    std::map<std::string, const HostState*> nodes;
    for (const auto& [name, state] : states) nodes[name] = &state;
    for (const bool check : {false, true}) {
      const VpcFabric fabric = random.MakeFabric(check);
      for (const CalicoPod& from : random.cluster.pods) {
        for (const CalicoPod& to : random.cluster.pods) {
          ForwardingWalk walk(nodes, fabric);
          const Fate fate =
              Expected(GetParam(), from.node == to.node, random.Near(from.node, to.node), check);
          const Packet packet = Tcp(from.ip, to.ip);
          const WalkResult there = walk.Send(from.node, from.netns, packet);
          ASSERT_EQ(there.arrived(), fate.arrives) << RenderWalk(there);
          ++checked;
          if (!fate.arrives) continue;
          EXPECT_EQ(there.netns, to.netns) << RenderWalk(there);
          EXPECT_EQ(there.packet.tuple, packet.tuple);
          EXPECT_EQ(Encapsulations(there), fate.tunnelled ? 1 : 0) << RenderWalk(there);
          const WalkResult back = walk.Send(to.node, to.netns, there.Reply());
          ASSERT_TRUE(back.arrived()) << RenderWalk(back);
          EXPECT_EQ(back.netns, from.netns);
        }
      }
    }
  }
  EXPECT_GT(checked, 1000);
}

TEST_P(CalicoWalk, TheWorldSeesTheNodesAddress) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    const RandomCalico random(seed, GetParam());
    const auto states = random.States();
    std::map<std::string, const HostState*> nodes;
    for (const auto& [name, state] : states) nodes[name] = &state;
    const VpcFabric fabric = random.MakeFabric(true);
    ForwardingWalk walk(nodes, fabric);
    for (const CalicoPod& pod : random.cluster.pods) {
      const auto node = std::ranges::find(random.cluster.nodes, pod.node, &CalicoNode::name);
      const WalkResult out = walk.Send(pod.node, pod.netns, Tcp(pod.ip, Ipv4Address(8, 8, 8, 8)));
      ASSERT_TRUE(out.arrived()) << RenderWalk(out);
      EXPECT_EQ(out.packet.tuple.src, node->ip);
      const WalkResult back = walk.SendFromOutside(out.Reply());
      ASSERT_TRUE(back.arrived()) << RenderWalk(back);
      EXPECT_EQ(back.netns, pod.netns);
      // The kubelet's probe, from the node's address to its own pod.
      const WalkResult probe = walk.Send(pod.node, "", Tcp(node->ip, pod.ip));
      ASSERT_TRUE(probe.arrived()) << RenderWalk(probe);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, CalicoWalk,
                         testing::Values(CalicoEncapsulation::kNone, CalicoEncapsulation::kVxlan,
                                         CalicoEncapsulation::kVxlanCrossSubnet,
                                         CalicoEncapsulation::kIpip,
                                         CalicoEncapsulation::kIpipCrossSubnet));

TEST(CalicoPlanner, APodsPlanIsTheDifferenceOfTheWholeStates) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    RandomCalico random(seed, CalicoEncapsulation::kVxlan);
    const HostState without = *PlanCalicoNode(random.cluster, "node-0");
    random.AddPod("node-0", random.cluster.blocks[0].cidr.network().Offset(20));
    const HostState with = *PlanCalicoNode(random.cluster, "node-0");
    const CalicoPod& pod = random.cluster.pods.back();
    const auto sorted = [](std::vector<Operation> operations) {
      std::sort(operations.begin(), operations.end());
      return operations;
    };
    EXPECT_EQ(sorted(PlanCalicoPodAdd(random.cluster, pod, 8951)), sorted(Diff(without, with)));
    EXPECT_EQ(sorted(PlanCalicoPodDel(random.cluster, pod, 8951)), sorted(Diff(with, without)));
  }
}

// Two nodes, VXLAN: every fault of a remote node's entries is found, and called by its name.
TEST(CalicoPlanner, NamesWhatIsWrong) {
  RandomCalico random(3, CalicoEncapsulation::kVxlan);
  const auto good = random.States();
  const VpcFabric fabric = random.MakeFabric(true);
  const CalicoPod& from = random.cluster.pods.front();
  const CalicoPod& to = *std::ranges::find(random.cluster.pods, "node-1", &CalicoPod::node);
  ASSERT_EQ(from.node, "node-0");
  const auto send = [&](const std::map<std::string, HostState>& states, Packet packet) {
    std::map<std::string, const HostState*> nodes;
    for (const auto& [name, state] : states) nodes[name] = &state;
    ForwardingWalk walk(nodes, fabric);
    return walk.Send(from.node, from.netns, std::move(packet)).dropped;
  };
  const Packet packet = Tcp(from.ip, to.ip);
  ASSERT_EQ(send(good, packet), DropReason::kNone);
  const MacAddress vtep = CalicoVtepMac("node-1");
  const IpAddress tunnel = *random.cluster.nodes[1].vxlan_ip;

  auto bad = good;
  bad["node-0"].fdb.erase({"vxlan.calico", vtep});
  EXPECT_EQ(send(bad, packet), DropReason::kNoFdbEntry);
  // A stale one: the address belongs to another node, or to nobody, by now.
  bad = good;
  bad["node-0"].fdb[{"vxlan.calico", vtep}] = Ipv4Address(10, 0, 0, 99);
  EXPECT_EQ(send(bad, packet), random.cluster.nodes[0].subnet.Contains(Ipv4Address(10, 0, 0, 99))
                                   ? DropReason::kNoNeighbour
                                   : DropReason::kUnknownDestination);
  bad = good;
  bad["node-0"].net.neighbours.erase({"vxlan.calico", tunnel});
  EXPECT_EQ(send(bad, packet), DropReason::kNoNeighbour);
  // The node was replaced by one of another name, with another MAC address.
  bad = good;
  bad["node-1"].net.links["vxlan.calico"].mac = MacAddress(1);
  EXPECT_EQ(send(bad, packet), DropReason::kWrongNeighbour);
  // The receiver does not know the sender as one of Calico's nodes.
  bad = good;
  bad["node-1"].ipsets["cali40all-vxlan-net"].clear();
  EXPECT_EQ(send(bad, packet), DropReason::kFiltered);
  // An unused address of the remote block ends in its owner's blackhole; one of the own block here.
  EXPECT_EQ(send(good, Tcp(from.ip, tunnel.Offset(60))), DropReason::kBlackhole);
  EXPECT_EQ(send(good, Tcp(from.ip, random.cluster.nodes[0].vxlan_ip->Offset(60))),
            DropReason::kBlackhole);
  // Pods that kept the MTU of before the encapsulation.
  bad = good;
  bad["node-0"].pods[from.netns].links["eth0"].mtu = 9001;
  EXPECT_EQ(send(bad, Tcp(from.ip, to.ip, 9001)), DropReason::kPacketTooBig);
  EXPECT_EQ(send(good, Tcp(from.ip, to.ip, 8951)), DropReason::kNone);
}

TEST(CalicoPlanner, HostMtuIsTheSmallestOfTheHostsOwnLinks) {
  NetState net = NewNetState();
  EXPECT_EQ(CalicoHostMtu(net), 1460);
  const auto add = [&](const char* name, int mtu, bool up = true) {
    Link link;
    link.mtu = mtu;
    link.up = up;
    net.links[name] = link;
  };
  add("eni0123", 100);  // the VPC CNI's veths are not meant
  add("docker0", 100);
  EXPECT_EQ(CalicoHostMtu(net), 1460);
  add("ens5", 9001);
  EXPECT_EQ(CalicoHostMtu(net), 9001);
  add("eth1", 1500);
  add("wlan0", 1000, false);
  EXPECT_EQ(CalicoHostMtu(net), 1500);
}

TEST(CalicoPlanner, UnknownNodesAndDoubleAddressesAreErrors) {
  RandomCalico random(1, CalicoEncapsulation::kIpip);
  EXPECT_EQ(PlanCalicoNode(random.cluster, "nobody").error().code, kOperationMissing);
  CalicoPod twin = random.cluster.pods.front();
  random.cluster.pods.push_back(twin);
  EXPECT_EQ(PlanCalicoNode(random.cluster, twin.node).error().code, kOperationExists);
}

}  // namespace
}  // namespace cnisim
