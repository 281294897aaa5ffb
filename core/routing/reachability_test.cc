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
    return net.addresses.empty() ? Ip("10.0.0.99") : Any(net.addresses)->first.address;
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

}  // namespace
}  // namespace cnisim
