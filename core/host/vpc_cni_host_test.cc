#include "core/host/vpc_cni_host.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/net/veth_name.h"
#include "core/routing/render.h"

namespace cnisim {
namespace {

template <typename T>
T Done(Task<T> task) {
  task.Start();
  EXPECT_TRUE(task.done());
  return task.TakeValue();
}

// An instance whose ENIs the test attaches.
class FakeInstance final : public VpcCniInstance {
 public:
  explicit FakeInstance(NodeImage image) : image_(image) { Attach(0); }

  VpcCniEni& Attach(int device) {
    VpcCniEni& eni = enis[device];
    eni.link = "eth" + std::to_string(device);
    eni.mac = MacAddress(0x020000000100 + static_cast<uint64_t>(device));
    eni.device_number = device;
    eni.subnet = Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 24);
    eni.primary_ip = Ipv4Address(10, 0, 0, static_cast<uint8_t>(10 + device));
    return eni;
  }

  VpcCniNode AtBoot() const override {
    VpcCniNode node;
    node.image = image_;
    node.vpc_cidrs = {Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 16)};
    node.enis = {enis.at(0)};
    return node;
  }
  std::optional<VpcCniEni> FindEni(IpAddress primary_ip) const override {
    for (const auto& [device, eni] : enis) {
      if (eni.primary_ip == primary_ip) return eni;
    }
    return std::nullopt;
  }

  std::map<int, VpcCniEni> enis;

 private:
  NodeImage image_;
};

// Everything but what the kernel gives at its own choice: indexes, MAC addresses, and the order of
// rules of one priority.
std::vector<std::string> Comparable(const HostState& state) {
  std::vector<std::string> lines;
  const auto add_lines = [&](const std::string& what, const std::string& text) {
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      lines.push_back(what + text.substr(begin, end - begin));
      begin = end + 1;
    }
  };
  const auto add_net = [&](const std::string& where, const NetState& net) {
    for (const auto& [name, link] : net.links) {
      lines.push_back(where + "link " + name + " " + std::to_string(link.mtu) + " " + link.peer +
                      " " + link.peer_netns + " " + link.parent);
    }
    for (const auto& [key, attributes] : net.addresses) {
      lines.push_back(where + "address " + key.dev + " " + key.address.ToString());
    }
    for (const auto& [key, route] : net.routes) {
      lines.push_back(where + std::to_string(key.table) + " " + RenderRoute(key, route));
    }
    for (const Rule& rule : net.rules) lines.push_back(where + RenderRule(rule));
    for (const auto& [key, mac] : net.neighbours) {
      lines.push_back(where + "neighbour " + key.dev + " " + key.address.ToString());
    }
    for (const auto& [name, value] : net.sysctls) lines.push_back(where + name + "=" + value);
  };
  add_net("", state.net);
  for (const auto& [name, net] : state.pods) add_net(name + ": ", net);
  std::ranges::sort(lines);
  for (const IptablesTable table :
       {IptablesTable::kNat, IptablesTable::kMangle, IptablesTable::kFilter}) {
    add_lines("", RenderIptables(state, table));
  }
  add_lines("", RenderNft(state));
  return lines;
}

// A node driven by ports beside the list of what is on it.
class HostTest : public testing::Test {
 protected:
  void Boot(VpcCniHostSettings settings, NodeImage image) {
    settings_ = std::move(settings);
    instance_.emplace(image);
    kernel_ = StateKernel(*PlanBoot(settings_, instance_->AtBoot()));
    host_.emplace(kernel_, *instance_, 7);
    StartAgent();
  }

  void StartAgent() {
    host_->set_settings(settings_);
    const VpcCniNode boot = instance_->AtBoot();
    ASSERT_TRUE(Done(host_->SetupHost(boot.enis.front().primary_ip, boot.vpc_cidrs)));
    ASSERT_TRUE(Done(host_->CleanUpStaleChains()));
    for (const auto& [device, eni] : instance_->enis) {
      if (device > 0) SetUp(eni);
    }
    std::vector<IpAddress> pods;
    for (const VpcCniPod& pod : pods_) pods.push_back(pod.interfaces.front().ip);
    ASSERT_TRUE(Done(host_->RefreshPodRules(pods)));
  }

  void SetUp(const VpcCniEni& eni) {
    const int table = RouteTableOfEni(0, eni.device_number);
    ASSERT_TRUE(Done(host_->SetupEni(eni.primary_ip, eni.device_number, 0, table)));
  }

