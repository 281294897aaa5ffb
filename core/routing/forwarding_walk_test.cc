#include "core/routing/forwarding_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/routing/vpc_cni_cluster_testing.h"
#include "core/routing/vpc_cni_planner.h"
#include "core/routing/vpc_fabric.h"

namespace cnisim {
namespace {

std::map<std::string, const HostState*> Pointers(const std::map<std::string, HostState>& states) {
  std::map<std::string, const HostState*> pointers;
  for (const auto& [name, state] : states) pointers[name] = &state;
  return pointers;
}

IpAddress Ip(const char* text) { return *IpAddress::Parse(text); }

Packet Tcp(IpAddress src, IpAddress dst) {
  Packet packet;
  packet.tuple = {src, dst, "tcp", 40000, 80};
  return packet;
}

// Every pod of every node reaches every pod of every node, and is seen with its own address.
void ExpectAllPairs(const VpcCniCluster& cluster, const std::map<std::string, HostState>& states) {
  const auto pointers = Pointers(states);
  const VpcFabric fabric = cluster.MakeFabric();
  for (const auto& [from_name, from_node] : cluster.nodes) {
    for (const VpcCniPod& from : from_node.pods) {
      for (const auto& [to_name, to_node] : cluster.nodes) {
        for (const VpcCniPod& to : to_node.pods) {
          ForwardingWalk walk(pointers, fabric);
          const Packet packet = Tcp(from.interfaces[0].ip, to.interfaces[0].ip);
          const WalkResult there = walk.Send(from_name, from.netns, packet);
          ASSERT_TRUE(there.arrived()) << RenderWalk(there);
          EXPECT_EQ(there.node, to_name) << RenderWalk(there);
          EXPECT_EQ(there.netns, to.netns);
          EXPECT_EQ(there.packet.tuple, packet.tuple);
          const WalkResult back = walk.Send(to_name, to.netns, there.Reply());
          ASSERT_TRUE(back.arrived()) << RenderWalk(back);
          EXPECT_EQ(back.netns, from.netns);
          EXPECT_EQ(back.packet.tuple, packet.tuple.Reversed());
        }
      }
    }
  }
}

TEST(ForwardingWalk, EveryPodReachesEveryPodWithItsOwnAddress) {
  int pairs = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const VpcCniCluster cluster(seed);
    ExpectAllPairs(cluster, cluster.States());
    size_t pods = 0;
    for (const auto& [name, node] : cluster.nodes) pods += node.pods.size();
    pairs += static_cast<int>(pods * pods);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(pairs, 2000);
}

TEST(ForwardingWalk, EveryPodReachesTheWorldAndItsNodeAndIsAnswered) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const VpcCniCluster cluster(seed);
    const auto states = cluster.States();
    const auto pointers = Pointers(states);
    const VpcFabric fabric = cluster.MakeFabric();
    for (const auto& [name, node] : cluster.nodes) {
      const IpAddress node_ip = node.enis[0].primary_ip;
      for (const VpcCniPod& pod : node.pods) {
        ForwardingWalk walk(pointers, fabric);
        const IpAddress ip = pod.interfaces[0].ip;
        const WalkResult out = walk.Send(name, pod.netns, Tcp(ip, Ip("8.8.8.8")));
        ASSERT_TRUE(out.arrived()) << RenderWalk(out);
        EXPECT_EQ(out.node, "");
        // Pods with an ENI of their own, strictly, keep their address; so does everyone if another
        // device translates.
        const bool own =
            cluster.settings.external_snat || (pod.branch && cluster.settings.strict());
        EXPECT_EQ(out.packet.tuple.src, own ? ip : node_ip) << RenderWalk(out);
        const WalkResult back = walk.SendFromOutside(out.Reply());
        ASSERT_TRUE(back.arrived()) << RenderWalk(back);
        EXPECT_EQ(back.netns, pod.netns) << RenderWalk(back);
        EXPECT_EQ(back.packet.tuple.dst, ip);

        const WalkResult to_node = walk.Send(name, pod.netns, Tcp(ip, node_ip));
        ASSERT_TRUE(to_node.arrived()) << RenderWalk(to_node);
        EXPECT_EQ(to_node.node, name);
        EXPECT_EQ(to_node.netns, "");
        // The kubelet's probe.
        const WalkResult probe = walk.Send(name, "", Tcp(node_ip, ip));
        ASSERT_TRUE(probe.arrived()) << RenderWalk(probe);
        EXPECT_EQ(probe.netns, pod.netns);
        const WalkResult answer = walk.Send(name, pod.netns, probe.Reply());
        ASSERT_TRUE(answer.arrived()) << RenderWalk(answer);
        EXPECT_EQ(answer.node, name);
        EXPECT_EQ(answer.netns, "");
      }
    }
  }
}

