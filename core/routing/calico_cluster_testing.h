// Random clusters of Calico nodes in one VPC, for tests.
#ifndef CNISIM_CORE_ROUTING_CALICO_CLUSTER_TESTING_H_
#define CNISIM_CORE_ROUTING_CALICO_CLUSTER_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/net/veth_name.h"
#include "core/routing/calico_planner.h"
#include "core/routing/vpc_fabric.h"

namespace cnisim {

// Nodes in two subnets of a VPC, with a block or two each and pods, one of which may be borrowed.
class RandomCalico {
 public:
  RandomCalico(uint64_t seed, CalicoEncapsulation encapsulation) : random_(seed) {
    cluster.release = {28 + Below(6), 1};
    cluster.pools.push_back({*IpCidr::Parse("10.244.0.0/16"), encapsulation, true, false});
    const bool vxlan = encapsulation == CalicoEncapsulation::kVxlan ||
                       encapsulation == CalicoEncapsulation::kVxlanCrossSubnet;
    const bool ipip = encapsulation == CalicoEncapsulation::kIpip ||
                      encapsulation == CalicoEncapsulation::kIpipCrossSubnet;
    const int count = 2 + Below(3);
    for (int n = 0; n < count; ++n) {
      CalicoNode node;
      node.name = "node-" + std::to_string(n);
      const auto zone = static_cast<uint8_t>(Below(2));
      node.subnet = Ipv4Cidr(Ipv4Address(10, 0, zone, 0), 24);
      node.gateway = Ipv4Address(10, 0, zone, 1);
      node.ip = Ipv4Address(10, 0, zone, static_cast<uint8_t>(10 + n));
      node.mac = MacAddress(100 + n);
      const IpCidr block = Ipv4Cidr(Ipv4Address(10, 244, static_cast<uint8_t>(n), 64), 26);
      cluster.blocks.push_back({block, node.name, true});
      if (vxlan) node.vxlan_ip = block.network();
      if (ipip) node.ipip_ip = block.network();
      cluster.nodes.push_back(node);
      for (int p = 1 + Below(3); p > 0; --p) AddPod(node.name, block.network().Offset(p));
    }
    // A pod of the first node with an address of the last one's block.
    if (Below(2) == 0) {
      AddPod("node-0", cluster.blocks.back().cidr.network().Offset(40));
    }
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }

  void AddPod(const std::string& node, IpAddress ip) {
    CalicoPod pod;
    const std::string name = "pod-" + std::to_string(cluster.pods.size());
    pod.node = node;
    pod.netns = name;
    pod.ip = ip;
    pod.host_name = "cali" + VethSuffix("default", name);
    pod.mac = MacAddress(0x020000000000 + cluster.pods.size());
    pod.host_index = 10 + static_cast<int>(cluster.pods.size());
    cluster.pods.push_back(pod);
  }

  std::map<std::string, HostState> States() const {
    std::map<std::string, HostState> states;
    for (const CalicoNode& node : cluster.nodes) {
      states[node.name] = *PlanCalicoNode(cluster, node.name);
    }
    return states;
  }

  VpcFabric MakeFabric(bool source_dest_check) const {
    std::vector<VpcInterface> interfaces;
    for (const CalicoNode& node : cluster.nodes) {
      interfaces.push_back(
          {node.name, node.link, {node.subnet}, {IpCidr(node.ip)}, source_dest_check});
    }
    return VpcFabric({*IpCidr::Parse("10.0.0.0/16")}, std::move(interfaces));
  }

  bool Near(const std::string& a, const std::string& b) const {
    const auto subnet = [&](const std::string& name) {
      return std::ranges::find(cluster.nodes, name, &CalicoNode::name)->subnet;
    };
    return subnet(a) == subnet(b);
  }

  CalicoCluster cluster;

 private:
  std::mt19937_64 random_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_CALICO_CLUSTER_TESTING_H_
