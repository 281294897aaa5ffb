#include "core/routing/reachability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/routing/calico_cluster_testing.h"
#include "core/routing/reachability_probe.h"
#include "core/routing/vpc_cni_cluster_testing.h"

namespace cnisim {
namespace {

using Pairs = std::set<std::pair<std::string, std::string>>;
using Problem = ReachabilityProblem;

IpAddress Ip(const char* text) { return *IpAddress::Parse(text); }
IpCidr Cidr(const char* text) { return *IpCidr::Parse(text); }

// A cluster that can be broken.
struct World {
  std::map<std::string, HostState> states;
  VpcFabric fabric{{}, {}};
  std::vector<ClusterPod> pods;
  std::vector<PodPool> pools;

  std::map<std::string, const HostState*> Nodes() const {
    std::map<std::string, const HostState*> nodes;
    for (const auto& [name, state] : states) nodes[name] = &state;
    return nodes;
  }
  const ClusterPod& Pod(const std::string& name) const {
    return *std::ranges::find(pods, name, &ClusterPod::name);
  }
  ReachabilityReport Decide(size_t max_examples = 3) const {
    const auto nodes = Nodes();
    return Make(nodes).Decide(max_examples);
  }
  std::vector<ReachabilityFinding> DecideFor(const ClusterPod& pod) const {
    const auto nodes = Nodes();
    return Make(nodes).DecideFor(pod);
  }
  Reachability Make(const std::map<std::string, const HostState*>& nodes) const {
    Reachability reachability(nodes, fabric);
    for (const ClusterPod& pod : pods) reachability.AddPod(pod);
    for (const PodPool& pool : pools) reachability.AddPool(pool);
    return reachability;
  }
};

World WorldOf(const VpcCniCluster& cluster) {
  World world{cluster.States(), cluster.MakeFabric(), {}, {}};
  for (const auto& [name, node] : cluster.nodes) {
    for (const VpcCniPod& pod : node.pods) {
      world.pods.push_back({name + "/" + pod.netns, name, pod.netns, pod.interfaces[0].ip});
    }
  }
  return world;
}

World WorldOf(const RandomCalico& random, bool source_dest_check) {
  World world{random.States(), random.MakeFabric(source_dest_check), {}, {}};
  for (const CalicoPod& pod : random.cluster.pods) {
    world.pods.push_back({pod.node + "/" + pod.netns, pod.node, pod.netns, pod.ip});
  }
  for (const CalicoPool& pool : random.cluster.pools) {
    world.pools.push_back({pool.cidr.ToString(), pool.cidr});
  }
  return world;
}

// The slow twin: every pair is walked.
Pairs WrongPairs(const World& world) {
  const auto nodes = world.Nodes();
  Pairs wrong;
  for (const ClusterPod& from : world.pods) {
    for (const ClusterPod& to : world.pods) {
      if (from.name == to.name) continue;
      ForwardingWalk walk(nodes, world.fabric);
      const WalkResult result = walk.Send(from.node, from.netns, ProbePacket(from.ip, to.ip));
      if (!IsRight(result, from, to)) wrong.emplace(from.name, to.name);
    }
    if (!WalkAgent(nodes, world.fabric, from).right) wrong.emplace("", from.name);
  }
  return wrong;
}

bool IsOfPairs(const ReachabilityFinding& finding) {
  return finding.problem != Problem::kPodMtuTooBig &&
         finding.problem != Problem::kDuplicateAddress &&
         finding.problem != Problem::kOverlappingPools;
}

std::string Texts(const std::vector<ReachabilityFinding>& findings) {
  std::string text;
  for (const ReachabilityFinding& finding : findings) {
    text += std::string(ReachabilityProblemName(finding.problem)) + " (" +
            std::string(DropReasonName(finding.reason)) + ", " + std::to_string(finding.pairs) +
            "): " + finding.explanation + "\n";
  }
  return text;
}

std::string FirstDifference(const World& world, const Pairs& found, const Pairs& wrong) {
  Pairs differ;
  std::ranges::set_symmetric_difference(found, wrong, std::inserter(differ, differ.end()));
  if (differ.empty() || differ.begin()->first.empty()) return "";
  const ClusterPod& from = world.Pod(differ.begin()->first);
  const ClusterPod& to = world.Pod(differ.begin()->second);
  const auto nodes = world.Nodes();
  ForwardingWalk walk(nodes, world.fabric);
  return RenderWalk(walk.Send(from.node, from.netns, ProbePacket(from.ip, to.ip)));
}

// The decision is what the walks say, and counts each pair once.
Pairs ExpectAsWalked(const World& world) {
  const ReachabilityReport report = world.Decide(1000000);
  Pairs found;
  int64_t counted = 0;
  int64_t agents = 0;
  for (const ReachabilityFinding& finding : report.findings) {
    EXPECT_FALSE(finding.explanation.empty());
    if (!IsOfPairs(finding)) continue;
    counted += finding.pairs;
    EXPECT_EQ(finding.pairs, static_cast<int64_t>(finding.examples.size()));
    found.insert(finding.examples.begin(), finding.examples.end());
  }
  const Pairs wrong = WrongPairs(world);
  for (const auto& [from, to] : wrong) agents += from.empty() ? 1 : 0;
  EXPECT_EQ(found, wrong) << Texts(report.findings) << FirstDifference(world, found, wrong);
  EXPECT_EQ(counted, static_cast<int64_t>(wrong.size())) << Texts(report.findings);
  EXPECT_EQ(report.unreachable, counted - agents);
  const auto pods = static_cast<int64_t>(world.pods.size());
  EXPECT_EQ(report.pairs, pods * (pods - 1));
  return wrong;
}

// Breaks one thing somewhere.
class Vandal {
 public:
  explicit Vandal(uint64_t seed) : random_(seed) {}

