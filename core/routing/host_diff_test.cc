#include "core/routing/host_diff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/routing/forwarding_walk.h"
#include "core/routing/vpc_cni_cluster_testing.h"
#include "core/routing/vpc_cni_planner.h"

namespace cnisim {
namespace {

// The same operations, whatever their order and the places of chain rules.
std::vector<Operation> Normalised(std::vector<Operation> operations) {
  for (Operation& operation : operations) {
    if (auto* rule = std::get_if<ChainRule>(&operation.subject)) rule->position = 0;
  }
  std::sort(operations.begin(), operations.end());
  return operations;
}

TEST(HostDiff, OfEqualStatesIsEmpty) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (const auto& [name, state] : VpcCniCluster(seed).States()) {
      EXPECT_TRUE(Diff(state, state).empty());
    }
  }
}

// States that no planner would make: everything at random from small choices.
class RandomState {
 public:
  explicit RandomState(uint64_t seed) : random_(seed) {}

  HostState Make() {
    HostState state = NewHostState();
    state.net = MakeNet();
    for (int n = Below(3); n > 0; --n) state.pods["pod-" + std::to_string(Below(3))] = MakeNet();
    for (int n = Below(3); n > 0; --n) {
      const std::string dev = Dev();
      if (state.net.links.contains(dev)) state.fdb[{dev, MacAddress(Below(3))}] = Ip();
    }
    for (int n = Below(3); n > 0; --n) {
      state.ipsets["set-" + std::to_string(Below(2))] = {IpCidr(Ip())};
    }
    if (Below(2) == 0) state.nft = NftConnmark{"eni", static_cast<uint32_t>(Below(3)), {}};
    for (const char* chain : {"POSTROUTING", "CHAIN-A", "CHAIN-B"}) {
      if (Below(3) == 0) continue;
      auto& rules = state.chains[{Family::kV4, IptablesTable::kNat, chain}];
      for (int n = Below(6); n > 0; --n) {
        IptablesRule rule;
        rule.destination = IpCidr(Ip());
        rules.push_back(rule);
      }
    }
    return state;
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  IpAddress Ip() { return Ipv4Address(10, 0, 0, static_cast<uint8_t>(Below(4))); }
  std::string Dev() { return "dev-" + std::to_string(Below(4)); }

  NetState MakeNet() {
    NetState net = NewNetState();
    for (int n = Below(4); n > 0; --n) {
      Link link;
      link.type = Below(3) == 0 ? LinkType::kVxlan : LinkType::kPhysical;
      link.mtu = 1500 + Below(2);
      link.mac = MacAddress(Below(2));
      net.links[Dev()] = link;
    }
    for (auto& [name, link] : net.links) {
      const auto parent = std::ranges::find_if(
          net.links, [](const auto& item) { return item.second.type == LinkType::kPhysical; });
      if (link.type == LinkType::kVxlan && parent != net.links.end()) link.parent = parent->first;
    }
    const auto dev = [&] {
      auto it = net.links.begin();
      std::advance(it, Below(static_cast<int>(net.links.size())));
      return it->first;
    };
    for (int n = Below(4); n > 0; --n) net.addresses[{dev(), Ip()}] = {24 + Below(2), {}};
    for (int n = Below(4); n > 0; --n) {
      Route route;
      route.dev = dev();
      if (Below(2) == 0) route.via = Ip();
      net.routes[{Below(3), IpCidr(Ip()), 0}] = route;
    }
    for (int n = Below(4); n > 0; --n) net.neighbours[{dev(), Ip()}] = MacAddress(Below(3));
    for (int n = Below(3); n > 0; --n) {
      net.sysctls["net.ipv4.conf." + dev() + ".key"] = std::to_string(Below(2));
    }
    std::vector<Rule> rules;
    for (int n = Below(7); n > 0; --n) {
      Rule rule;
      rule.family = Below(3) == 0 ? Family::kV6 : Family::kV4;
      rule.priority = 1 + Below(3);
      rule.table = Below(4);
      if (std::ranges::find(rules, rule) == rules.end()) rules.push_back(rule);
    }
    for (const Rule& rule : net.rules) rules.push_back(rule);
    std::stable_sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) {
      return std::pair(a.family, a.priority) < std::pair(b.family, b.priority);
    });
    net.rules = rules;
    return net;
  }

  std::mt19937_64 random_;
};

