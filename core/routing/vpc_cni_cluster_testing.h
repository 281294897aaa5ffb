// Random clusters of VPC CNI nodes in one VPC, for tests.
#ifndef CNISIM_CORE_ROUTING_VPC_CNI_CLUSTER_TESTING_H_
#define CNISIM_CORE_ROUTING_VPC_CNI_CLUSTER_TESTING_H_

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/net/veth_name.h"
#include "core/routing/vpc_cni_planner.h"
#include "core/routing/vpc_fabric.h"

namespace cnisim {

class VpcCniCluster {
 public:
  explicit VpcCniCluster(uint64_t seed) : random_(seed) {
    settings.external_snat = OneIn(4);
    settings.node_port_support = !OneIn(4);
    settings.connmark_backend = OneIn(2) ? ConnmarkBackend::kNftables : ConnmarkBackend::kIptables;
    settings.pod_eni = OneIn(2);
    settings.enforcing =
        OneIn(2) ? SecurityGroupEnforcing::kStandard : SecurityGroupEnforcing::kStrict;
    const int count = 2 + Below(3);
    for (int n = 0; n < count; ++n) AddNode("node-" + std::to_string(n));
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }

  void AddNode(const std::string& name) {
    VpcCniNode node;
    node.image = OneIn(2) ? NodeImage::kAl2 : NodeImage::kAl2023;
    node.vpc_cidrs = vpc_cidrs;
    nodes[name] = node;
    const int enis = 1 + Below(3);
    for (int e = 0; e < enis; ++e) AddEni(name, false);
    if (settings.pod_eni) AddEni(name, true);
    const int pods = Below(6);
    for (int p = 0; p < pods; ++p) AddPod(name);
  }

  const VpcCniEni& AddEni(const std::string& name, bool trunk) {
    VpcCniNode& node = nodes[name];
    VpcCniEni eni;
    eni.device_number = node.enis.empty() ? 0 : node.enis.back().device_number + 1;
    eni.link = "eth" + std::to_string(eni.device_number);
    eni.link_index = NextIndex();
    eni.mac = NextMac();
    eni.subnet = Subnet();
    eni.primary_ip = NextIp(eni.subnet);
    eni.is_trunk = trunk;
    node.enis.push_back(eni);
    return nodes[name].enis.back();
  }

  VpcCniPod& AddPod(const std::string& name) {
    VpcCniNode& node = nodes[name];
    VpcCniPod pod;
    const std::string pod_name = "pod-" + std::to_string(++pods_);
    pod.netns = "default_" + pod_name;
    VpcCniPodInterface interface;
    const VpcCniEni* eni = &node.enis[Below(static_cast<int>(node.enis.size()))];
    std::string prefix = settings.veth_prefix;
    if (eni->is_trunk) {
      VpcCniBranch branch;
      branch.vlan_id = ++vlans_;
      branch.mac = NextMac();
      branch.gateway = GatewayOf(Subnet());
      branch.trunk_link = eni->link;
      branch.link_index = NextIndex();
      pod.branch = branch;
      if (settings.strict()) prefix = "vlan";
    } else {
      interface.route_table = RouteTableOfEni(eni->network_card, eni->device_number);
    }
    interface.ip = NextIp(pod.branch ? SubnetOf(*pod.branch) : eni->subnet);
    interface.host_name = prefix + VethSuffix("default", pod_name);
    interface.host_mac = NextMac();
    interface.container_mac = NextMac();
    interface.host_index = NextIndex();
    pod.interfaces.push_back(interface);
    if (!pod.branch) owners[interface.ip] = {name, eni->link};
    node.pods.push_back(pod);
    return node.pods.back();
  }

  std::map<std::string, HostState> States() const {
    std::map<std::string, HostState> states;
    for (const auto& [name, node] : nodes) states[name] = *PlanNode(settings, node);
    return states;
  }

  VpcFabric MakeFabric() const {
    std::vector<VpcInterface> interfaces;
    for (const auto& [name, node] : nodes) {
      for (const VpcCniEni& eni : node.enis) {
        VpcInterface interface { name, eni.link, {eni.subnet}, {IpCidr(eni.primary_ip)}, true };
        for (const auto& [ip, owner] : owners) {
          if (owner == std::pair(name, eni.link)) interface.addresses.push_back(IpCidr(ip));
        }
        interfaces.push_back(interface);
      }
      for (const VpcCniPod& pod : node.pods) {
        if (!pod.branch) continue;
        interfaces.push_back({name,
                              "vlan.eth." + std::to_string(pod.branch->vlan_id),
                              {SubnetOf(*pod.branch)},
                              {IpCidr(pod.interfaces.front().ip)},
                              true});
      }
    }
    return VpcFabric(vpc_cidrs, std::move(interfaces));
  }

  VpcCniHostSettings settings;
  std::map<std::string, VpcCniNode> nodes;
  std::map<IpAddress, std::pair<std::string, std::string>> owners;  // of pods' addresses
  std::vector<IpCidr> vpc_cidrs = {*IpCidr::Parse("10.0.0.0/16")};

 private:
  IpCidr Subnet() { return Ipv4Cidr(Ipv4Address(10, 0, static_cast<uint8_t>(Below(2)), 0), 24); }
  static IpCidr SubnetOf(const VpcCniBranch& branch) { return Ipv4Cidr(branch.gateway.v4(), 24); }
  IpAddress NextIp(const IpCidr& subnet) { return subnet.network().Offset(9 + ++ips_[subnet]); }
  MacAddress NextMac() { return MacAddress(0x020000000000 + ++macs_); }
  int NextIndex() { return ++indexes_; }

  std::mt19937_64 random_;
  int pods_ = 0;
  int vlans_ = 0;
  int indexes_ = 1;
  uint64_t macs_ = 0;
  std::map<IpCidr, uint64_t> ips_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_VPC_CNI_CLUSTER_TESTING_H_