  int Below(size_t n) { return static_cast<int>(random_() % n); }

  template <typename Container>
  auto Any(Container& container) {
    return std::next(container.begin(), Below(container.size()));
  }

  void Break(World& world) {
    HostState& host = Any(world.states)->second;
    NetState& net = host.net;
    NetState* pod = host.pods.empty() ? nullptr : &Any(host.pods)->second;
    NetState& either = pod != nullptr && Below(3) == 0 ? *pod : net;
    switch (Below(20)) {
      case 0:
        if (!either.rules.empty()) either.rules.erase(Any(either.rules));
        break;
      case 1:
        if (!net.rules.empty()) {
          Any(net.rules)->table = Below(2) == 0 ? kMainTable : 2 + Below(3);
        }
        break;
      case 2:
        if (!net.rules.empty()) std::swap(*Any(net.rules), *Any(net.rules));
        break;
      case 3:
        if (!either.routes.empty()) either.routes.erase(Any(either.routes));
        break;
      case 4:
        if (!net.routes.empty()) {
          Any(net.routes)->second.dev = Any(net.links)->first;
        }
        break;
      case 5:
        if (!net.routes.empty()) Any(net.routes)->second.via = SomeAddress(world);
        break;
      case 6:
        if (!net.routes.empty()) Any(net.routes)->second.type = RouteType::kBlackhole;
        break;
      case 7:
        if (!either.neighbours.empty()) either.neighbours.erase(Any(either.neighbours));
        break;
      case 8:
        if (!either.neighbours.empty()) Any(either.neighbours)->second = MacAddress(1);
        break;
      case 9:
        Any(either.links)->second.up = false;
        break;
      case 10:
        if (!either.addresses.empty()) either.addresses.erase(Any(either.addresses));
        break;
      case 11:
        if (!host.fdb.empty()) host.fdb.erase(Any(host.fdb));
        break;
      case 12:
        if (!host.fdb.empty()) Any(host.fdb)->second = SomeAddress(world);
        break;
      case 13:
        if (!host.ipsets.empty()) {
          std::set<IpCidr>& set = Any(host.ipsets)->second;
          if (!set.empty()) set.erase(Any(set));
        }
        break;
      case 14:
        if (!host.chains.empty()) {
          auto& chain = Any(host.chains)->second;
          if (!chain.empty()) chain.erase(Any(chain));
        }
        break;
      case 15: {
        // A stray route or rule for some pod, or for many.
        const IpCidr block = Below(2) == 0
                                 ? IpCidr(SomeAddress(world))
                                 : IpCidr(Ipv4Cidr(SomeAddress(world).v4(), 24 + Below(8)));
        if (Below(2) == 0) {
          Route route;
          route.dev = Any(net.links)->first;
          if (Below(2) == 0) route.via = SomeAddress(world);
          net.routes[{kMainTable, block, 0}] = route;
        } else {
          Rule rule;
          rule.priority = 100;
          (Below(2) == 0 ? rule.from : rule.to) = block;
          rule.table = 2 + Below(3);
          net.rules.insert(Any(net.rules), rule);
        }
        break;
      }
      case 16: {
        IptablesRule rule;
        if (Below(2) == 0) rule.source = IpCidr(Ipv4Cidr(SomeAddress(world).v4(), 26));
        if (Below(2) == 0) rule.destination = IpCidr(SomeAddress(world));
        if (Below(2) == 0) {
          rule.target = Verdict::kDrop;
          host.chains[{Family::kV4, IptablesTable::kFilter, "FORWARD"}].push_back(rule);
        } else {
          rule.target = MasqueradeTarget{};
          host.chains[{Family::kV4, IptablesTable::kNat, "POSTROUTING"}].push_back(rule);
        }
        break;
      }
      case 17: {
        // EC2 took an address away, and perhaps gave it to another ENI.
        if (world.pods.empty()) break;
        const IpAddress ip = Any(world.pods)->ip;
        const VpcInterface* holder = world.fabric.HolderOf(ip);
        if (holder == nullptr) break;
        world.fabric.Unassign(holder->node, holder->link, IpCidr(ip));
        const std::string& node = Any(world.states)->first;
        const auto interfaces = world.fabric.InterfacesOf(node);
        if (Below(2) == 0 && !interfaces.empty()) {
          world.fabric.Assign(node, interfaces[Below(interfaces.size())]->link, IpCidr(ip));
        }
        break;
      }
      case 18: {
        const std::string& node = Any(world.states)->first;
        const auto interfaces = world.fabric.InterfacesOf(node);
        if (interfaces.empty()) break;
        VpcInterface changed = *interfaces[Below(interfaces.size())];
        changed.source_dest_check = !changed.source_dest_check;
        world.fabric.Detach(changed.node, changed.link);
        if (Below(4) != 0) world.fabric.Attach(changed);
        break;
      }
      case 19:
        // A pod that somebody else already is.
        if (!world.pods.empty()) Any(world.pods)->ip = Any(world.pods)->ip;
        break;
    }
  }