TEST(HostDiff, LeadsFromAnyStateToAnyOther) {
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    RandomState random(seed);
    HostState state = random.Make();
    const HostState to = random.Make();
    const Status status = Apply(Diff(state, to), state);
    ASSERT_TRUE(status) << status.error().code << " " << status.error().message;
    ASSERT_EQ(state, to);
  }
}

// With the order of rules of equal priority, none of which overlap here, out of the way.
HostState WithSortedRules(HostState state) {
  std::sort(state.net.rules.begin(), state.net.rules.end());
  return state;
}

// What the kernel would take away with a link, or refuse to make. Empty if it would do neither.
std::string KernelObjection(const Operation& operation, const HostState& state) {
  const auto* entry = std::get_if<LinkEntry>(&operation.subject);
  if (entry == nullptr) return "";
  const auto& [name, link] = *entry;
  const NetState& net = *state.Find(operation.netns);
  if (operation.verb == Verb::kReplace) {
    return net.links.at(name).mac == link.mac ? "" : "its neighbours are gone";
  }
  const bool is_pods_end = link.type == LinkType::kVeth && !operation.netns.empty();
  if (operation.verb == Verb::kAdd) {
    if (!link.parent.empty() && !net.links.contains(link.parent)) return "no parent";
    if (is_pods_end && !state.net.links.contains(link.peer)) return "no other end";
    return "";
  }
  const auto is_on = [&name = name](const auto& item) { return item.first.dev == name; };
  if (std::ranges::any_of(net.addresses, is_on)) return "its addresses are gone";
  if (std::ranges::any_of(net.neighbours, is_on)) return "its neighbours are gone";
  if (operation.netns.empty() && std::ranges::any_of(state.fdb, is_on)) return "its FDB is gone";
  for (const auto& [key, route] : net.routes) {
    if (route.dev == name) return "its routes are gone";
  }
  for (const auto& [key, value] : net.sysctls) {
    if (DeviceOfSysctl(key) == name) return "its sysctls are gone";
  }
  for (const auto& [other, upper] : net.links) {
    if (upper.parent == name) return "what stands on it is gone";
  }
  const auto pod = state.pods.find(link.peer_netns);
  const bool has_other_end = pod != state.pods.end() && pod->second.links.contains(link.peer);
  return link.type == LinkType::kVeth && has_other_end ? "its other end is gone" : "";
}

TEST(HostDiff, TakesNothingAwayWithALink) {
  int links = 0;
  const auto follow = [&](HostState state, const HostState& to) {
    for (const Operation& operation : Diff(state, to)) {
      links += std::holds_alternative<LinkEntry>(operation.subject) ? 1 : 0;
      ASSERT_EQ(KernelObjection(operation, state), "");
      ASSERT_TRUE(Apply(operation, state));
    }
    ASSERT_EQ(WithSortedRules(state), WithSortedRules(to));
  };
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    RandomState random(seed);
    const HostState from = random.Make();
    follow(from, random.Make());
  }
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    VpcCniCluster cluster(seed);
    auto states = cluster.States();
    const HostState& state = states["node-0"];
    HostState changed = state;
    for (auto& [name, link] : changed.net.links) {
      if (cluster.OneIn(3)) link.mac = MacAddress(link.mac.bits() + 0x100);
    }
    for (auto& [name, pod] : changed.pods) {
      if (cluster.OneIn(3)) pod.links["eth0"].mac = MacAddress(1);
    }
    follow(NewHostState(), state);
    follow(state, changed);
  }
  EXPECT_GT(links, 1000);
}

