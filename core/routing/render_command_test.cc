#include "core/routing/render_command.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/routing/calico_planner.h"
#include "core/routing/host_diff.h"
#include "core/routing/vpc_cni_cluster_testing.h"
#include "core/routing/vpc_cni_planner.h"

namespace cnisim {
namespace {

IpAddress Ip(const char* text) { return *IpAddress::Parse(text); }
IpCidr Block(const char* text) { return *IpCidr::Parse(text); }

std::string Lines(const std::vector<Operation>& operations) {
  std::string lines;
  for (const Operation& operation : operations) {
    for (const Command& command : RenderCommands(operation, {"node"})) {
      lines += RenderCommandLine(command) + "\n";
    }
  }
  return lines;
}

// The cases of vectors/commands.txt: what follows "case NAME", without comments.
std::map<std::string, std::string> ReadGoldens() {
  std::map<std::string, std::string> goldens;
  std::ifstream in(std::string(CNISIM_SOURCE_DIR) + "/core/routing/vectors/commands.txt");
  std::string* golden = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("// ")) continue;
    if (line.starts_with("case ")) {
      golden = &goldens[line.substr(5)];
    } else if (golden != nullptr) {
      *golden += line + "\n";
    }
  }
  for (auto& [name, lines] : goldens) {
    while (lines.ends_with("\n\n")) lines.pop_back();
  }
  return goldens;
}

void AddVpcCniCases(std::map<std::string, std::vector<Operation>>& cases) {
  VpcCniHostSettings settings;
  settings.exclude_snat_cidrs = {Block("192.168.0.0/16")};
  VpcCniNode node;
  node.vpc_cidrs = {Block("10.0.0.0/16")};
  VpcCniEni eni;
  eni.mac = MacAddress(0x020000000001);
  eni.primary_ip = Ip("10.0.0.10");
  eni.subnet = Block("10.0.0.0/24");
  node.enis = {eni};
  cases["vpc-cni-boot"] = Diff(NewHostState(), *PlanBoot(settings, node));
  cases["vpc-cni-node-init"] = PlanNodeInit(settings, node);
  HostState with_nft = NewHostState();
  with_nft.nft = NftConnmark{"eni", 0x80, {Block("10.0.0.0/16"), Block("192.168.0.1/32")}};
  cases["vpc-cni-nftables"] = Diff(NewHostState(), with_nft);
  HostState other_nft = with_nft;
  other_nft.nft->unmarked.insert(Block("100.64.0.0/16"));
  cases["vpc-cni-nftables-new-block"] = Diff(with_nft, other_nft);
  cases["vpc-cni-nftables-gone"] = Diff(other_nft, NewHostState());

  eni = {"eth1", 3, MacAddress(0x020000000002), Ip("10.0.0.40"), Block("10.0.0.0/24"), 1, 0,
         false,  {}};
  cases["vpc-cni-eni-attach"] = PlanEniAttach(settings, eni);
  cases["vpc-cni-eni-detach"] = PlanEniDetach(settings, eni);

  VpcCniPod pod;
  pod.netns = "default/web-1";
  VpcCniPodInterface interface;
  interface.ip = Ip("10.0.0.51");
  interface.route_table = 2;
  interface.host_name = "eni0761ccbeace";
  interface.host_mac = MacAddress(0x020000000003);
  interface.container_mac = MacAddress(0x020000000004);
  interface.host_index = 7;
  pod.interfaces = {interface};
  cases["vpc-cni-pod-add"] = PlanPodAdd(settings, pod);
  cases["vpc-cni-pod-del"] = PlanPodDel(settings, pod);

  VpcCniHostSettings strict = settings;
  strict.pod_eni = true;
  pod.interfaces.front().host_name = "vlan0761ccbeace";
  pod.branch = VpcCniBranch{5, MacAddress(0x020000000005), Ip("10.0.0.1"), "eth1", 8};
  cases["vpc-cni-branch-pod-add"] = PlanPodAdd(strict, pod);
  cases["vpc-cni-branch-pod-del"] = PlanPodDel(strict, pod);

  VpcCniHostSettings ipv6;
  ipv6.ipv6 = true;
  pod.branch.reset();
  pod.interfaces.front().ip = Ip("2600:1f14::8000:1");
  pod.interfaces.front().host_name = "eni0761ccbeace";
  pod.interfaces.front().route_table = kMainTable;
  pod.egress = VpcCniEgress{Ip("169.254.172.2"),
                            Ip("10.0.0.10"),
                            "CNI-E4-0123",
                            "veth0123",
                            "v4if0",
                            MacAddress(0x020000000006),
                            MacAddress(0x020000000007),
                            9,
                            3};
  cases["vpc-cni-ipv6-pod-add"] = PlanPodAdd(ipv6, pod);
}