// A fault of one pod's entries cuts off that pod, at its node, by the name that an operator would
// look for.
TEST(ForwardingWalk, FaultsAreFoundWhereTheyAre) {
  int faults = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    const VpcCniCluster cluster(seed);
    const auto good = cluster.States();
    const VpcFabric fabric = cluster.MakeFabric();
    for (const auto& item : cluster.nodes) {
      const std::string& name = item.first;  // Clang 14 captures no structured bindings
      for (const VpcCniPod& pod : item.second.pods) {
        const VpcCniPodInterface& interface = pod.interfaces[0];
        const std::string& other = name == "node-0" ? "node-1" : "node-0";
        const IpAddress other_ip = cluster.nodes.at(other).enis[0].primary_ip;
        const auto send = [&](const HostState& bad, bool from_pod) {
          auto nodes = Pointers(good);
          nodes[name] = &bad;
          ForwardingWalk walk(nodes, fabric);
          ++faults;
          return from_pod ? walk.Send(name, pod.netns, Tcp(interface.ip, other_ip))
                          : walk.Send(other, "", Tcp(other_ip, interface.ip));
        };
        // The veth's entry in the pod.
        HostState bad = good.at(name);
        bad.pods[pod.netns].neighbours.begin()->second = MacAddress(1);
        WalkResult result = send(bad, true);
        EXPECT_EQ(result.dropped, DropReason::kWrongNeighbour) << RenderWalk(result);
        EXPECT_EQ(result.netns, pod.netns);
        // The pod's link.
        bad = good.at(name);
        bad.net.links[interface.host_name].up = false;
        result = send(bad, false);
        EXPECT_EQ(result.dropped, DropReason::kNoDevice) << RenderWalk(result);
        EXPECT_EQ(result.node, name);
        if (pod.branch || interface.route_table == kMainTable) continue;
        // The from-pod rule: missing, and with an empty table.
        for (const int table : {0, 99}) {
          bad = good.at(name);
          const auto rule = std::ranges::find_if(bad.net.rules, [&](const Rule& one) {
            return one.priority == kFromPodRule && one.from == IpCidr(interface.ip);
          });
          ASSERT_NE(rule, bad.net.rules.end());
          if (table == 0) {
            bad.net.rules.erase(rule);
          } else {
            rule->table = table;
          }
          result = send(bad, true);
          EXPECT_EQ(result.dropped, DropReason::kSourceCheck) << RenderWalk(result);
          EXPECT_EQ(result.node, name);
        }
      }
    }
  }
  EXPECT_GT(faults, 500);
}

