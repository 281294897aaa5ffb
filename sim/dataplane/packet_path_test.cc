#include "sim/dataplane/packet_path.h"

#include <gtest/gtest.h>

#include "core/routing/calico_cluster_testing.h"
#include "core/routing/vpc_cni_cluster_testing.h"

namespace cnisim {
namespace {

std::map<std::string, const HostState*> Pointers(const std::map<std::string, HostState>& states) {
  std::map<std::string, const HostState*> nodes;
  for (const auto& [name, state] : states) nodes.emplace(name, &state);
  return nodes;
}

// Two nodes of the VPC CNI, `pods` pods on each, all on secondary ENIs' addresses.
struct VpcCniPair {
  explicit VpcCniPair(int pods) {
    cluster.nodes.clear();
    cluster.settings = VpcCniHostSettings();
    for (const std::string name : {"a", "b"}) {
      VpcCniNode node;
      node.vpc_cidrs = cluster.vpc_cidrs;
      cluster.nodes[name] = node;
      for (int e = 0; e < 2; ++e) cluster.AddEni(name, false);
      for (int p = 0; p < pods; ++p) {
        // On the second ENI.
        while (cluster.AddPod(name).interfaces.front().route_table == kMainTable) {
          cluster.owners.erase(cluster.nodes[name].pods.back().interfaces.front().ip);
          cluster.nodes[name].pods.pop_back();
        }
      }
    }
  }

  PathEnd End(const std::string& node, size_t pod) const {
    const VpcCniPod& p = cluster.nodes.at(node).pods.at(pod);
    return {node, p.netns, p.interfaces.front().ip};
  }

  PairPath Path(const PathEnd& from, const PathEnd& to, const PathSettings& settings = {},
                bool via_service = false) const {
    const auto states = cluster.States();
    const VpcFabric fabric = cluster.MakeFabric();
    const auto nodes = Pointers(states);
    return PathFinder(nodes, fabric, settings).Find(from, to, Transport::kTcp, via_service);
  }