TEST(HostDiff, RefusedOperationsChangeNothing) {
  HostState state = NewHostState();
  Rule rule;
  rule.priority = 5;
  const Operation add{Verb::kAdd, "", rule};
  ASSERT_TRUE(Apply(add, state));
  const HostState before = state;
  const auto code = [&](Operation operation) {
    const Status status = Apply(operation, state);
    EXPECT_EQ(state, before);
    return status ? "" : status.error().code;
  };
  Rule other = rule;
  other.table = 7;
  const RouteEntry route{{kMainTable, IpCidr(Ipv4Address(10, 0, 0, 1)), 0}, {}};
  RouteEntry on_missing_link = route;
  on_missing_link.value.dev = "eth7";
  const ChainKey input{Family::kV4, IptablesTable::kFilter, "INPUT"};
  EXPECT_EQ(code(add), kOperationExists);
  EXPECT_EQ(code({Verb::kRemove, "", other}), kOperationMissing);
  EXPECT_EQ(code({Verb::kAdd, "no-such-pod", other}), kOperationMissing);
  EXPECT_EQ(code({Verb::kReplace, "", route}), kOperationMissing);
  EXPECT_EQ(code({Verb::kAdd, "", on_missing_link}), kOperationMissing);
  EXPECT_EQ(code({Verb::kAdd, "", input}), kOperationExists);
  EXPECT_EQ(code({Verb::kAdd, "", ChainRule{input, 2, {}}}), kOperationMissing);
  EXPECT_EQ(code({Verb::kRemove, "", ChainRule{input, 0, {}}}), kOperationMissing);
  EXPECT_EQ(code({Verb::kAdd, "", LinkEntry{"lo", {}}}), kOperationExists);
  EXPECT_EQ(code({Verb::kRemove, "", PodNamespace{"no-such-pod"}}), kOperationMissing);
}

// Planning a pod or an ENI by itself is what comparing whole states finds.
TEST(VpcCniPlanner, OneMomentsPlanIsTheDifferenceOfTheWholeStates) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    VpcCniCluster cluster(seed);
    const VpcCniNode& node = cluster.nodes["node-0"];
    const HostState without = *PlanNode(cluster.settings, node);
    const VpcCniPod pod = cluster.AddPod("node-0");
    const HostState with = *PlanNode(cluster.settings, node);
    EXPECT_EQ(Normalised(PlanPodAdd(cluster.settings, pod)), Normalised(Diff(without, with)));
    EXPECT_EQ(Normalised(PlanPodDel(cluster.settings, pod)), Normalised(Diff(with, without)));

    const VpcCniEni eni = cluster.AddEni("node-0", false);
    const HostState with_eni = *PlanNode(cluster.settings, node);
    EXPECT_EQ(Normalised(PlanEniAttach(cluster.settings, eni)), Normalised(Diff(with, with_eni)));
    EXPECT_EQ(Normalised(PlanEniDetach(cluster.settings, eni)), Normalised(Diff(with_eni, with)));
  }
}

// A node's history leaves no traces: after deletions it is as if the pods had never been there.
TEST(VpcCniPlanner, DeletionsInAnyOrderLeaveWhatTheOthersNeed) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    VpcCniCluster cluster(seed);
    for (auto& [name, node] : cluster.nodes) {
      HostState state = *PlanNode(cluster.settings, node);
      while (!node.pods.empty()) {
        const auto gone = node.pods.begin() + cluster.Below(static_cast<int>(node.pods.size()));
        ASSERT_TRUE(Apply(PlanPodDel(cluster.settings, *gone), state));
        node.pods.erase(gone);
        ASSERT_EQ(state, *PlanNode(cluster.settings, node));
      }
    }
  }
}

struct Probe {
  std::string node;
  std::string netns;
  FlowTuple flow;
};

// Of pods that both states serve alike: where a first packet and its answer arrive, and as what.
std::string Outcome(const std::map<std::string, const HostState*>& nodes, const Fabric& fabric,
                    const Probe& probe) {
  ForwardingWalk walk(nodes, fabric);
  Packet packet;
  packet.tuple = probe.flow;
  const WalkResult there = walk.Send(probe.node, probe.netns, packet);
  if (!there.arrived()) return "lost: " + std::string(DropReasonName(there.dropped));
  const WalkResult back = there.node.empty() ? walk.SendFromOutside(there.Reply())
                                             : walk.Send(there.node, there.netns, there.Reply());
  if (!back.arrived()) return "lost on its way back";
  return there.node + "/" + there.netns + " as " + there.packet.tuple.src.ToString() + ", " +
         back.node + "/" + back.netns;
}