 private:
  IpAddress SomeAddress(const World& world) {
    if (!world.pods.empty() && Below(2) == 0) return world.pods[Below(world.pods.size())].ip;
    const NetState& net = Any(world.states)->second.net;
    if (net.addresses.empty()) return Ip("10.0.0.99");
    const IpAddress address = Any(net.addresses)->first.address;
    return address.is_v4() ? address : Ip("10.0.0.1");
  }

  std::mt19937_64 random_;
};

constexpr CalicoEncapsulation kModes[] = {
    CalicoEncapsulation::kNone, CalicoEncapsulation::kVxlan, CalicoEncapsulation::kVxlanCrossSubnet,
    CalicoEncapsulation::kIpip, CalicoEncapsulation::kIpipCrossSubnet};

World RandomCalicoWorld(uint64_t seed) {
  std::mt19937_64 random(seed);
  RandomCalico calico(seed, kModes[random() % 5]);
  if (random() % 3 == 0) {
    // A second pool, of another mode, with a block on some nodes.
    const CalicoEncapsulation mode = kModes[random() % 5];
    calico.cluster.pools.push_back({Cidr("10.245.0.0/16"), mode, random() % 2 == 0, false});
    for (size_t n = 0; n < calico.cluster.nodes.size(); ++n) {
      CalicoNode& node = calico.cluster.nodes[n];
      const IpCidr block = Ipv4Cidr(Ipv4Address(10, 245, static_cast<uint8_t>(n), 0), 26);
      const bool vxlan =
          mode == CalicoEncapsulation::kVxlan || mode == CalicoEncapsulation::kVxlanCrossSubnet;
      const bool ipip =
          mode == CalicoEncapsulation::kIpip || mode == CalicoEncapsulation::kIpipCrossSubnet;
      if (vxlan && !node.vxlan_ip) node.vxlan_ip = block.network();
      if (ipip && !node.ipip_ip) node.ipip_ip = block.network();
      calico.cluster.blocks.push_back({block, node.name, random() % 8 != 0});
      if (random() % 2 == 0) calico.AddPod(node.name, block.network().Offset(5));
    }
  }
  return WorldOf(calico, random() % 3 == 0);
}

TEST(Reachability, EqualsTheWalkOfAllPairsOnRandomVpcCniClusters) {
  int whole = 0;
  int broken = 0;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE(seed);
    World world = WorldOf(VpcCniCluster(seed));
    Vandal vandal(seed);
    const int faults = static_cast<int>(seed % 4);
    for (int f = 0; f < faults; ++f) vandal.Break(world);
    const Pairs wrong = ExpectAsWalked(world);
    if (faults == 0) {
      EXPECT_TRUE(wrong.empty());
      const ReachabilityReport report = world.Decide();
      EXPECT_TRUE(report.whole()) << Texts(report.findings);
      EXPECT_LE(report.islands.size(), 1u);
    }
    ++(wrong.empty() ? whole : broken);
    if (HasFailure()) return;
  }
  EXPECT_GT(whole, 1250);
  EXPECT_GT(broken, 1000);
}

TEST(Reachability, EqualsTheWalkOfAllPairsOnRandomCalicoClusters) {
  int whole = 0;
  int broken = 0;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE(seed);
    World world = RandomCalicoWorld(seed);
    Vandal vandal(seed);
    for (uint64_t f = 0; f < seed % 4; ++f) vandal.Break(world);
    ++(ExpectAsWalked(world).empty() ? whole : broken);
    if (HasFailure()) return;
  }
  EXPECT_GT(whole, 500);
  EXPECT_GT(broken, 1000);
}