// An IPv6 node and one of its pods, which has an interface for IPv4.
TEST(ForwardingWalk, Ipv6PodsReachIpv6AsThemselvesAndIpv4AsTheNode) {
  VpcCniHostSettings settings;
  settings.ipv6 = true;
  std::map<std::string, HostState> states;
  std::vector<VpcInterface> interfaces;
  for (int n = 0; n < 2; ++n) {
    VpcCniNode node;
    node.subnet_ipv6 = *IpCidr::Parse("2001:db8::/64");
    node.node_ipv6 = node.subnet_ipv6.network().Offset(10 + n);
    VpcCniEni eni;
    eni.subnet = *IpCidr::Parse("10.0.0.0/24");
    eni.primary_ip = eni.subnet.network().Offset(10 + n);
    node.enis.push_back(eni);
    for (int p = 0; p < 2; ++p) {
      VpcCniPod pod;
      pod.netns = "pod-" + std::to_string(p);
      VpcCniPodInterface interface;
      interface.ip = node.subnet_ipv6.network().Offset(100 * (n + 1) + p);
      interface.host_name = "eni" + std::to_string(p);
      interface.host_mac = MacAddress(10 + p);
      pod.interfaces.push_back(interface);
      VpcCniEgress egress;
      egress.pod_ip = kV4EgressRange.network().Offset(10 + p);
      egress.node_ip = eni.primary_ip;
      egress.chain = "CNI-E4-" + std::to_string(p);
      egress.host_name = "veth" + std::to_string(p);
      pod.egress = egress;
      node.pods.push_back(pod);
    }
    const std::string name = "node-" + std::to_string(n);
    states[name] = *PlanNode(settings, node);
    interfaces.push_back({name,
                          "eth0",
                          {eni.subnet, node.subnet_ipv6},
                          {IpCidr(eni.primary_ip), IpCidr(node.node_ipv6),
                           IpCidr(Ip("2001:db8::").Offset(100 * (n + 1))),
                           IpCidr(Ip("2001:db8::").Offset(100 * (n + 1) + 1))},
                          true});
  }
  const auto nodes = Pointers(states);
  const VpcFabric fabric({*IpCidr::Parse("10.0.0.0/16")}, interfaces);
  for (int to_node = 0; to_node < 2; ++to_node) {
    ForwardingWalk walk(nodes, fabric);
    const Packet packet =
        Tcp(Ip("2001:db8::").Offset(100), Ip("2001:db8::").Offset(100 * (to_node + 1) + 1));
    const WalkResult there = walk.Send("node-0", "pod-0", packet);
    ASSERT_TRUE(there.arrived()) << RenderWalk(there);
    EXPECT_EQ(there.netns, "pod-1");
    EXPECT_EQ(there.packet.tuple, packet.tuple);
    const WalkResult back = walk.Send(there.node, there.netns, there.Reply());
    ASSERT_TRUE(back.arrived()) << RenderWalk(back);
    EXPECT_EQ(back.netns, "pod-0");
  }
  ForwardingWalk walk(nodes, fabric);
  const WalkResult out =
      walk.Send("node-0", "pod-0", Tcp(Ip("169.254.172.10"), Ip("198.51.100.1")));
  ASSERT_TRUE(out.arrived()) << RenderWalk(out);
  EXPECT_EQ(out.packet.tuple.src, Ip("10.0.0.10"));
  const WalkResult back = walk.SendFromOutside(out.Reply());
  ASSERT_TRUE(back.arrived()) << RenderWalk(back);
  EXPECT_EQ(back.netns, "pod-0");
  // But not one another.
  EXPECT_EQ(walk.Send("node-0", "pod-0", Tcp(Ip("169.254.172.10"), Ip("169.254.172.11"))).dropped,
            DropReason::kFiltered);
}

// A node with a primary ENI with one pod and a second ENI with one.
class TwoEnis : public testing::Test {
 protected:
  TwoEnis() {
    node_.vpc_cidrs = {*IpCidr::Parse("10.0.0.0/16")};
    VpcCniEni eni;
    eni.subnet = *IpCidr::Parse("10.0.0.0/24");
    eni.primary_ip = Ip("10.0.0.10");
    eni.mac = MacAddress(1);
    node_.enis.push_back(eni);
    eni.link = "eth1";
    eni.link_index = 3;
    eni.primary_ip = Ip("10.0.0.40");
    eni.mac = MacAddress(2);
    eni.device_number = 1;
    node_.enis.push_back(eni);
    AddPod("a", "10.0.0.21", kMainTable);
    AddPod("b", "10.0.0.51", 2);
    AddPod("c", "10.0.0.52", 2);
  }

  void AddPod(const std::string& name, const char* ip, int table) {
    VpcCniPod pod;
    pod.netns = name;
    VpcCniPodInterface interface;
    interface.ip = Ip(ip);
    interface.route_table = table;
    interface.host_name = "eni" + name;
    interface.host_mac = MacAddress(10 + node_.pods.size());
    interface.container_mac = MacAddress(20 + node_.pods.size());
    pod.interfaces.push_back(interface);
    node_.pods.push_back(pod);
  }

  WalkResult Send(const HostState& state, const std::string& from, Packet packet) {
    nodes_["node"] = &state;
    ForwardingWalk walk(nodes_, fabric_);
    return walk.Send("node", from, std::move(packet));
  }

