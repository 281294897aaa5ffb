// VPC CNI clusters in real namespaces, made of the planners' operations only.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/routing/forwarding_walk.h"
#include "core/routing/host_diff.h"
#include "core/routing/vpc_cni_cluster_testing.h"
#include "core/routing/vpc_cni_planner.h"
#include "tools/kernel_lab/lab_testing.h"

namespace cnisim {
namespace {

// The planned cluster and the lab's, which follows it.
class VpcCniLab {
 public:
  VpcCniLab(uint64_t seed, VpcCniHostSettings settings) : cluster_(seed), lab_(TheFeatures()) {
    cluster_.nodes.clear();  // which came with other settings
    cluster_.owners.clear();
    cluster_.settings = std::move(settings);
  }

  Lab& lab() { return lab_; }
  VpcCniCluster& cluster() { return cluster_; }
  NamespaceKernel& node(const std::string& name) { return lab_.node(name); }

  void Start() {
    ExpectDone(lab_.Start());
    for (const char* gateway : {"10.0.0.1", "10.0.1.1"}) {
      ExpectDone(lab_.router().AddGateway(*IpAddress::Parse(gateway)));
    }
  }
  void Boot(const std::string& name, NodeImage image) {
    VpcCniNode& node = cluster_.nodes[name];
    node.image = image;
    node.vpc_cidrs = cluster_.vpc_cidrs;
    const VpcCniEni eni = cluster_.AddEni(name, false);
    ExpectDone(lab_.AddNode(name));
    const auto booted = PlanBoot(cluster_.settings, node);
    ASSERT_TRUE(booted);
    Do(name, Diff(NewHostState(), *booted));
    Do(name, PlanNodeInit(cluster_.settings, node));
    ExpectDone(lab_.router().Assign(eni.primary_ip, name, eni.link));
  }
  void AttachEni(const std::string& name) {
    const VpcCniEni eni = cluster_.AddEni(name, false);
    Do(name, PlanEniAttach(cluster_.settings, eni));
    ExpectDone(lab_.router().Assign(eni.primary_ip, name, eni.link));
  }
  // The last one, if no pod has an address of it.
  void DetachEni(const std::string& name) {
    VpcCniNode& node = cluster_.nodes[name];
    const VpcCniEni eni = node.enis.back();
    const bool used = std::ranges::any_of(cluster_.owners, [&](const auto& owner) {
      return owner.second == std::pair(name, eni.link);
    });
    if (eni.is_primary() || used) return;
    ExpectDone(lab_.router().Unassign(eni.primary_ip));
    Do(name, PlanEniDetach(cluster_.settings, eni));
    node.enis.pop_back();
  }
  void AddPod(const std::string& name) {
    const VpcCniPod pod = cluster_.AddPod(name);
    const IpAddress ip = pod.interfaces.front().ip;
    ExpectDone(lab_.router().Assign(ip, name, cluster_.owners.at(ip).second));
    Do(name, PlanPodAdd(cluster_.settings, pod));
  }
  void DelPod(const std::string& name, size_t which) {
    std::vector<VpcCniPod>& pods = cluster_.nodes[name].pods;
    const IpAddress ip = pods[which].interfaces.front().ip;
    Do(name, PlanPodDel(cluster_.settings, pods[which]));
    ExpectDone(lab_.router().Unassign(ip));
    cluster_.owners.erase(ip);
    pods.erase(pods.begin() + static_cast<std::ptrdiff_t>(which));
  }

  Place PlaceOf(const std::string& node, const VpcCniPod& pod) {
    return {lab_.node(node).names().Of(pod.netns), pod.interfaces.front().ip};
  }
  Place PlaceOf(const std::string& node) {
    return {lab_.node(node).names().host, cluster_.nodes[node].enis.front().primary_ip};
  }
  Place Outside() { return {lab_.router().outside(), kOutsideAddress}; }