  VpcCniCluster cluster{1};
};

TEST(PacketPath, RulesOfTheVpcCniGrowWithThePodsOfANode) {
  double last = 0;
  for (const int pods : {2, 12, 22}) {
    const VpcCniPair pair(pods);
    const PairPath path = pair.Path(pair.End("a", 0), pair.End("b", 0));
    ASSERT_TRUE(path.works());
    EXPECT_TRUE(path.request.crosses);
    EXPECT_FALSE(path.request.tunnel);
    // Out: past one rule for each pod to its own; back, to validate the source, to its own.
    const double rules = path.request.send[Cost::kRoutingRule];
    if (last != 0) {
      EXPECT_EQ(rules - last, 10);
    }
    last = rules;
    // The first pod's address is the first that a receiver finds.
    EXPECT_EQ(path.request.receive[Cost::kTunnelReceive], 0);
    EXPECT_EQ(path.request.send[Cost::kConntrackLookup], 1);
    EXPECT_EQ(path.request.receive[Cost::kConntrackLookup], 1);
  }
}

TEST(PacketPath, OneNodePaysAllAtTheSender) {
  const VpcCniPair pair(3);
  const PairPath path = pair.Path(pair.End("a", 0), pair.End("a", 2));
  ASSERT_TRUE(path.works());
  EXPECT_FALSE(path.request.crosses);
  EXPECT_EQ(path.request.receive, CostVector());
  EXPECT_EQ(path.request.send[Cost::kDriverTransmit], 0);
  EXPECT_EQ(path.request.send[Cost::kSocketReceive], 1);
  EXPECT_EQ(path.request.send[Cost::kVethTransmit], 2);
  EXPECT_EQ(path.client_entries, 1);
  EXPECT_EQ(path.server_entries, 0);
}

TEST(PacketPath, ServicesCostFirstPacketsOnly) {
  const VpcCniPair pair(3);
  const PathEnd from = pair.End("a", 0);
  const PathEnd to = pair.End("b", 0);
  for (const KubeProxyMode mode :
       {KubeProxyMode::kIptables, KubeProxyMode::kIpvs, KubeProxyMode::kNftables}) {
    const PairPath few = pair.Path(from, to, {{mode, 10, 3}}, true);
    const PairPath many = pair.Path(from, to, {{mode, 10'000, 3}}, true);
    EXPECT_EQ(few.request, many.request);
    EXPECT_EQ(few.reply, many.reply);
    const double more =
        many.first_client[Cost::kIptablesRule] - few.first_client[Cost::kIptablesRule];
    EXPECT_EQ(more, CostOfServiceConnection(mode, 10'000, 3).rules -
                        CostOfServiceConnection(mode, 10, 3).rules);
    if (mode == KubeProxyMode::kIptables) {
      EXPECT_GT(more, 4000);
    }
  }
}

TEST(PacketPath, EveryPairOfRandomClustersOfTheVpcCniHasAWay) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const VpcCniCluster cluster(seed);
    const auto states = cluster.States();
    const auto nodes = Pointers(states);
    const VpcFabric fabric = cluster.MakeFabric();
    const PathSettings settings;
    const PathFinder finder(nodes, fabric, settings);
    std::vector<PathEnd> ends;
    for (const auto& [name, node] : cluster.nodes) {
      for (const VpcCniPod& pod : node.pods) {
        if (!pod.branch) ends.push_back({name, pod.netns, pod.interfaces.front().ip});
      }
    }
    for (const PathEnd& from : ends) {
      for (const PathEnd& to : ends) {
        if (from.ip == to.ip) continue;
        const PairPath path = finder.Find(from, to, Transport::kTcp, false);
        ASSERT_TRUE(path.works()) << seed;
        EXPECT_EQ(path.request.crosses, from.node != to.node);
        EXPECT_EQ(path.request.overhead, 0);
        EXPECT_EQ(path.too_big, TooBig::kNone);
        EXPECT_EQ(path.client_entries, 1);
        for (const double count : path.request.send.values) {
          EXPECT_GE(count, 0);
        }
        for (const double count : path.first_client.values) EXPECT_GE(count, 0);
        // What one sends the other receives, whichever way round.
        const PairPath turned = finder.Find(to, from, Transport::kTcp, false);
        EXPECT_EQ(turned.request.crosses, path.request.crosses);
        EXPECT_EQ(turned.request.send, path.reply.send);
        EXPECT_EQ(turned.request.receive, path.reply.receive);
      }
    }
  }
}

struct CalicoCase {
  CalicoEncapsulation encapsulation;
  bool far_only;  // encapsulates packets to other subnets only
  std::optional<LinkType> tunnel;
};

TEST(PacketPath, CalicosModesTunnelWhereTheySay) {
  const std::vector<CalicoCase> cases = {
      {CalicoEncapsulation::kVxlan, false, LinkType::kVxlan},
      {CalicoEncapsulation::kVxlanCrossSubnet, true, LinkType::kVxlan},
      {CalicoEncapsulation::kIpip, false, LinkType::kIpip},
      {CalicoEncapsulation::kIpipCrossSubnet, true, LinkType::kIpip},
  };
  for (const CalicoCase& c : cases) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const RandomCalico random(seed, c.encapsulation);
      const auto states = random.States();
      const auto nodes = Pointers(states);
      const VpcFabric fabric = random.MakeFabric(/*source_dest_check=*/false);
      const PathSettings settings;
      const PathFinder finder(nodes, fabric, settings);
      for (const CalicoPod& from : random.cluster.pods) {
        for (const CalicoPod& to : random.cluster.pods) {
          if (from.ip == to.ip) continue;
          const PairPath path = finder.Find({from.node, from.netns, from.ip},
                                            {to.node, to.netns, to.ip}, Transport::kTcp, false);
          ASSERT_TRUE(path.works()) << seed;
          const bool tunnel =
              from.node != to.node && !(c.far_only && random.Near(from.node, to.node));
          EXPECT_EQ(path.request.tunnel.has_value(), tunnel);
          EXPECT_EQ(path.request.send[Cost::kTunnelTransmit], tunnel ? 1 : 0);
          EXPECT_EQ(path.request.receive[Cost::kTunnelReceive], tunnel ? 1 : 0);
          // No rules of its own: as many lookups on a node of any size.
          EXPECT_EQ(path.request.send[Cost::kRoutingRule], 0);
          if (!tunnel) continue;
          EXPECT_EQ(path.request.tunnel, c.tunnel);
          const bool vxlan = c.tunnel == LinkType::kVxlan;
          EXPECT_EQ(path.request.overhead, vxlan ? 50 : 20);
          EXPECT_EQ(path.request.send[Cost::kVxlanTransmit], vxlan ? 1 : 0);
          EXPECT_EQ(path.request.receive[Cost::kVxlanReceive], vxlan ? 1 : 0);
          // VXLAN's outer packets are not tracked since v3.29; IP-in-IP has one entry for a pair of
          // nodes, which is there by the second connection.
          const bool tracked = !vxlan || random.cluster.release < CalicoRelease{29, 0};
          EXPECT_EQ(path.request.send[Cost::kConntrackLookup], tracked ? 2 : 1);
          EXPECT_EQ(path.request.receive[Cost::kConntrackLookup], tracked ? 2 : 1);
          if (!vxlan || !tracked) {
            EXPECT_EQ(path.client_entries, 1);
          }
          if (vxlan && tracked) {
            EXPECT_EQ(path.client_entries, 3);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace cnisim