  VpcCniHostSettings settings_;
  VpcCniNode node_;
  std::map<std::string, const HostState*> nodes_;
  const VpcFabric fabric_{{*IpCidr::Parse("10.0.0.0/16")},
                          {{"node",
                            "eth0",
                            {*IpCidr::Parse("10.0.0.0/24")},
                            {*IpCidr::Parse("10.0.0.10/32"), *IpCidr::Parse("10.0.0.21/32")},
                            true},
                           {"node",
                            "eth1",
                            {*IpCidr::Parse("10.0.0.0/24")},
                            {*IpCidr::Parse("10.0.0.40/32"), *IpCidr::Parse("10.0.0.51/32"),
                             *IpCidr::Parse("10.0.0.52/32")},
                            true}}};
};

TEST_F(TwoEnis, TellsEveryStep) {
  const HostState state = *PlanNode(settings_, node_);
  EXPECT_EQ(
      RenderWalk(Send(state, "b", Tcp(Ip("10.0.0.51"), Ip("8.8.8.8")))),
      R"(node/b                   route   10.0.0.51 -> 8.8.8.8; rule 32766: from all lookup main of 2 checked; default via 169.254.1.1 dev eth0
node/b                   send    eth0
node                     filter  mangle PREROUTING: 3 rules; -A PREROUTING -i eni+ -m comment --comment "AWS, primary ENI" -j CONNMARK --restore-mark --nfmask 0x80 --ctmask 0x80
node                     filter  nat PREROUTING: 4 rules; -A AWS-CONNMARK-CHAIN-0 -m comment --comment "AWS, CONNMARK" -j CONNMARK --set-xmark 0x80/0x80; -A PREROUTING -m comment --comment "AWS, CONNMARK" -j CONNMARK --restore-mark --nfmask 0x80 --ctmask 0x80
node                     route   10.0.0.51 -> 8.8.8.8; rule 1024: from all fwmark 0x80/0x80 lookup main of 5 checked; default via 10.0.0.1 dev eth0
node                     filter  nat POSTROUTING: 3 rules; -A AWS-SNAT-CHAIN-0 ! -o vlan+ -m comment --comment "AWS, SNAT" -m addrtype ! --dst-type LOCAL -j SNAT --to-source 10.0.0.10 --random-fully
node                     send    eth0
outside                  arrived 10.0.0.10 -> 8.8.8.8
)");
}

TEST_F(TwoEnis, LaterPacketsOfAConnectionWalkNoNatTable) {
  const HostState state = *PlanNode(settings_, node_);
  nodes_["node"] = &state;
  ForwardingWalk walk(nodes_, fabric_);
  const auto nat_tables = [](const WalkResult& result) {
    return std::ranges::count_if(result.steps, [](const WalkStep& step) {
      return step.table && step.table->table == "nat";
    });
  };
  const Packet packet = Tcp(Ip("10.0.0.51"), Ip("8.8.8.8"));
  const WalkResult first = walk.Send("node", "b", packet);
  const WalkResult second = walk.Send("node", "b", packet);
  EXPECT_EQ(nat_tables(first), 2);
  EXPECT_EQ(nat_tables(second), 0);
  EXPECT_EQ(first.packet.tuple, second.packet.tuple);
  EXPECT_EQ(walk.conntrack("node").size(), 1u);
}

