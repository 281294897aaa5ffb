// Calico clusters with tunnels in real namespaces, made of the planner's states and operations
// only.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/net/veth_name.h"
#include "core/routing/calico_planner.h"
#include "core/routing/forwarding_walk.h"
#include "core/routing/host_diff.h"
#include "core/routing/vpc_fabric.h"
#include "tools/kernel_lab/lab_testing.h"

namespace cnisim {
namespace {

IpAddress Ip(const char* text) { return *IpAddress::Parse(text); }
IpCidr Block(const char* text) { return *IpCidr::Parse(text); }

// Two nodes in one subnet, one in another; one pool, one block a node.
class CalicoLab {
 public:
  explicit CalicoLab(CalicoEncapsulation encapsulation) : lab_(TheFeatures()) {
    const bool is_vxlan = encapsulation == CalicoEncapsulation::kVxlan;
    cluster_.pools = {{Block("10.244.0.0/16"), encapsulation}};
    const auto add = [&](const char* name, const char* ip, const char* subnet, const char* block) {
      CalicoNode node;
      node.name = name;
      node.mac = MacAddress(0x020000000100 + cluster_.nodes.size());
      node.ip = Ip(ip);
      node.subnet = Block(subnet);
      node.gateway = node.subnet.network().Offset(1);
      // The tunnel has the block's first address.
      (is_vxlan ? node.vxlan_ip : node.ipip_ip) = Block(block).network();
      cluster_.nodes.push_back(node);
      cluster_.blocks.push_back({Block(block), name});
    };
    add("node-a", "10.0.1.11", "10.0.1.0/24", "10.244.88.128/26");
    add("node-b", "10.0.1.12", "10.0.1.0/24", "10.244.31.64/26");
    add("node-c", "10.0.2.13", "10.0.2.0/24", "10.244.205.192/26");
  }

  CalicoCluster& cluster() { return cluster_; }

  void Start() {
    ExpectDone(lab_.Start());
    for (const CalicoNode& node : cluster_.nodes) {
      ExpectDone(lab_.router().AddGateway(node.gateway));
      ExpectDone(lab_.AddNode(node.name));
    }
    Follow();
  }

  // A pod with an address of the block of `owner`, which it has borrowed if that is not its node.
  CalicoPod NewPod(const std::string& node, const std::string& owner) {
    const auto block = std::ranges::find_if(
        cluster_.blocks, [&](const CalicoBlock& one) { return one.node == owner; });
    const std::string name = "pod-" + std::to_string(++pods_);
    CalicoPod pod;
    pod.node = node;
    pod.netns = "default/" + name;
    pod.ip = block->cidr.network().Offset(++used_[owner]);
    pod.host_name = "cali" + VethSuffix("default", name);
    pod.mac = MacAddress(0x020000000200 + static_cast<uint64_t>(pods_));
    pod.host_index = 100 + pods_;
    return pod;
  }
  // As the CNI plugin and Felix do it on the pod's node; the others need do nothing.
  void AddPod(const std::string& node) {
    const CalicoPod pod = NewPod(node, node);
    cluster_.pods.push_back(pod);
    const int mtu = CalicoPodMtu(cluster_, CalicoHostMtu(lab_.node(node).state().net));
    ExpectDone(lab_.node(node).Execute(PlanCalicoPodAdd(cluster_, pod, mtu)));
  }
  void DelPod(size_t which) {
    const CalicoPod pod = cluster_.pods[which];
    cluster_.pods.erase(cluster_.pods.begin() + static_cast<std::ptrdiff_t>(which));
    NamespaceKernel& node = lab_.node(pod.node);
    const int mtu = CalicoPodMtu(cluster_, CalicoHostMtu(node.state().net));
    ExpectDone(node.Execute(PlanCalicoPodDel(cluster_, pod, mtu)));
  }
  // Every node becomes what the cluster wants it to be.
  void Follow() {
    for (const CalicoNode& node : cluster_.nodes) {
      const auto planned = PlanCalicoNode(cluster_, node.name);
      ASSERT_TRUE(planned) << planned.error().message;
      NamespaceKernel& kernel = lab_.node(node.name);
      ExpectDone(kernel.Execute(Diff(kernel.state(), *planned)));
      ExpectDone(lab_.router().Assign(node.ip, node.name, node.link));
    }
  }
  void RemoveAll() {
    for (const CalicoNode& node : cluster_.nodes) {
      NamespaceKernel& kernel = lab_.node(node.name);
      ExpectDone(kernel.Execute(Diff(kernel.state(), NewHostState())));
      EXPECT_TRUE(kernel.state() == NewHostState());
    }
    ExpectTexts();
  }

  void ExpectTexts() {
    for (const CalicoNode& node : cluster_.nodes) ExpectTextsAsPlanned(lab_.node(node.name));
  }

