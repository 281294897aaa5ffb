#include "tools/kernel_lab/measure/lab_networks.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "core/net/veth_name.h"
#include "core/routing/host_diff.h"
#include "core/routing/vpc_cni_planner.h"
#include "tools/kernel_lab/process.h"

namespace cnisim {
namespace {

const char* const kNodes[] = {"node-a", "node-b"};
constexpr Ipv4Cidr kVpc{Ipv4Address(10, 0, 0, 0), 16};
constexpr Ipv4Cidr kSubnet{Ipv4Address(10, 0, 1, 0), 24};
constexpr Ipv4Cidr kCalicoPool{Ipv4Address(10, 244, 0, 0), 16};
constexpr int kBlockLength = 26;
constexpr int kPodLink = 100;
const char* const kPod = "pod";  // name and namespace of each node's only one

MacAddress Mac(uint64_t n) { return MacAddress(0x020000000100 + n); }
IpAddress NodeIp(uint64_t n) { return kSubnet.network().Offset(11 + n); }

Status Start(Lab& lab) {
  if (Status status = lab.Start(); !status) return status;
  if (Status status = lab.router().AddGateway(GatewayOf(kSubnet)); !status) return status;
  for (const char* node : kNodes) {
    if (Status status = lab.AddNode(node); !status) return status;
  }
  return {};
}

void SetPlaces(LabNetwork& network, IpAddress client, IpAddress server) {
  network.client = {network.lab->node(kNodes[0]).names().Of(kPod), client};
  network.server = {network.lab->node(kNodes[1]).names().Of(kPod), server};
}

Status BuildVpcCniNode(Lab& lab, const VpcCniHostSettings& settings, uint64_t n, IpAddress pod_ip) {
  VpcCniEni eni;
  eni.mac = Mac(n);
  eni.primary_ip = NodeIp(n);
  eni.subnet = kSubnet;
  VpcCniNode node;
  node.enis = {eni};
  node.vpc_cidrs = {kVpc};
  VpcCniPodInterface interface;
  interface.ip = pod_ip;
  interface.host_name = settings.veth_prefix + VethSuffix("default", kPod);
  interface.host_mac = Mac(10 + n);
  interface.container_mac = Mac(20 + n);
  interface.host_index = kPodLink;
  VpcCniPod pod;
  pod.netns = kPod;
  pod.interfaces = {interface};

  NamespaceKernel& kernel = lab.node(kNodes[n]);
  const auto booted = PlanBoot(settings, node);
  if (!booted) return tl::unexpected(booted.error());
  for (const auto& plan :
       {Diff(NewHostState(), *booted), PlanNodeInit(settings, node), PlanPodAdd(settings, pod)}) {
    if (Status status = kernel.Execute(plan); !status) return status;
  }
  for (const IpAddress ip : {eni.primary_ip, pod_ip}) {
    if (Status status = lab.router().Assign(ip, kNodes[n], eni.link); !status) return status;
  }
  return {};
}

// One block a node, whose first address is its tunnel's and whose second is its pod's.
CalicoCluster MakeCalicoCluster(CalicoEncapsulation encapsulation, int mtu) {
  CalicoCluster cluster;
  cluster.pools = {{kCalicoPool, encapsulation}};
  for (const uint64_t n : {0, 1}) {
    const IpCidr block =
        Ipv4Cidr(kCalicoPool.network().Offset(n << (32 - kBlockLength)), kBlockLength);
    CalicoNode node;
    node.name = kNodes[n];
    node.mac = Mac(n);
    node.mtu = mtu;
    node.ip = NodeIp(n);
    node.subnet = kSubnet;
    node.gateway = GatewayOf(kSubnet);
    if (encapsulation == CalicoEncapsulation::kVxlan) node.vxlan_ip = block.network();
    if (encapsulation == CalicoEncapsulation::kIpip) node.ipip_ip = block.network();
    CalicoPod pod;
    pod.node = node.name;
    pod.netns = kPod;
    pod.ip = block.network().Offset(1);
    pod.host_name = "cali" + VethSuffix("default", kPod);
    pod.mac = Mac(10 + n);
    pod.host_index = kPodLink;
    cluster.nodes.push_back(node);
    cluster.blocks.push_back({block, node.name});
    cluster.pods.push_back(pod);
  }
  return cluster;
}

Status BuildCalicoNode(Lab& lab, const CalicoCluster& cluster, uint64_t n) {
  const CalicoNode& node = cluster.nodes[n];
  const auto planned = PlanCalicoNode(cluster, node.name);
  if (!planned) return tl::unexpected(planned.error());
  NamespaceKernel& kernel = lab.node(node.name);
  if (Status status = kernel.Execute(Diff(kernel.state(), *planned)); !status) return status;
  if (Status status = lab.router().Assign(node.ip, node.name, node.link); !status) return status;
  if (cluster.pools.front().encapsulation != CalicoEncapsulation::kNone) return {};
  return lab.router().Assign(cluster.pods[n].ip, node.name, node.link);
}

}  // namespace

Result<LabNetwork> BuildVpcCni(const Features& features, int mtu) {
  LabNetwork network;
  network.name = "aws-vpc-cni";
  network.lab = std::make_unique<Lab>(features);
  Lab& lab = *network.lab;
  const IpAddress pods[] = {NodeIp(100), NodeIp(101)};
  VpcCniHostSettings settings;
  settings.mtu = mtu;
  if (Status status = Start(lab); !status) return tl::unexpected(status.error());
  for (const uint64_t n : {0, 1}) {
    if (Status status = BuildVpcCniNode(lab, settings, n, pods[n]); !status) {
      return tl::unexpected(status.error());
    }
  }
  SetPlaces(network, pods[0], pods[1]);
  return network;
}

Result<LabNetwork> BuildCalico(const Features& features, CalicoEncapsulation encapsulation,
                               int mtu) {
  const CalicoCluster cluster = MakeCalicoCluster(encapsulation, mtu);
  LabNetwork network;
  network.name = "calico:None";
  if (encapsulation == CalicoEncapsulation::kVxlan) network.name = "calico:VXLAN";
  if (encapsulation == CalicoEncapsulation::kIpip) network.name = "calico:IPIP";
  network.lab = std::make_unique<Lab>(features);
  if (Status status = Start(*network.lab); !status) return tl::unexpected(status.error());
  for (const uint64_t n : {0, 1}) {
    if (Status status = BuildCalicoNode(*network.lab, cluster, n); !status) {
      return tl::unexpected(status.error());
    }
  }
  SetPlaces(network, cluster.pods[0].ip, cluster.pods[1].ip);
  return network;
}

Status AddNatRules(const LabNetwork& network, int count) {
  // TEST-NET-3 (RFC 5737) is nobody's.
  std::string text = "*nat\n:SERVICES - [0:0]\n-A PREROUTING -j SERVICES\n-A OUTPUT -j SERVICES\n";
  for (int n = 0; n < count; ++n) {
    text += fmt::format(
        "-A SERVICES -d 203.0.113.{}/32 -p tcp -m comment --comment "
        "\"service {}\" -m tcp --dport 80 -j ACCEPT\n",
        n % 256, n);
  }
  text += "COMMIT\n";
  const int file = memfd_create("rules", MFD_CLOEXEC);
  Status status;
  if (write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    status = Fail(std::string(kCommandFailed), "no memory for rules");
  }
  const std::string path = fmt::format("/proc/{}/fd/{}", getpid(), file);
  for (const char* node : kNodes) {
    if (!status) break;
    status = RunCommands({InNamespace(network.lab->node(node).names().host,
                                      {"iptables-restore", "-w", "--noflush", path})});
  }
  close(file);
  return status;
}

}  // namespace cnisim