// Whether a finding of this kind has all these words.
bool Names(const std::vector<ReachabilityFinding>& findings, Problem problem,
           const std::vector<std::string>& words) {
  return std::ranges::any_of(findings, [&](const ReachabilityFinding& finding) {
    return finding.problem == problem && std::ranges::all_of(words, [&](const std::string& word) {
             return finding.explanation.find(word) != std::string::npos;
           });
  });
}

// Every fault of a pod's entries on its node, one after the other: if any walk goes wrong, the
// fault is named, and by the decision for the touched pod as well.
TEST(Reachability, NamesEveryFaultOfAPodsOwnEntries) {
  std::map<std::string, int> named;
  for (uint64_t seed = 20; seed < 36; ++seed) {
    const VpcCniCluster cluster(seed);
    World world = WorldOf(cluster);
    for (const auto& [name, node] : cluster.nodes) {
      for (const VpcCniPod& pod : node.pods) {
        const std::string pod_name = name + "/" + pod.netns;
        const VpcCniPodInterface& interface = pod.interfaces[0];
        const std::string ip = interface.ip.ToString();
        HostState& host = world.states.at(name);
        const HostState good = host;
        const auto expect = [&](const std::string& fault, const std::vector<std::string>& words) {
          SCOPED_TRACE(testing::Message() << seed << " " << pod_name << " " << fault);
          const Pairs wrong = WrongPairs(world);
          if (!wrong.empty()) {
            ++named[fault];
            const ReachabilityReport report = world.Decide();
            const bool agent = wrong.begin()->first.empty() && wrong.size() == 1;
            const Problem problem =
                agent ? Problem::kAgentCannotReachPod : Problem::kPodUnreachable;
            EXPECT_TRUE(Names(report.findings, problem, words)) << Texts(report.findings);
            const auto findings = world.DecideFor(world.Pod(pod_name));
            EXPECT_TRUE(Names(findings, problem, words)) << Texts(findings);
          }
          host = good;
        };
        const auto rule_of = [&](int priority) {
          return std::ranges::find_if(host.net.rules, [&](const Rule& rule) {
            return rule.priority == priority &&
                   (rule.from == IpCidr(interface.ip) || rule.to == IpCidr(interface.ip));
          });
        };
        if (const auto rule = rule_of(kToPodRule); rule != host.net.rules.end()) {
          host.net.rules.erase(rule);
          expect("to-pod rule", {"no rule by which packets to " + pod_name,
                                 "\"512: from all to " + ip + " lookup main\""});
        }
        if (auto rule = rule_of(kFromPodRule); rule != host.net.rules.end()) {
          const std::string remedy =
              "\"1536: from " + ip + " lookup " + std::to_string(rule->table) + "\"";
          host.net.rules.erase(rule);
          expect("from-pod rule", {pod_name, "is missing", remedy});
          rule_of(kFromPodRule)->table = kMainTable;
          expect("wrong table",
                 {pod_name, "1536: from " + ip + " lookup main", "wrong table", remedy});
        }
        const auto route = std::ranges::find_if(host.net.routes, [&](const auto& entry) {
          return entry.first.destination == IpCidr(interface.ip);
        });
        ASSERT_NE(route, host.net.routes.end());
        route->second.dev = "lo";
        expect("route to elsewhere", {"has no route to " + pod_name, ip + " dev"});
        host.net.routes.erase(std::ranges::find_if(host.net.routes, [&](const auto& entry) {
          return entry.first.destination == IpCidr(interface.ip);
        }));
        expect("route", {"has no route to " + pod_name, ip + " dev"});
        host.pods.at(pod.netns).neighbours.begin()->second = MacAddress(1);
        expect("gateway's MAC", {pod.netns, "MAC address 00:00:00:00:00:01", "replace it"});
        host.pods.at(pod.netns).neighbours.clear();
        expect("gateway's neighbour", {pod.netns, "gets no answer for its gateway 169.254.1.1"});
        host.pods.at(pod.netns).routes.clear();
        expect("pod's routes", {pod.netns, "has no route"});
        host.net.links.at(interface.host_name).up = false;
        expect("veth", {"missing, down"});
        host.pods.erase(pod.netns);
        expect("namespace", {pod_name});
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_EQ(named.size(), 10u);
  for (const auto& [fault, count] : named) EXPECT_GT(count, 5) << fault;
}

TEST(Reachability, NamesTranslationBetweenPods) {
  int named = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    const VpcCniCluster cluster(seed);
    if (cluster.settings.external_snat) continue;
    World world = WorldOf(cluster);
    auto& chain =
        world.states.at("node-0").chains.at({Family::kV4, IptablesTable::kNat, "AWS-SNAT-CHAIN-0"});
    std::erase_if(chain,
                  [](const IptablesRule& rule) { return rule.destination == Cidr("10.0.0.0/16"); });
    const Pairs wrong = WrongPairs(world);
    const ReachabilityReport report = world.Decide();
    EXPECT_EQ(report.whole(), wrong.empty());
    if (wrong.empty()) continue;
    ++named;
    EXPECT_TRUE(Names(report.findings, Problem::kPodToPodNat,
                      {"node-0", "AWS-SNAT-CHAIN-0", "SNAT --to-source", "EXCLUDE_SNAT_CIDRS"}))
        << Texts(report.findings);
  }
  EXPECT_GT(named, 10);
}

TEST(Reachability, NamesAddressesThatEc2DoesNotKnow) {
  const VpcCniCluster cluster(7);
  World world = WorldOf(cluster);
  ASSERT_GT(world.pods.size(), 3u);
  const ClusterPod& pod = world.pods.front();
  const VpcInterface holder = *world.fabric.HolderOf(pod.ip);
  world.fabric.Unassign(holder.node, holder.link, IpCidr(pod.ip));
  const ReachabilityReport report = world.Decide();
  EXPECT_TRUE(Names(report.findings, Problem::kPodUnreachable, {pod.name, "assign"}))
      << Texts(report.findings);
  EXPECT_GT(report.islands.size(), 0u);
  world.fabric.Assign(holder.node, holder.link, IpCidr(pod.ip));
  EXPECT_TRUE(world.Decide().whole());
}

// One fault of a VXLAN's entries for a remote node.
TEST(Reachability, NamesStaleTunnels) {
  const RandomCalico random(3, CalicoEncapsulation::kVxlan);
  const World good = WorldOf(random, true);
  ASSERT_TRUE(good.Decide().whole()) << Texts(good.Decide().findings);
  const MacAddress vtep = CalicoVtepMac("node-1");
  const std::string mac = vtep.ToString();
  const IpAddress tunnel = *random.cluster.nodes[1].vxlan_ip;
  const auto expect = [&](const std::function<void(World&)>& fault,
                          const std::vector<std::string>& words) {
    World bad = WorldOf(random, true);
    fault(bad);
    const ReachabilityReport report = bad.Decide();
    EXPECT_TRUE(Names(report.findings, Problem::kPodUnreachable, words)) << Texts(report.findings);
    // All pods of the one node, to all of the other.
    const auto count = [&](const char* node) {
      return std::ranges::count(bad.pods, node, &ClusterPod::node);
    };
    EXPECT_GE(report.unreachable, (count("node-0") - 1) * (count("node-1") - 1));
  };
  const auto fdb = [&](World& world) -> IpAddress& {
    return world.states.at("node-0").fdb.at({"vxlan.calico", vtep});
  };
  expect(
      [&](World& world) {
        world.states["node-0"].fdb.erase({"vxlan.calico", vtep});
      },
      {"node-0 has no FDB entry for " + mac, "node-1"});
  expect([&](World& world) { fdb(world) = Ip("10.0.9.9"); },
         {"node-0 has a stale FDB entry", mac, "10.0.9.9", "node-1"});
  expect([&](World& world) { fdb(world) = random.cluster.nodes[2].ip; },
         {"node-0 has a stale FDB entry", mac, random.cluster.nodes[2].ip.ToString(), "node-1"});
  expect(
      [&](World& world) {
        world.states["node-0"].net.neighbours.erase({"vxlan.calico", tunnel});
      },
      {"node-0 has no neighbour entry for " + tunnel.ToString() + " on vxlan.calico", "node-1"});
  expect(
      [&](World& world) { world.states["node-1"].net.links["vxlan.calico"].mac = MacAddress(1); },
      {"VTEP of node-1", mac, "stale"});
  expect([&](World& world) { world.states["node-1"].ipsets["cali40all-vxlan-net"].clear(); },
         {"A chain of node-1 drops it", "-j DROP"});
  expect(
      [&](World& world) {
        std::erase_if(world.states["node-0"].net.routes, [&](const auto& entry) {
          return entry.first.destination.Contains(tunnel) && entry.first.destination.length() > 0;
        });
      },
      {"node-0 has no route to", "node-1"});
}

// What a VPC does with packets that are not encapsulated.
TEST(Reachability, NamesWhatAVpcDoesNotCarry) {
  int checks = 0;
  int subnets = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    for (const CalicoEncapsulation mode :
         {CalicoEncapsulation::kNone, CalicoEncapsulation::kVxlanCrossSubnet,
          CalicoEncapsulation::kIpipCrossSubnet}) {
      SCOPED_TRACE(testing::Message() << seed << " mode " << static_cast<int>(mode));
      const RandomCalico random(seed, mode);
      const auto& nodes = random.cluster.nodes;
      const bool none = mode == CalicoEncapsulation::kNone;
      int near = 0;
      for (const CalicoNode& node : nodes) near += node.subnet == nodes[0].subnet ? 1 : 0;
      const bool one_subnet = near == static_cast<int>(nodes.size());
      {
        const ReachabilityReport report = WorldOf(random, true).Decide();
        if (near > 1 || none) {
          ++checks;
          EXPECT_TRUE(Names(report.findings, Problem::kSourceDestCheck,
                            {"source/destination check of node-0's eth0", "disable"}))
              << Texts(report.findings);
        }
      }
      const World world = WorldOf(random, false);
      const ReachabilityReport report = world.Decide();
      if (!none || one_subnet) {
        EXPECT_TRUE(report.whole()) << Texts(report.findings);
        EXPECT_EQ(report.islands.size(), 1u);
        continue;
      }
      ++subnets;
      EXPECT_TRUE(Names(report.findings, Problem::kNoRouteAcrossSubnets,
                        {"without encapsulation", "another subnet", "CrossSubnet"}))
          << Texts(report.findings);
      // Each subnet is for itself.
      EXPECT_EQ(report.islands.size(), 2u);
    }
  }
  EXPECT_GT(checks, 50);
  EXPECT_GT(subnets, 20);
}

// Pods that kept the MTU of before the encapsulation.
TEST(Reachability, NamesPodsWithTooBigAnMtu) {
  for (const CalicoEncapsulation mode : kModes) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      SCOPED_TRACE(testing::Message() << seed << " mode " << static_cast<int>(mode));
      const RandomCalico random(seed, mode);
      World world = WorldOf(random, false);
      for (auto& [netns, net] : world.states.at("node-0").pods) net.links.at("eth0").mtu = 9001;
      bool tunnelled = mode == CalicoEncapsulation::kVxlan || mode == CalicoEncapsulation::kIpip;
      if (mode != CalicoEncapsulation::kNone) {
        for (const CalicoNode& node : random.cluster.nodes) {
          tunnelled |= node.subnet != random.cluster.nodes[0].subnet;
        }
      }
      const ReachabilityReport report = world.Decide();
      const bool named = Names(report.findings, Problem::kPodMtuTooBig,
                               {"Pods of node-0", "9001 bytes", "Lower the pods' MTU"});
      EXPECT_EQ(named, tunnelled) << Texts(report.findings);
      const ClusterPod& pod = *std::ranges::find(world.pods, "node-0", &ClusterPod::node);
      EXPECT_EQ(Names(world.DecideFor(pod), Problem::kPodMtuTooBig, {"Pods of node-0"}), tunnelled);
      if (mode != CalicoEncapsulation::kNone) {
        EXPECT_EQ(report.unreachable, 0);
      }
    }
  }
}