  // Every pod to every pod, every node and the world; every node to its pods: whom they are seen
  // as is what the walk tells.
  void ExpectWalks() {
    std::map<std::string, const HostState*> states;
    std::vector<VpcInterface> interfaces;
    for (const CalicoNode& node : cluster_.nodes) {
      states[node.name] = &lab_.node(node.name).state();
      interfaces.push_back({node.name, node.link, {node.subnet}, {IpCidr(node.ip)}, true});
    }
    const VpcFabric fabric({Block("10.0.0.0/16")}, std::move(interfaces));
    ForwardingWalk walk(states, fabric);
    const bool has_chains = TheFeatures().Has(Feature::kIptables);
    const auto expect = [&](const std::string& node, const std::string& netns, IpAddress ip,
                            const Place& to) {
      Packet packet;
      packet.tuple = {ip, to.ip, "udp", 40000, 7};
      const WalkResult walked = walk.Send(node, netns, packet);
      ASSERT_TRUE(walked.arrived()) << RenderWalk(walked);
      ExpectSeenAs({lab_.node(node).names().Of(netns), ip}, to, walked.packet.tuple.src);
      // Pods are seen by pods as themselves, by the world as their nodes.
      EXPECT_EQ(walked.node.empty(), to.ip == kOutsideAddress);
      if (!walked.netns.empty() || walked.node.empty()) {
        EXPECT_EQ(walked.packet.tuple.src == ip, !walked.node.empty()) << RenderWalk(walked);
      }
    };
    for (const CalicoPod& pod : cluster_.pods) {
      const std::string netns = lab_.node(pod.node).names().Of(pod.netns);
      for (const CalicoPod& other : cluster_.pods) {
        const Place to = {lab_.node(other.node).names().Of(other.netns), other.ip};
        ExpectPing(netns, other.ip);
        expect(pod.node, pod.netns, pod.ip, to);
      }
      for (const CalicoNode& node : cluster_.nodes) {
        const Place to = {lab_.node(node.name).names().host, node.ip};
        if (has_chains || node.name == pod.node) expect(pod.node, pod.netns, pod.ip, to);
        if (node.name == pod.node) {
          ExpectPing(to.netns, pod.ip);
          expect(node.name, "", node.ip, {netns, pod.ip});
        }
      }
      if (has_chains) {
        expect(pod.node, pod.netns, pod.ip, {lab_.router().outside(), kOutsideAddress});
      }
    }
  }

 private:
  CalicoCluster cluster_;
  Lab lab_;
  int pods_ = 0;
  std::map<std::string, uint64_t> used_;  // addresses of a node's block
};

class CalicoKernelLab : public testing::TestWithParam<CalicoEncapsulation> {
 protected:
  void SetUp() override {
    CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
    CNISIM_SKIP_WITHOUT(GetParam() == CalicoEncapsulation::kVxlan ? Feature::kVxlan
                                                                  : Feature::kIpip);
    HasOrTells(Feature::kIptables, "chains, sets and masquerading");
    HasOrTells(Feature::kPing, "ICMP");
  }
};

TEST_P(CalicoKernelLab, EveryPodReachesEveryPodAndTheWorldAsPlanned) {
  CalicoLab calico(GetParam());
  calico.Start();
  for (const char* node : {"node-a", "node-b", "node-c"}) {
    for (int n = 0; n < 2; ++n) calico.AddPod(node);
  }
  calico.ExpectTexts();
  calico.ExpectWalks();
  calico.RemoveAll();
}

TEST_P(CalicoKernelLab, RandomChangesLeaveWhatIsPlannedAndNothingElse) {
  std::mt19937_64 random(7);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  const std::vector<std::string> names = {"node-a", "node-b", "node-c"};
  CalicoLab calico(GetParam());
  calico.Start();
  for (int step = 0; step < 16; ++step) {
    SCOPED_TRACE(step);
    CalicoCluster& cluster = calico.cluster();
    switch (below(9)) {
      case 0:
      case 1:
        calico.AddPod(names[below(3)]);
        break;
      case 2:
        if (!cluster.pods.empty()) calico.DelPod(below(cluster.pods.size()));
        break;
      case 3:  // it comes and Felix hears of it
        cluster.pods.push_back(calico.NewPod(names[below(3)], names[below(3)]));
        calico.Follow();
        break;
      case 4:  // an upgrade or a downgrade, which changes routes, sets and chains
        cluster.release.minor = 28 + static_cast<int>(below(5));
        calico.Follow();
        break;
      case 5:
        cluster.pools.front().nat_outgoing = !cluster.pools.front().nat_outgoing;
        cluster.nodes[below(3)].mtu = below(2) == 0 ? 9001 : 1500;
        calico.Follow();
        break;
      case 6:
        if (cluster.pools.size() > 1) {
          cluster.pools.pop_back();
        } else {
          cluster.pools.push_back({Block("10.245.0.0/16"), GetParam()});
        }
        calico.Follow();
        break;
      case 7:  // another interface in a node's place, and all on it anew
        cluster.nodes[below(3)].mac = MacAddress(0x020000000300 + static_cast<uint64_t>(step));
        calico.Follow();
        break;
      case 8:
        if (cluster.pods.empty()) break;
        cluster.pods[below(cluster.pods.size())].mac =
            MacAddress(0x020000000400 + static_cast<uint64_t>(step));
        calico.Follow();
        break;
    }
    if (step % 2 == 1) calico.ExpectTexts();
    if (HasFailure()) return;
  }
  calico.cluster().pools.front().nat_outgoing = true;
  calico.Follow();
  calico.ExpectTexts();
  calico.ExpectWalks();
  calico.RemoveAll();
}

INSTANTIATE_TEST_SUITE_P(Encapsulations, CalicoKernelLab,
                         testing::Values(CalicoEncapsulation::kVxlan, CalicoEncapsulation::kIpip),
                         [](const auto& info) {
                           return info.param == CalicoEncapsulation::kVxlan ? "Vxlan" : "Ipip";
                         });

}  // namespace
}  // namespace cnisim