// The windows of a real agent's restart: without rule 1024 what an established connection sends to
// the outside leaves by the pod's own ENI, without the restore-mark rule what a new one sends does.
TEST_F(TwoEnis, AnAgentsRestartOpensTwoWindowsAndNoOther) {
  const HostState before = *PlanNode(settings_, node_);
  HostState state = before;
  nodes_["node"] = &state;
  ForwardingWalk walk(nodes_, fabric_);
  Packet established = Tcp(Ip("10.0.0.51"), Ip("8.8.8.8"));
  ASSERT_TRUE(walk.Send("node", "b", established).arrived());
  Packet fresh = established;
  std::vector<std::pair<DropReason, DropReason>> seen;  // of the established one, of a new one
  for (const Operation& operation : PlanAgentRestart(settings_, node_)) {
    ASSERT_TRUE(Apply(operation, state));
    ++fresh.tuple.source_port;
    ForwardingWalk other(nodes_, fabric_);
    seen.emplace_back(walk.Send("node", "b", established).dropped,
                      other.Send("node", "b", fresh).dropped);
    // Pods reach one another all the time.
    EXPECT_TRUE(other.Send("node", "b", Tcp(Ip("10.0.0.51"), Ip("10.0.0.21"))).arrived());
    EXPECT_TRUE(other.Send("node", "a", Tcp(Ip("10.0.0.21"), Ip("10.0.0.51"))).arrived());
  }
  constexpr DropReason kFine = DropReason::kNone;
  // With eth0's address out of eth1.
  constexpr DropReason kLost = DropReason::kSourceCheck;
  EXPECT_EQ(seen, (std::vector<std::pair<DropReason, DropReason>>{
                      {kLost, kLost}, {kFine, kFine}, {kFine, kLost}, {kFine, kFine}}));
  EXPECT_EQ(state, before);
}

TEST_F(TwoEnis, AnInternetGatewayCarries1500Bytes) {
  const HostState state = *PlanNode(settings_, node_);
  Packet packet = Tcp(Ip("10.0.0.51"), Ip("8.8.8.8"));
  packet.size = kInternetMtu;
  EXPECT_TRUE(Send(state, "b", packet).arrived());
  packet.size = kInternetMtu + 1;
  EXPECT_EQ(Send(state, "b", packet).dropped, DropReason::kPacketTooBig);
  packet.dont_fragment = false;
  EXPECT_TRUE(Send(state, "b", packet).arrived());
}

// What a node port's answer would lose without the mark: it would leave by the pod's own ENI.
TEST_F(TwoEnis, AnswersToWhatCameByThePrimaryEniLeaveByIt) {
  for (const bool node_ports : {true, false}) {
    settings_.node_port_support = node_ports;
    settings_.external_snat = true;  // or the pod's traffic would be marked anyway
    HostState state = *PlanNode(settings_, node_);
    // kube-proxy's part: the node's port 30080 is pod b's port 80.
    IptablesRule node_port;
    node_port.destination = IpCidr(Ip("10.0.0.10"));
    node_port.protocol = "tcp";
    node_port.matches = {PortMatch{30080}};
    node_port.target = DnatTarget{Ip("10.0.0.51"), 80};
    state.chains[{Family::kV4, IptablesTable::kNat, "PREROUTING"}].push_back(node_port);
    nodes_["node"] = &state;
    ForwardingWalk walk(nodes_, fabric_);
    Packet packet = Tcp(Ip("203.0.113.9"), Ip("10.0.0.10"));
    packet.tuple.destination_port = 30080;
    const WalkResult there = walk.SendFromOutside(packet);
    ASSERT_TRUE(there.arrived()) << RenderWalk(there);
    EXPECT_EQ(there.netns, "b");
    const WalkResult back = walk.Send("node", "b", there.Reply());
    EXPECT_EQ(back.arrived(), node_ports) << RenderWalk(back);
    // Without the mark it leaves by eth1, with eth0's address once translated back.
    EXPECT_EQ(back.dropped, node_ports ? DropReason::kNone : DropReason::kSourceCheck);
  }
}