  std::vector<PodInterface> InterfacesOf(const VpcCniPod& pod) const {
    const VpcCniPodInterface& wired = pod.interfaces.front();
    return {{wired.ip, 0, wired.route_table, wired.host_name, wired.container_name}};
  }

  void AddPod(int number, int device) {
    VpcCniPod pod;
    pod.netns = "cni-" + std::to_string(number);
    VpcCniPodInterface wired;
    wired.ip = Ipv4Address(10, 0, 0, static_cast<uint8_t>(100 + number));
    wired.route_table = RouteTableOfEni(0, device);
    wired.host_name = "eni" + VethSuffix("default", "web-" + std::to_string(number));
    pod.interfaces = {wired};
    ASSERT_TRUE(
        Done(host_->SetupPodNetwork(InterfacesOf(pod), "/var/run/netns/" + pod.netns, 9001)));
    pods_.push_back(std::move(pod));
  }

  void DeletePod(size_t index) {
    ASSERT_TRUE(Done(host_->TeardownPodNetwork(InterfacesOf(pods_[index]))));
    ASSERT_TRUE(host_->RemoveSandbox("/var/run/netns/" + pods_[index].netns));
    pods_.erase(pods_.begin() + static_cast<ptrdiff_t>(index));
  }

  HostState Expected() const {
    VpcCniNode node = instance_->AtBoot();
    for (const auto& [device, eni] : instance_->enis) {
      if (device > 0) node.enis.push_back(eni);
    }
    node.pods = pods_;
    return *PlanNode(settings_, node);
  }

  VpcCniHostSettings settings_;
  std::optional<FakeInstance> instance_;
  StateKernel kernel_;
  std::optional<VpcCniHost> host_;
  std::vector<VpcCniPod> pods_;
};

class HostHistories : public HostTest, public testing::WithParamInterface<int> {};

TEST_P(HostHistories, EndWhereThePlannerSays) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  const auto one_in = [&](uint64_t n) { return random() % n == 0; };
  const NodeImage image = one_in(2) ? NodeImage::kAl2 : NodeImage::kAl2023;
  const auto draw_settings = [&] {
    VpcCniHostSettings settings;
    settings.external_snat = one_in(3);
    settings.node_port_support = !one_in(3);
    if (one_in(3)) settings.exclude_snat_cidrs = {Ipv4Cidr(Ipv4Address(192, 168, 0, 0), 16)};
    if (one_in(3)) settings.external_service_cidrs = {*IpCidr::Parse("172.16.0.0/12")};
    settings.mtu = one_in(3) ? 1500 : 9001;
    settings.pod_mtu = 9001;
    settings.connmark_backend =
        image == NodeImage::kAl2 ? ConnmarkBackend::kIptables : ConnmarkBackend::kNftables;
    return settings;
  };
  Boot(draw_settings(), image);
  int number = 0;
  for (int step = 0; step < 60; ++step) {
    switch (random() % 6) {
      case 0: {
        const int device = 1 + static_cast<int>(random() % 3);
        if (instance_->enis.contains(device)) break;
        SetUp(instance_->Attach(device));
        break;
      }
      case 1: {
        const int device = 1 + static_cast<int>(random() % 3);
        const bool used = std::ranges::any_of(pods_, [&](const VpcCniPod& pod) {
          return pod.interfaces.front().route_table == RouteTableOfEni(0, device);
        });
        if (used || !instance_->enis.contains(device)) break;
        ASSERT_TRUE(Done(host_->DeleteEniRule(instance_->enis.at(device).primary_ip)));
        instance_->enis.erase(device);
        break;
      }
      case 2:
        settings_ = draw_settings();
        StartAgent();
        break;
      case 3:
        if (!pods_.empty()) DeletePod(random() % pods_.size());
        break;
      default: {
        auto it = instance_->enis.begin();
        std::advance(it, static_cast<ptrdiff_t>(random() % instance_->enis.size()));
        AddPod(++number, it->first);
      }
    }
    ASSERT_EQ(Comparable(host_->state()), Comparable(Expected())) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Random, HostHistories, testing::Range(0, 40));

TEST_F(HostTest, RulesThatSomebodyRemovedStayAway) {
  Boot({}, NodeImage::kAl2);
  SetUp(instance_->Attach(1));
  AddPod(1, 1);
  AddPod(2, 1);
  const auto from_pod = [&](int number) {
    return std::ranges::count_if(host_->state().net.rules, [&](const Rule& rule) {
      return rule.priority == kFromPodRule &&
             rule.from ==
                 IpCidr(IpAddress(Ipv4Address(10, 0, 0, static_cast<uint8_t>(100 + number))));
    });
  };
  ASSERT_TRUE(Done(host_->DeleteFromPodRule(Ipv4Address(10, 0, 0, 101))));
  StartAgent();
  EXPECT_EQ(from_pod(1), 0);
  EXPECT_EQ(from_pod(2), 1);
}