void AddCalicoCases(std::map<std::string, std::vector<Operation>>& cases) {
  CalicoCluster cluster;
  cluster.pools = {{Block("10.244.0.0/16"), CalicoEncapsulation::kVxlan}};
  const auto add = [&](const char* name, const char* ip, const char* block) {
    CalicoNode node;
    node.name = name;
    node.mac = MacAddress(0x020000000100 + cluster.nodes.size());
    node.ip = Ip(ip);
    node.subnet = Block("10.0.1.0/24");
    node.gateway = Ip("10.0.1.1");
    node.vxlan_ip = node.ipip_ip = Block(block).network();
    cluster.nodes.push_back(node);
    cluster.blocks.push_back({Block(block), name});
  };
  add("node-a", "10.0.1.11", "10.244.88.128/26");
  add("node-b", "10.0.1.12", "10.244.31.64/26");
  const HostState vxlan = *PlanCalicoNode(cluster, "node-a");
  cases["calico-vxlan-node"] = Diff(NewHostState(), vxlan);
  cases["calico-vxlan-node-gone"] = Diff(vxlan, NewHostState());
  CalicoPod pod{"node-a",
                "default/web-0",
                Ip("10.244.88.129"),
                "cali0d7763386da",
                MacAddress(0x020000000200),
                10,
                2};
  cases["calico-pod-add"] = PlanCalicoPodAdd(cluster, pod, 8951);
  cases["calico-pod-del"] = PlanCalicoPodDel(cluster, pod, 8951);
  cluster.nodes.front().mtu = 1500;
  cluster.pools.push_back({Block("10.245.0.0/16"), CalicoEncapsulation::kVxlan});
  cases["calico-smaller-mtu-and-another-pool"] = Diff(vxlan, *PlanCalicoNode(cluster, "node-a"));
  cluster.pools = {{Block("10.244.0.0/16"), CalicoEncapsulation::kIpip}};
  cases["calico-ipip-node"] = Diff(NewHostState(), *PlanCalicoNode(cluster, "node-a"));
}

TEST(RenderCommand, PlansAreTheCommandsOfTheVectors) {
  std::map<std::string, std::vector<Operation>> cases;
  AddVpcCniCases(cases);
  AddCalicoCases(cases);
  const auto goldens = ReadGoldens();
  for (const auto& [name, operations] : cases) {
    const auto golden = goldens.find(name);
    EXPECT_EQ(golden == goldens.end() ? "" : golden->second, Lines(operations)) << "case " << name;
  }
  EXPECT_EQ(goldens.size(), cases.size());
}

// What no planner does.
TEST(RenderCommand, ReplacesAnAddressWithAnotherLength) {
  EXPECT_EQ(Lines({{Verb::kReplace, "", AddressEntry{{"eth0", Ip("10.0.0.1")}, {24}}}}),
            "ip -n node addr flush dev eth0 to 10.0.0.1\n"
            "ip -n node addr add 10.0.0.1/24 dev eth0 noprefixroute\n");
}

TEST(RenderCommand, TellsTheKernelThatARouteWithoutAGatewayIsGlobal) {
  Route route;
  route.dev = "eth0";
  EXPECT_EQ(Lines({{Verb::kReplace, "", RouteEntry{{kMainTable, Block("10.1.0.0/16"), 0}, route}}}),
            "ip -n node route replace 10.1.0.0/16 dev eth0 scope global\n");
}

TEST(RenderCommand, AHostWithoutANameIsTheOneItIsRunOn) {
  const Operation pod_address{Verb::kRemove, "a/b", AddressEntry{{"eth0", Ip("10.0.0.1")}, {32}}};
  EXPECT_EQ(RenderCommandLine(RenderCommands(pod_address, {}).front()),
            "ip -n a_b addr del 10.0.0.1/32 dev eth0");
  const ChainKey chain{Family::kV6, IptablesTable::kRaw, "X"};
  EXPECT_EQ(RenderCommandLine(RenderCommands({Verb::kAdd, "", chain}, {}).front()),
            "ip6tables -w -t raw -N X");
}

TEST(RenderCommand, QuotesForAShellWhatNeedsIt) {
  EXPECT_EQ(RenderCommandLine({"a-b", "", "it's !", "c\"d"}), "a-b '' 'it'\\''s !' 'c\"d'");
}

TEST(RenderCommand, DevicesInSysctlsKeepTheirDots) {
  EXPECT_EQ(SysctlPath("net.ipv6.conf.vlan.eth.5.accept_ra"), "net/ipv6/conf/vlan.eth.5/accept_ra");
  EXPECT_EQ(SysctlPath("net.ipv4.neigh.cali0.proxy_delay"), "net/ipv4/neigh/cali0/proxy_delay");
  EXPECT_EQ(SysctlPath("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
}

TEST(RenderCommand, NothingThatARandomHostIsMadeOfIsWithoutACommand) {
  int commands = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (const auto& [name, state] : VpcCniCluster(seed).States()) {
      for (const Operation& operation : Diff(NewHostState(), state)) {
        const auto rendered = RenderCommands(operation, {name});
        EXPECT_FALSE(rendered.empty());
        for (const Command& command : rendered) {
          ++commands;
          ASSERT_FALSE(command.empty());
          for (const std::string& word : command) EXPECT_FALSE(word.empty());
        }
      }
    }
  }
  EXPECT_GT(commands, 1000);
}

}  // namespace
}  // namespace cnisim