  void ExpectTexts() {
    for (const auto& [name, node] : cluster_.nodes) ExpectTextsAsPlanned(lab_.node(name));
  }
  // Every node is brought back to what it was before it booted.
  void RemoveAll() {
    for (const auto& [name, node] : cluster_.nodes) {
      Do(name, Diff(lab_.node(name).state(), NewHostState()));
      EXPECT_TRUE(lab_.node(name).state() == NewHostState());
    }
    ExpectTexts();
  }

  void Do(const std::string& name, const std::vector<Operation>& operations) {
    ExpectDone(lab_.node(name).Execute(operations));
  }

 private:
  VpcCniCluster cluster_;
  Lab lab_;
};

const std::vector<std::string> kNodes = {"node-a", "node-b", "node-c"};

// Three nodes of two ENIs and two pods each.
void BuildCluster(VpcCniLab& vpc) {
  vpc.Start();
  for (const std::string& name : kNodes) {
    vpc.Boot(name, name == "node-c" ? NodeImage::kAl2023 : NodeImage::kAl2);
    vpc.AttachEni(name);
    for (int n = 0; n < 2; ++n) vpc.AddPod(name);
  }
}

class VpcCniKernelLab : public testing::TestWithParam<ConnmarkBackend> {
 protected:
  void SetUp() override {
    CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
    if (GetParam() == ConnmarkBackend::kNftables) CNISIM_SKIP_WITHOUT(Feature::kNftables);
  }
  static VpcCniHostSettings Settings() {
    VpcCniHostSettings settings;
    settings.connmark_backend = GetParam();
    return settings;
  }
};

TEST_P(VpcCniKernelLab, EveryPodReachesEveryPodAndTheWorldAsPlanned) {
  VpcCniLab vpc(1, Settings());
  BuildCluster(vpc);
  vpc.ExpectTexts();
  const bool has_chains = HasOrTells(Feature::kIptables, "chains, marks and SNAT");
  HasOrTells(Feature::kPing, "ICMP");
  int on_secondary = 0;
  for (const auto& [from_name, from_node] : vpc.cluster().nodes) {
    for (const VpcCniPod& pod : from_node.pods) {
      const Place from = vpc.PlaceOf(from_name, pod);
      on_secondary += pod.interfaces.front().route_table != kMainTable ? 1 : 0;
      for (const auto& [to_name, to_node] : vpc.cluster().nodes) {
        for (const VpcCniPod& other : to_node.pods) {
          const Place to = vpc.PlaceOf(to_name, other);
          ExpectPing(from.netns, to.ip);
          ExpectSeenAs(from, to, from.ip);
        }
        ExpectSeenAs(from, vpc.PlaceOf(to_name), from.ip);
      }
      // The agents of the pod's node.
      ExpectPing(vpc.PlaceOf(from_name).netns, from.ip);
      ExpectSeenAs(vpc.PlaceOf(from_name), from, vpc.PlaceOf(from_name).ip);
      if (has_chains) ExpectSeenAs(from, vpc.Outside(), from_node.enis.front().primary_ip);
    }
  }
  EXPECT_GT(on_secondary, 0);
  EXPECT_LT(on_secondary, 6);
  vpc.RemoveAll();
}

INSTANTIATE_TEST_SUITE_P(Backends, VpcCniKernelLab,
                         testing::Values(ConnmarkBackend::kIptables, ConnmarkBackend::kNftables),
                         [](const auto& info) {
                           return info.param == ConnmarkBackend::kIptables ? "Iptables"
                                                                           : "Nftables";
                         });

// Whatever came and went, the kernel prints the planned state, and the walk tells where packets go
// and whom they seem to come from.
TEST(KernelLab, VpcCniRandomChangesLeaveWhatIsPlannedAndNothingElse) {
  CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
  HasOrTells(Feature::kIptables, "chains, marks and SNAT");
  HasOrTells(Feature::kNftables, "the nftables backend");
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    VpcCniCluster random(100 + seed);
    VpcCniHostSettings settings;
    settings.external_snat = seed == 1;
    settings.node_port_support = seed != 2;
    settings.randomize_snat = seed == 2 ? "none" : "hashrandom";
    settings.exclude_snat_cidrs = {*IpCidr::Parse("192.168.0.0/16")};
    settings.external_service_cidrs = {*IpCidr::Parse("203.0.113.0/24")};
    settings.connmark_backend = seed == 3 ? ConnmarkBackend::kNftables : ConnmarkBackend::kIptables;
    VpcCniLab vpc(seed, settings);
    vpc.Start();
    for (const std::string& name : kNodes) {
      vpc.Boot(name, random.OneIn(2) ? NodeImage::kAl2 : NodeImage::kAl2023);
    }
    for (int step = 0; step < 16; ++step) {
      const std::string& name = kNodes[static_cast<size_t>(random.Below(3))];
      const VpcCniNode& node = vpc.cluster().nodes[name];
      const int pods = static_cast<int>(node.pods.size());
      const int choice = random.Below(8);
      if (choice == 0 && node.enis.size() < 4) vpc.AttachEni(name);
      if (choice == 1) vpc.DetachEni(name);
      if (choice >= 2 && choice < 6 && pods < 5) vpc.AddPod(name);
      if (choice >= 6 && pods > 0) vpc.DelPod(name, static_cast<size_t>(random.Below(pods)));
      if (testing::Test::HasFailure()) return;
    }
    vpc.ExpectTexts();

    std::map<std::string, const HostState*> states;
    for (const std::string& name : kNodes) states[name] = &vpc.node(name).state();
    const VpcFabric fabric = vpc.cluster().MakeFabric();
    ForwardingWalk walk(states, fabric);
    const auto expect_as_walked = [&](const std::string& from_node, const std::string& netns,
                                      const Place& from, const Place& to) {
      Packet packet;
      packet.tuple = {from.ip, to.ip, "udp", 40000, 7};
      const WalkResult walked = walk.Send(from_node, netns, packet);
      ASSERT_TRUE(walked.arrived()) << RenderWalk(walked);
      ExpectSeenAs(from, to, walked.packet.tuple.src);
    };
    for (const auto& [from_name, from_node] : vpc.cluster().nodes) {
      for (const VpcCniPod& pod : from_node.pods) {
        const Place from = vpc.PlaceOf(from_name, pod);
        for (const auto& [to_name, to_node] : vpc.cluster().nodes) {
          expect_as_walked(from_name, pod.netns, from, vpc.PlaceOf(to_name));
          for (const VpcCniPod& other : to_node.pods) {
            expect_as_walked(from_name, pod.netns, from, vpc.PlaceOf(to_name, other));
          }
        }
        expect_as_walked(from_name, pod.netns, from, vpc.Outside());
      }
    }

    for (const std::string& name : kNodes) {
      while (!vpc.cluster().nodes[name].pods.empty()) vpc.DelPod(name, 0);
    }
    vpc.ExpectTexts();
    vpc.RemoveAll();
  }
}

// The router knows no IPv6, so pods reach their node and each other on it, and the world by IPv4.
TEST(KernelLab, AnIpv6NodeIsAsPlanned) {
  CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
  CNISIM_SKIP_WITHOUT(Feature::kIptables);
  const auto ip = [](const char* text) { return *IpAddress::Parse(text); };
  VpcCniHostSettings settings;
  settings.ipv6 = true;
  VpcCniLab vpc(1, settings);
  vpc.Start();
  VpcCniNode& node = vpc.cluster().nodes["node-a"];
  node.node_ipv6 = ip("2600:1f14::10");
  node.subnet_ipv6 = *IpCidr::Parse("2600:1f14::/64");
  vpc.Boot("node-a", NodeImage::kAl2);
  const IpAddress node_ip = node.enis.front().primary_ip;
  for (int n = 0; n < 2; ++n) {
    VpcCniPod pod = vpc.cluster().AddPod("node-a");
    pod.interfaces.front().ip = ip("2600:1f14::8000:1").Offset(static_cast<uint64_t>(n));
    VpcCniEgress egress;
    egress.pod_ip = ip("169.254.172.2").Offset(static_cast<uint64_t>(n));
    egress.node_ip = node_ip;
    egress.chain = "CNI-E4-" + std::to_string(n);
    egress.host_name = "veth" + std::to_string(n);
    egress.host_index = 100 + n;
    egress.host_mac = MacAddress(0x020000001000 + static_cast<uint64_t>(n));
    egress.container_mac = MacAddress(0x020000002000 + static_cast<uint64_t>(n));
    pod.egress = egress;
    node.pods.back() = pod;
    vpc.Do("node-a", PlanPodAdd(settings, pod));
  }
  vpc.ExpectTexts();
  for (const VpcCniPod& from : node.pods) {
    const std::string netns = vpc.PlaceOf("node-a", from).netns;
    ExpectPing(vpc.PlaceOf("node-a").netns, from.interfaces.front().ip);
    ExpectPing(netns, node.node_ipv6);
    for (const VpcCniPod& to : node.pods) ExpectPing(netns, to.interfaces.front().ip);
    ExpectSeenAs({netns, from.egress->pod_ip}, vpc.Outside(), node_ip);
  }
  for (const VpcCniPod& pod : node.pods) vpc.Do("node-a", PlanPodDel(settings, pod));
  vpc.RemoveAll();
}

TEST(KernelLab, NothingIsLeftBehind) {
  CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
  std::string prefix;
  {
    VpcCniLab vpc(1, {});
    BuildCluster(vpc);
    prefix = vpc.lab().namespaces().NameOf("");
    EXPECT_EQ(vpc.lab().namespaces().List().size(), 3U + 6U + 2U);  // nodes, pods, router, outside
  }
  const auto list = RunCommand({"ip", "netns", "list"});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->find(prefix), std::string::npos) << *list;
}