TEST_F(HostTest, ASandboxThatVanishesLeavesItsRulesToTheAgent) {
  Boot({}, NodeImage::kAl2);
  SetUp(instance_->Attach(1));
  const HostState before = host_->state();
  AddPod(1, 1);
  ASSERT_TRUE(host_->RemoveSandbox("/var/run/netns/cni-1"));
  EXPECT_EQ(host_->state().net.rules.size(), before.net.rules.size() + 2);
  EXPECT_EQ(host_->state().net.routes, before.net.routes);
  EXPECT_TRUE(host_->state().pods.empty());
  ASSERT_TRUE(Done(host_->DeleteToPodRule(Ipv4Address(10, 0, 0, 101))));
  ASSERT_TRUE(Done(host_->DeleteFromPodRule(Ipv4Address(10, 0, 0, 101))));
  EXPECT_EQ(host_->state(), before);
}

TEST_F(HostTest, AnAddOfThePodAgainReplacesItsInterface) {
  Boot({}, NodeImage::kAl2);
  AddPod(1, 0);
  const VpcCniPod again = pods_.back();
  ASSERT_TRUE(Done(host_->SetupPodNetwork(InterfacesOf(again), "/var/run/netns/other", 1500)));
  EXPECT_FALSE(host_->state().pods.contains("cni-1"));
  ASSERT_TRUE(host_->state().pods.contains("other"));
  EXPECT_EQ(host_->state().net.links.at(again.interfaces.front().host_name).mtu, 1500);
}

TEST_F(HostTest, BranchPodsComeAndGoInBothModes) {
  for (const EnforcingMode mode : {EnforcingMode::kStrict, EnforcingMode::kStandard}) {
    VpcCniHostSettings settings;
    settings.pod_eni = true;
    settings.enforcing = mode;
    Boot(settings, NodeImage::kAl2);
    VpcCniEni& trunk = instance_->Attach(1);
    trunk.is_trunk = true;
    SetUp(trunk);
    const HostState before = host_->state();
    const Result<int> index = Done(host_->LinkIndex(trunk.primary_ip));
    ASSERT_TRUE(index);
    const PodInterface interface { Ipv4Address(10, 0, 0, 77), -1, 0, "vlan0123456789a", "eth0" };
    const BranchLink link{5, "02:00:00:00:00:05", "10.0.0.1", *index};
    ASSERT_TRUE(Done(host_->SetupBranchPodNetwork(interface, "/n/b", link, 9001, mode)));
    EXPECT_TRUE(host_->state().net.links.contains("vlan.eth.5"));
    EXPECT_FALSE(RenderRoutes(host_->state().net, 105).empty());
    ASSERT_TRUE(Done(host_->TeardownBranchPodNetwork(interface, 5, mode)));
    ASSERT_TRUE(host_->RemoveSandbox("/n/b"));
    EXPECT_EQ(host_->state(), before);
    const BranchLink nowhere{6, "02:00:00:00:00:06", "10.0.0.1", 999};
    EXPECT_EQ(
        Done(host_->SetupBranchPodNetwork(interface, "/n/c", nowhere, 9001, mode)).error().code,
        kLinkNotFound);
  }
}

TEST_F(HostTest, AnswersWhatTheKernelKnows) {
  Boot({}, NodeImage::kAl2);
  SetUp(instance_->Attach(2));
  const IpAddress eni = instance_->enis.at(2).primary_ip;
  EXPECT_EQ(*Done(host_->TablesOfSource(eni)), std::vector<int>{3});
  EXPECT_EQ(*Done(host_->ListLinks()), (std::vector<std::string>{"eth0", "eth2", "lo"}));
  EXPECT_EQ(Done(host_->LinkIndex(Ipv4Address(10, 9, 9, 9))).error().code, kLinkNotFound);
  EXPECT_EQ(Done(host_->SetupEni(Ipv4Address(10, 9, 9, 9), 4, 0, 5)).error().code, kLinkNotFound);
}

TEST_F(HostTest, ALegacyTableIsKept) {
  Boot({}, NodeImage::kAl2);
  const VpcCniEni& eni = instance_->Attach(1);
  ASSERT_TRUE(Done(host_->SetupEni(eni.primary_ip, 1, 1, 18)));
  EXPECT_FALSE(RenderRoutes(host_->state().net, 18).empty());
}

}  // namespace
}  // namespace cnisim