TEST(Reachability, NamesOverlappingPools) {
  World world = WorldOf(RandomCalico(1, CalicoEncapsulation::kVxlan), true);
  world.pools.push_back({"small", Cidr("10.244.4.0/24")});
  world.pools.push_back({"vpc", Cidr("10.0.128.0/17")});
  const ReachabilityReport report = world.Decide();
  const auto overlapping = [&](const std::vector<std::string>& words) {
    return Names(report.findings, Problem::kOverlappingPools, words);
  };
  EXPECT_TRUE(overlapping({"10.244.0.0/16", "small", "10.244.4.0/24"}));
  EXPECT_TRUE(overlapping({"vpc", "10.0.128.0/17", "the VPC's 10.0.0.0/16"}));
  EXPECT_EQ(report.findings.size(), 2u) << Texts(report.findings);
  EXPECT_EQ(report.unreachable, 0);
}

TEST(Reachability, NamesAddressesThatAreInUseTwice) {
  World world = WorldOf(VpcCniCluster(7));
  world.pods.push_back(world.pods.front());
  world.pods.back().name = "twin";
  world.pods.back().netns = "twin";
  world.pods.back().node = world.pods[1].node;
  const ReachabilityReport report = world.Decide();
  const std::vector<std::string> words = {world.pods.front().name, "twin", "same address",
                                          world.pods.front().ip.ToString()};
  EXPECT_TRUE(Names(report.findings, Problem::kDuplicateAddress, words)) << Texts(report.findings);
  EXPECT_TRUE(
      Names(world.DecideFor(world.pods.back()), Problem::kDuplicateAddress, {"same address"}));
}