TEST(HostDiff, NoMomentCutsOffAPodThatBothStatesServe) {
  int operations = 0;
  int probes_checked = 0;
  for (uint64_t seed = 0; seed < 24; ++seed) {
    SCOPED_TRACE(seed);
    VpcCniCluster cluster(seed);
    const auto states = cluster.States();

    // Pods and ENIs come and go; the environment may change, too.
    VpcCniNode& node = cluster.nodes["node-0"];
    std::erase_if(node.pods, [&](const VpcCniPod&) { return cluster.OneIn(3); });
    std::vector<VpcCniPod> stay = node.pods;
    if (!cluster.settings.pod_eni) cluster.AddEni("node-0", false);
    for (int n = cluster.Below(4); n > 0; --n) cluster.AddPod("node-0");
    if (cluster.OneIn(3)) cluster.settings.external_snat = !cluster.settings.external_snat;
    if (cluster.OneIn(3)) cluster.settings.node_port_support = !cluster.settings.node_port_support;
    if (cluster.OneIn(3)) node.vpc_cidrs.push_back(*IpCidr::Parse("100.64.0.0/16"));
    if (!cluster.settings.pod_eni) cluster.settings.pod_eni = cluster.OneIn(2);  // moves a rule
    if (cluster.OneIn(2)) {
      // Every ENI's table becomes another one.
      for (VpcCniEni& eni : node.enis) {
        if (!eni.is_primary()) eni.device_number += 5;
      }
      for (VpcCniPod& pod : node.pods) {
        int& table = pod.interfaces[0].route_table;
        if (table != kMainTable) table += 5;
      }
    }
    const HostState from = states.at("node-0");
    const HostState to = *PlanNode(cluster.settings, node);
    const VpcFabric fabric = cluster.MakeFabric();

    std::vector<Probe> probes;
    for (const VpcCniPod& pod : stay) {
      const IpAddress ip = pod.interfaces[0].ip;
      const IpAddress node_ip = node.enis[0].primary_ip;
      const auto add = [&](const std::string& name, const std::string& netns, IpAddress src,
                           IpAddress dst) {
        probes.push_back({name, netns, {src, dst, "tcp", 40000, 80}});
      };
      for (const VpcCniPod& other : stay) add("node-0", pod.netns, ip, other.interfaces[0].ip);
      for (const VpcCniPod& other : cluster.nodes["node-1"].pods) {
        add("node-0", pod.netns, ip, other.interfaces[0].ip);
        add("node-1", other.netns, other.interfaces[0].ip, ip);
      }
      add("node-0", pod.netns, ip, *IpAddress::Parse("8.8.8.8"));
      add("node-0", "", node_ip, ip);
    }
    std::map<std::string, const HostState*> nodes;
    for (const auto& [name, other] : states) nodes[name] = &other;
    const auto outcomes = [&](const HostState& state) {
      nodes["node-0"] = &state;
      std::vector<std::string> all;
      for (const Probe& probe : probes) all.push_back(Outcome(nodes, fabric, probe));
      return all;
    };
    const std::vector<std::string> before = outcomes(from);
    const std::vector<std::string> after = outcomes(to);
    HostState state = from;
    for (const Operation& operation : Diff(from, to)) {
      ASSERT_TRUE(Apply(operation, state));
      ++operations;
      const std::vector<std::string> now = outcomes(state);
      for (size_t i = 0; i < probes.size(); ++i) {
        if (before[i] != after[i] || before[i].starts_with("lost")) continue;
        ++probes_checked;
        ASSERT_EQ(now[i], before[i]) << probes[i].netns << " " << probes[i].flow.dst.ToString();
      }
    }
    ASSERT_EQ(WithSortedRules(state), WithSortedRules(to));
  }
  EXPECT_GT(operations, 500);
  EXPECT_GT(probes_checked, 10000);
}

}  // namespace
}  // namespace cnisim