// The comparison sees what somebody else has done, and the kernel's refusals are told.
TEST(KernelLab, AForeignHandIsSeen) {
  CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
  VpcCniLab vpc(1, {});
  vpc.Start();
  vpc.Boot("node-a", NodeImage::kAl2);
  vpc.AddPod("node-a");
  const NamespaceKernel& node = vpc.node("node-a");
  const VpcCniPod& pod = vpc.cluster().nodes["node-a"].pods.front();
  const std::string& veth = pod.interfaces.front().host_name;
  const std::string ip = pod.interfaces.front().ip.ToString();
  const std::string& host = node.names().host;
  const std::string inside = node.names().Of(pod.netns);
  std::vector<Command> deeds = {
      {"ip", "-n", host, "rule", "del", "to", ip},
      {"ip", "-n", host, "route", "add", "192.0.2.1", "dev", veth, "table", "77"},
      {"ip", "-n", host, "link", "set", "dev", veth, "mtu", "1500"},
      {"ip", "-n", host, "addr", "add", "192.0.2.2/32", "dev", veth},
      {"ip", "-n", inside, "neigh", "flush", "nud", "permanent"},
      {"ip", "netns", "add", inside + "-other"},
      InNamespace(host, {"sysctl", "-qw", "net/ipv4/tcp_early_demux=0"}),
  };
  if (HasOrTells(Feature::kIptables, "chains")) {
    deeds.push_back(InNamespace(host, {"iptables", "-w", "-t", "nat", "-N", "OTHER"}));
    deeds.push_back(InNamespace(host, {"ipset", "create", "other", "hash:net"}));
  }
  const auto differing = [&] {
    const auto texts = ReadKernelTexts(node, TheFeatures());
    return std::ranges::count_if(
        texts, [](const KernelText& text) { return text.kernel != text.planned; });
  };
  EXPECT_EQ(differing(), 0);
  for (const Command& deed : deeds) {
    const auto before = differing();
    const auto done = RunCommand(deed);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_GT(differing(), before) << RenderCommandLine(deed);
  }
  const Status again = vpc.node("node-a").Execute(PlanPodDel(vpc.cluster().settings, pod));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, kCommandFailed);  // the rule is gone already
}

}  // namespace
}  // namespace cnisim