// Pods come and go; what a DEL forgets is found.
TEST(Reachability, DecidesForPodsThatComeAndGo) {
  int leftovers = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    VpcCniCluster cluster(seed);
    World world = WorldOf(cluster);
    const auto nodes = world.Nodes();
    Reachability reachability = world.Make(nodes);
    for (const auto& [name, node] : cluster.nodes) {
      HostState& host = world.states.at(name);
      for (const VpcCniPod& pod : node.pods) {
        const ClusterPod known = world.Pod(name + "/" + pod.netns);
        EXPECT_TRUE(reachability.DecideFor(known).empty());
        const HostState with = host;
        ASSERT_TRUE(Apply(PlanPodDel(cluster.settings, pod), host));
        reachability.RemovePod(known.name);
        EXPECT_TRUE(reachability.DecideFor(known).empty());
        EXPECT_TRUE(reachability.Decide().whole());
        // Each entry of the pod that stays.
        for (const Rule& rule : with.net.rules) {
          if (rule.from != IpCidr(known.ip) && rule.to != IpCidr(known.ip)) continue;
          ++leftovers;
          host.net.rules.push_back(rule);
          const auto findings = reachability.DecideFor(known);
          EXPECT_EQ(findings.size(), 1u);
          EXPECT_TRUE(Names(findings, Problem::kLeftover, {name, known.ip.ToString()}));
          host.net.rules.pop_back();
        }
        host = with;
        reachability.AddPod(known);
        EXPECT_TRUE(reachability.DecideFor(known).empty());
      }
    }
  }
  EXPECT_GT(leftovers, 100);
}

}  // namespace
}  // namespace cnisim
