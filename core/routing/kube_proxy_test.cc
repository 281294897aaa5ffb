#include "core/routing/kube_proxy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/routing/forwarding_walk.h"
#include "core/routing/render.h"
#include "core/routing/sha256.h"
#include "core/routing/vpc_cni_cluster_testing.h"

namespace cnisim {
namespace {

IpAddress Ip(const char* text) { return *IpAddress::Parse(text); }

KubeServicePort Service(const char* name, IpAddress ip, const char* protocol, uint16_t port) {
  KubeServicePort service;
  service.name = name;
  service.cluster_ip = ip;
  service.protocol = protocol;
  service.port = port;
  return service;
}

TEST(Sha256, OfTheStandardsExamples) {
  const auto hex = [](std::string_view text) {
    std::string out;
    for (const uint8_t byte : Sha256(text)) out += fmt::format("{:02x}", byte);
    return out;
  };
  EXPECT_EQ(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(KubeProxy, NamesChainsAsARealNodeDoes) {
  EXPECT_EQ(KubeChainSuffix("default/kubernetes:https", "tcp"), "NPX46M4PTMTKRN6Y");
  EXPECT_EQ(KubeChainSuffix("default/kubernetes:https", "tcp", "192.168.2.135:443"),
            "AUWR7JB63E235DP3");
  EXPECT_EQ(KubeChainSuffix("game-2048/service-2048", "tcp"), "V7WHPSTR7G6YHTBY");
  EXPECT_EQ(KubeChainSuffix("kube-system/kube-dns:dns", "udp"), "TCOU7JCQXEZGVUNU");
}

TEST(KubeProxy, PrintsItsChains) {
  KubeServicePort dns = Service("kube-system/kube-dns:dns", Ip("10.100.0.10"), "udp", 53);
  dns.endpoints = {{Ip("192.168.2.12"), 53}, {Ip("192.168.11.99"), 53}, {Ip("192.168.2.13"), 53}};
  KubeServicePort web = Service("default/web", Ip("10.100.7.7"), "tcp", 80);
  web.node_port = 30080;
  web.client_ip_affinity = true;
  web.endpoints = {{Ip("10.0.0.51"), 8080}};
  KubeServicePort empty = Service("default/empty", Ip("10.100.9.9"), "tcp", 80);
  HostState host = NewHostState();
  ASSERT_TRUE(Apply(PlanKubeProxy({dns, web, empty}, *IpCidr::Parse("192.168.0.0/16")), host));
  EXPECT_EQ(RenderIptables(host, IptablesTable::kNat),
            R"(-P PREROUTING ACCEPT
-P INPUT ACCEPT
-P OUTPUT ACCEPT
-P POSTROUTING ACCEPT
-N KUBE-EXT-LOLE4ISW44XBNF3G
-N KUBE-MARK-MASQ
-N KUBE-NODEPORTS
-N KUBE-POSTROUTING
-N KUBE-SEP-37YJB3IBIAT2TEWT
-N KUBE-SEP-BA2VDASIQ3OMVE5M
-N KUBE-SEP-CSVG4NHGS2XS6TPF
-N KUBE-SEP-YEHP67TJUKUWHY6L
-N KUBE-SERVICES
-N KUBE-SVC-LOLE4ISW44XBNF3G
-N KUBE-SVC-TCOU7JCQXEZGVUNU
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-EXT-LOLE4ISW44XBNF3G -m comment --comment "masquerade traffic for default/web external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-LOLE4ISW44XBNF3G -j KUBE-SVC-LOLE4ISW44XBNF3G
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-NODEPORTS -d 127.0.0.0/8 -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -m nfacct --nfacct-name  localhost_nps_accepted_pkts -j KUBE-EXT-LOLE4ISW44XBNF3G
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -j KUBE-EXT-LOLE4ISW44XBNF3G
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SEP-37YJB3IBIAT2TEWT -s 10.0.0.51/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-37YJB3IBIAT2TEWT -p tcp -m comment --comment "default/web" -m recent --set --name KUBE-SEP-37YJB3IBIAT2TEWT --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.0.0.51:8080
-A KUBE-SEP-BA2VDASIQ3OMVE5M -s 192.168.2.12/32 -m comment --comment "kube-system/kube-dns:dns" -j KUBE-MARK-MASQ
-A KUBE-SEP-BA2VDASIQ3OMVE5M -p udp -m comment --comment "kube-system/kube-dns:dns" -m udp -j DNAT --to-destination 192.168.2.12:53
-A KUBE-SEP-CSVG4NHGS2XS6TPF -s 192.168.11.99/32 -m comment --comment "kube-system/kube-dns:dns" -j KUBE-MARK-MASQ
-A KUBE-SEP-CSVG4NHGS2XS6TPF -p udp -m comment --comment "kube-system/kube-dns:dns" -m udp -j DNAT --to-destination 192.168.11.99:53
-A KUBE-SEP-YEHP67TJUKUWHY6L -s 192.168.2.13/32 -m comment --comment "kube-system/kube-dns:dns" -j KUBE-MARK-MASQ
-A KUBE-SEP-YEHP67TJUKUWHY6L -p udp -m comment --comment "kube-system/kube-dns:dns" -m udp -j DNAT --to-destination 192.168.2.13:53
-A KUBE-SERVICES -d 10.100.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
-A KUBE-SERVICES -d 10.100.7.7/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-LOLE4ISW44XBNF3G
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-LOLE4ISW44XBNF3G ! -s 192.168.0.0/16 -d 10.100.7.7/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.0.0.51:8080" -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-37YJB3IBIAT2TEWT --mask 255.255.255.255 --rsource -j KUBE-SEP-37YJB3IBIAT2TEWT
-A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.0.0.51:8080" -j KUBE-SEP-37YJB3IBIAT2TEWT
-A KUBE-SVC-TCOU7JCQXEZGVUNU ! -s 192.168.0.0/16 -d 10.100.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-MARK-MASQ
-A KUBE-SVC-TCOU7JCQXEZGVUNU -m comment --comment "kube-system/kube-dns:dns -> 192.168.2.12:53" -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-BA2VDASIQ3OMVE5M
-A KUBE-SVC-TCOU7JCQXEZGVUNU -m comment --comment "kube-system/kube-dns:dns -> 192.168.11.99:53" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-CSVG4NHGS2XS6TPF
-A KUBE-SVC-TCOU7JCQXEZGVUNU -m comment --comment "kube-system/kube-dns:dns -> 192.168.2.13:53" -j KUBE-SEP-YEHP67TJUKUWHY6L
)");
  EXPECT_EQ(RenderIptables(host, IptablesTable::kFilter),
            R"(-P INPUT ACCEPT
-P FORWARD ACCEPT
-P OUTPUT ACCEPT
-N KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.100.9.9/32 -p tcp -m comment --comment "default/empty has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
)");
}

TEST(KubeProxy, CountsAreThoseOfThePlannedChains) {
  std::mt19937_64 random(1);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<uint64_t>(n)); };
  for (int round = 0; round < 200; ++round) {
    std::vector<KubeServicePort> services(below(8));
    for (size_t s = 0; s < services.size(); ++s) {
      KubeServicePort& service = services[s];
      service.name = "default/service-" + std::to_string(s);
      service.cluster_ip = Ip("10.100.0.1").Offset(s);
      service.client_ip_affinity = below(3) == 0;
      if (below(3) == 0) service.node_port = static_cast<uint16_t>(30000 + s);
      for (int n = below(3); n > 0; --n) service.external_ips.push_back(Ip("1.2.3.4").Offset(n));
      for (int n = below(5); n > 0; --n) {
        service.endpoints.push_back({Ip("10.0.0.1").Offset(n), 8080});
      }
    }
    const bool cidr = below(2) == 0;
    HostState host = NewHostState();
    ASSERT_TRUE(
        Apply(PlanKubeProxy(services, cidr ? IpCidr::Parse("10.0.0.0/16") : std::nullopt), host));
    KubeProxyCounts counts;
    for (const auto& [key, rules] : host.chains) {
      if (key.table != IptablesTable::kNat) continue;
      counts.nat_rules += static_cast<int>(rules.size());
      for (const char* prefix : {"KUBE-SVC-", "KUBE-SEP-", "KUBE-EXT-"}) {
        if (key.chain.starts_with(prefix)) ++counts.service_chains;
      }
    }
    EXPECT_EQ(CountKubeProxyRules(services, cidr), counts);
  }
  // About 125,000 rules for 5,000 services of 8 endpoints.
  KubeServicePort service;
  service.endpoints.resize(8);
  EXPECT_EQ(CountKubeProxyRules(std::vector<KubeServicePort>(5000, service)).nat_rules, 125008);
}

// A VPC CNI node with kube-proxy: connections to a service arrive at one of its endpoints, evenly,
// and answers come from the service's address.
TEST(KubeProxy, ConnectionsToAServiceSpreadOverItsEndpoints) {
  VpcCniCluster cluster(5);
  cluster.settings = VpcCniHostSettings();
  for (auto& [name, node] : cluster.nodes) {
    std::erase_if(node.pods, [](const VpcCniPod& pod) { return pod.branch.has_value(); });
    while (node.pods.size() < 2) {
      if (cluster.AddPod(name).branch) node.pods.pop_back();
    }
  }
  KubeServicePort service = Service("default/web", Ip("10.100.7.7"), "tcp", 80);
  std::map<IpAddress, int> arrivals;
  for (const auto& [name, node] : cluster.nodes) {
    for (const VpcCniPod& pod : node.pods) {
      service.endpoints.push_back({pod.interfaces[0].ip, 8080});
      arrivals[pod.interfaces[0].ip] = 0;
    }
  }
  const KubeServicePort empty = Service("default/empty", Ip("10.100.9.9"), "tcp", 80);
  auto states = cluster.States();
  std::map<std::string, const HostState*> nodes;
  for (auto& [name, state] : states) {
    ASSERT_TRUE(Apply(PlanKubeProxy({service, empty}), state));
    nodes[name] = &state;
  }
  const VpcFabric fabric = cluster.MakeFabric();
  const VpcCniPod& client = cluster.nodes["node-0"].pods.front();
  const IpAddress client_ip = client.interfaces[0].ip;
  const int connections = 400 * static_cast<int>(service.endpoints.size());
  for (int c = 0; c < connections; ++c) {
    ForwardingWalk walk(nodes, fabric);
    Packet packet;
    packet.tuple = {client_ip, service.cluster_ip, "tcp", static_cast<uint16_t>(1024 + c), 80};
    const WalkResult there = walk.Send("node-0", client.netns, packet);
    ASSERT_TRUE(there.arrived()) << RenderWalk(there);
    ++arrivals.at(there.packet.tuple.dst);
    EXPECT_EQ(there.packet.tuple.destination_port, 8080);
    // To itself it comes from the node, or it would not answer through it.
    EXPECT_EQ(there.packet.tuple.src == client_ip, there.packet.tuple.dst != client_ip);
    const WalkResult back = walk.Send(there.node, there.netns, there.Reply());
    ASSERT_TRUE(back.arrived()) << RenderWalk(back);
    EXPECT_EQ(back.packet.tuple, packet.tuple.Reversed()) << RenderWalk(back);
  }
  for (const auto& [ip, count] : arrivals) {
    EXPECT_NEAR(count, 400, 100) << ip.ToString();  // five standard deviations
  }
  ForwardingWalk walk(nodes, fabric);
  Packet refused;
  refused.tuple = {client_ip, empty.cluster_ip, "tcp", 1024, 80};
  EXPECT_EQ(walk.Send("node-0", client.netns, refused).dropped, DropReason::kFiltered);
}

// The average over all services of what a walk counts is what the model charges.
TEST(KubeProxy, CostsAreThoseOfTheWalk) {
  std::vector<KubeServicePort> services;
  for (int s = 0; s < 9; ++s) {
    KubeServicePort service;
    service.name = "default/service-" + std::to_string(s);
    service.cluster_ip = Ip("10.100.0.1").Offset(s);
    for (int e = 0; e < 5; ++e) service.endpoints.push_back({Ip("10.0.0.1").Offset(e), 8080});
    services.push_back(service);
  }
  HostState host = NewHostState();
  ASSERT_TRUE(Apply(PlanKubeProxy(services), host));
  const auto rules = [&](IpAddress dst, uint16_t source_port) {
    Conntrack conntrack;
    HookPacket packet;
    packet.tuple = {Ip("10.0.9.9"), dst, "tcp", source_port, 80};
    packet.in = "eni0";
    const HookResult result = RunHook(Hook::kPrerouting, host, conntrack, packet);
    return result.tables.at(0).rules_checked - 1;  // the hook itself is not kube-proxy's
  };
  double sum = 0;
  const int rounds = 2000;
  for (int c = 0; c < rounds; ++c) {
    for (const KubeServicePort& service : services) {
      sum += rules(service.cluster_ip, static_cast<uint16_t>(1024 + c));
    }
  }
  EXPECT_NEAR(sum / (rounds * 9), CostOfServiceConnection(KubeProxyMode::kIptables, 9, 5).rules,
              0.6);
  EXPECT_EQ(rules(Ip("10.0.0.99"), 1024), CostOfOtherConnection(KubeProxyMode::kIptables, 9).rules);
  // The others do not grow with the number of services.
  EXPECT_LT(CostOfServiceConnection(KubeProxyMode::kNftables, 10000, 8).rules, 20);
  EXPECT_LT(CostOfServiceConnection(KubeProxyMode::kIpvs, 10000, 8).hash_lookups, 50);
  EXPECT_EQ(KubeConntrackMax(2), 131072);
  EXPECT_EQ(KubeConntrackMax(8), 262144);
}

}  // namespace
}  // namespace cnisim