TEST_F(TwoEnis, NamesWhatIsWrong) {
  const HostState good = *PlanNode(settings_, node_);
  const Packet to_vpc = Tcp(Ip("10.0.0.51"), Ip("10.0.0.21"));
  const auto rule_of = [](HostState& state, int priority) {
    return std::ranges::find_if(state.net.rules,
                                [&](const Rule& rule) { return rule.priority == priority; });
  };
  ASSERT_TRUE(Send(good, "b", to_vpc).arrived());

  // The from-pod rule is gone: the pod's packets leave by the wrong ENI.
  HostState bad = good;
  bad.net.rules.erase(rule_of(bad, kFromPodRule));
  EXPECT_EQ(Send(bad, "b", Tcp(Ip("10.0.0.51"), Ip("10.0.7.7"))).dropped, DropReason::kSourceCheck);
  // It leads to an empty table: so do they.
  bad = good;
  rule_of(bad, kFromPodRule)->table = 3;
  EXPECT_EQ(Send(bad, "b", Tcp(Ip("10.0.0.51"), Ip("10.0.7.7"))).dropped, DropReason::kSourceCheck);
  // The to-pod rule is gone: the from-pod rule of the sender sends it round and round.
  bad = good;
  bad.net.rules.erase(rule_of(bad, kToPodRule));
  EXPECT_EQ(Send(bad, "b", to_vpc).dropped, DropReason::kHopLimit);
  // The pod's route is gone: the subnet's takes it to the primary ENI, which is not the sender's.
  bad = good;
  bad.net.routes.erase({kMainTable, IpCidr(Ip("10.0.0.21")), 0});
  EXPECT_EQ(Send(bad, "b", to_vpc).dropped, DropReason::kSourceCheck);
  // The MAC of the host's end is not what the pod was told.
  bad = good;
  bad.net.links["enib"].mac = MacAddress(99);
  EXPECT_EQ(Send(bad, "b", to_vpc).dropped, DropReason::kWrongNeighbour);
  // The link is down; the pod does not have the address; the route leads nowhere.
  bad = good;
  bad.net.links["enia"].up = false;
  EXPECT_EQ(Send(bad, "b", to_vpc).dropped, DropReason::kNoDevice);
  bad = good;
  bad.pods["a"].addresses.erase({"eth0", Ip("10.0.0.21")});
  EXPECT_EQ(Send(bad, "b", to_vpc).dropped, DropReason::kNoNeighbour);
  bad = good;
  bad.net.routes[{kMainTable, IpCidr(Ip("10.0.0.21")), 0}].type = RouteType::kBlackhole;
  EXPECT_EQ(Send(bad, "b", to_vpc).dropped, DropReason::kBlackhole);
  bad = good;
  bad.pods["b"].routes.clear();
  EXPECT_EQ(Send(bad, "b", to_vpc).dropped, DropReason::kNoRoute);
  // Nobody has the address, and no bigger packets than the MTU.
  EXPECT_EQ(Send(good, "b", Tcp(Ip("10.0.0.51"), Ip("10.0.0.99"))).dropped,
            DropReason::kUnknownDestination);
  Packet big = to_vpc;
  big.size = 9002;
  EXPECT_EQ(Send(good, "b", big).dropped, DropReason::kPacketTooBig);
  big.dont_fragment = false;
  const WalkResult split = Send(good, "b", big);
  EXPECT_TRUE(split.arrived());
  EXPECT_TRUE(std::ranges::any_of(
      split.steps, [](const WalkStep& step) { return step.kind == WalkStep::Kind::kFragment; }));
  bad = good;
  IptablesRule reject;
  reject.destination = IpCidr(Ip("10.0.0.21"));
  reject.target = Verdict::kReject;
  bad.chains[{Family::kV4, IptablesTable::kFilter, "FORWARD"}].push_back(reject);
  EXPECT_EQ(Send(bad, "b", to_vpc).dropped, DropReason::kFiltered);
}

// Costs that the data plane charges: rules are walked in order.
TEST_F(TwoEnis, CountsTheRulesOfALookup) {
  const HostState state = *PlanNode(settings_, node_);
  const auto checked = [&](const char* pod, IpAddress src, IpAddress dst) {
    const WalkResult result = Send(state, pod, Tcp(src, dst));
    int most = 0;
    for (const WalkStep& step : result.steps) {
      if (step.netns.empty()) most = std::max(most, step.rules_checked);
    }
    return most;
  };
  // The local table's rule, then the to-pod rules: the i-th pod's comes as the i-th.
  EXPECT_EQ(checked("b", Ip("10.0.0.51"), Ip("10.0.0.21")), 2);
  EXPECT_EQ(checked("a", Ip("10.0.0.21"), Ip("10.0.0.52")), 4);
  // From a secondary ENI: past 3 to-pod rules and the mark's, its own is the first.
  EXPECT_EQ(checked("b", Ip("10.0.0.51"), Ip("10.0.7.7")), 6);
  EXPECT_EQ(checked("c", Ip("10.0.0.52"), Ip("10.0.7.7")), 7);
  // From the primary: past all.
  EXPECT_EQ(checked("a", Ip("10.0.0.21"), Ip("10.0.7.7")), 9);
}

}  // namespace
}  // namespace cnisim
