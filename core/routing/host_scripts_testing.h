// The hosts of the conformance vectors, made from the lines of a case (vectors/README.md).
#ifndef CNISIM_CORE_ROUTING_HOST_SCRIPTS_TESTING_H_
#define CNISIM_CORE_ROUTING_HOST_SCRIPTS_TESTING_H_

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/net/veth_name.h"
#include "core/routing/calico_planner.h"
#include "core/routing/host_state.h"
#include "core/routing/kube_proxy.h"
#include "core/routing/vpc_cni_planner.h"

namespace cnisim {

using Words = std::vector<std::string>;

inline Words Split(const std::string& text, char separator = ' ') {
  Words words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, separator);) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// "key=value" among the words, or `otherwise`.
inline std::string Option(const Words& words, const std::string& key, std::string otherwise = "") {
  for (const std::string& word : words) {
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  }
  return otherwise;
}

inline IpCidr SubnetOf(const std::string& address_and_length) {
  const Words parts = Split(address_and_length, '/');
  const IpAddress address = *IpAddress::Parse(parts[0]);
  const int length = std::stoi(parts[1]);
  return address.is_v4() ? IpCidr(Ipv4Cidr(address.v4(), length))
                         : IpCidr(Ipv6Cidr(address.v6(), length));
}

inline std::vector<IpCidr> Cidrs(const std::string& text) {
  std::vector<IpCidr> cidrs;
  for (const std::string& one : Split(text, ',')) cidrs.push_back(SubnetOf(one));
  return cidrs;
}

class HostScript {
 public:
  virtual ~HostScript() = default;
  virtual void Read(const Words& words) = 0;
  virtual HostState State() const = 0;
};

// A node of the VPC CNI, made from the lines of a case.
class VpcCniScript final : public HostScript {
 public:
  void Read(const Words& words) override {
    const std::string& what = words[0];
    if (what == "image") {
      node_.image = words[1] == "al2023" ? NodeImage::kAl2023 : NodeImage::kAl2;
    } else if (what == "env") {
      for (size_t i = 1; i < words.size(); ++i) {
        const size_t equals = words[i].find('=');
        ReadEnv(words[i].substr(0, equals), words[i].substr(equals + 1));
      }
    } else if (what == "vpc") {
      node_.vpc_cidrs = Cidrs(words[1]);
    } else if (what == "ipv6") {
      node_.node_ipv6 = *IpAddress::Parse(Split(words[1], '/')[0]);
      node_.subnet_ipv6 = SubnetOf(words[1]);
    } else if (what == "eni") {
      ReadEni(words);
    } else if (what == "pod") {
      ReadPod(words);
    } else if (what == "kube-proxy") {
      kube_proxy_ = true;
    } else if (what == "delete") {
      deleted_.push_back(words[1]);
    } else {
      ADD_FAILURE() << "unknown line " << what;
    }
  }

  HostState State() const override {
    HostState state = *PlanNode(settings_, node_);
    if (kube_proxy_) {
      EXPECT_TRUE(Apply(PlanKubeProxy({}), state));
    }
    for (const std::string& name : deleted_) {
      for (const VpcCniPod& pod : node_.pods) {
        if (pod.netns != name) continue;
        EXPECT_TRUE(Apply(PlanPodDel(settings_, pod), state));
      }
    }
    return state;
  }

 private:
  void ReadEnv(const std::string& name, const std::string& value) {
    const bool on = value == "true";
    if (name == "AWS_VPC_K8S_CNI_EXTERNALSNAT") {
      settings_.external_snat = on;
    } else if (name == "AWS_VPC_CNI_NODE_PORT_SUPPORT") {
      settings_.node_port_support = on;
    } else if (name == "AWS_VPC_K8S_CNI_RANDOMIZESNAT") {
      settings_.randomize_snat = value;
    } else if (name == "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS") {
      settings_.exclude_snat_cidrs = Cidrs(value);
    } else if (name == "AWS_EXTERNAL_SERVICE_CIDRS") {
      settings_.external_service_cidrs = Cidrs(value);
    } else if (name == "AWS_VPC_K8S_CNI_VETHPREFIX") {
      settings_.veth_prefix = value;
    } else if (name == "AWS_VPC_K8S_CNI_CONNMARK") {
      settings_.connmark = static_cast<uint32_t>(std::stoul(value, nullptr, 0));
    } else if (name == "AWS_VPC_ENI_MTU") {
      settings_.mtu = std::stoi(value);
    } else if (name == "POD_MTU") {
      settings_.pod_mtu = std::stoi(value);
    } else if (name == "ENABLE_IPv6") {
      settings_.ipv6 = on;
    } else if (name == "ENABLE_V6_EGRESS") {
      settings_.v6_egress = on;
    } else if (name == "ENABLE_POD_ENI") {
      settings_.pod_eni = on;
    } else if (name == "POD_SECURITY_GROUP_ENFORCING_MODE") {
      settings_.enforcing =
          value == "standard" ? SecurityGroupEnforcing::kStandard : SecurityGroupEnforcing::kStrict;
    } else if (name == "DISABLE_TCP_EARLY_DEMUX") {
      settings_.tcp_early_demux = !on;
    } else if (name == "connmark-backend") {
      settings_.connmark_backend =
          value == "nftables" ? ConnmarkBackend::kNftables : ConnmarkBackend::kIptables;
    } else {
      ADD_FAILURE() << "unknown variable " << name;
    }
  }

  MacAddress NextMac() { return MacAddress(0x020000000000 + ++macs_); }

  void ReadEni(const Words& words) {
    VpcCniEni eni;
    eni.link = words[1];
    eni.link_index = next_index_++;
    eni.mac = NextMac();
    eni.primary_ip = *IpAddress::Parse(Split(words[2], '/')[0]);
    eni.subnet = SubnetOf(words[2]);
    eni.device_number = std::stoi(Option(words, "device", "0"));
    eni.network_card = std::stoi(Option(words, "card", "0"));
    eni.is_trunk = words.back() == "trunk";
    node_.enis.push_back(eni);
  }

  // pod NAMESPACE/NAME IP@LINK [IP@LINK ...] [vlan=ID trunk=LINK subnet=CIDR] [egress=IP]
  void ReadPod(const Words& words) {
    VpcCniPod pod;
    pod.netns = words[1];
    const Words name = Split(words[1], '/');
    const std::string vlan = Option(words, "vlan");
    const std::string prefix = !vlan.empty() && settings_.strict() ? "vlan" : settings_.veth_prefix;
    for (size_t i = 2; i < words.size(); ++i) {
      const Words at = Split(words[i], '@');
      if (at.size() != 2) continue;
      VpcCniPodInterface interface;
      const size_t k = pod.interfaces.size();
      interface.ip = *IpAddress::Parse(at[0]);
      for (const VpcCniEni& eni : node_.enis) {
        if (eni.link != at[1]) continue;
        interface.route_table = RouteTableOfEni(eni.network_card, eni.device_number);
      }
      const std::string hashed = k == 0 ? name[1] : name[1] + "." + std::to_string(k);
      interface.host_name = prefix + VethSuffix(name[0], hashed);
      if (k > 0) interface.container_name = "mNicIf" + std::to_string(k);
      interface.container_index = 2 + static_cast<int>(k);
      interface.host_index = next_index_++;
      interface.host_mac = NextMac();
      interface.container_mac = NextMac();
      pod.interfaces.push_back(interface);
    }
    if (!vlan.empty()) {
      VpcCniBranch branch;
      branch.vlan_id = std::stoi(vlan);
      branch.mac = NextMac();
      branch.gateway = GatewayOf(SubnetOf(Option(words, "subnet")));
      branch.trunk_link = Option(words, "trunk");
      branch.link_index = next_index_++;
      pod.branch = branch;
    }
    if (const auto ip = IpAddress::Parse(Option(words, "egress"))) {
      VpcCniEgress egress;
      egress.pod_ip = *ip;
      egress.node_ip = ip->is_v4() ? node_.enis.front().primary_ip : node_.node_ipv6;
      egress.chain = ip->is_v4() ? "CNI-E4-0123" : "CNI-E6-0123";
      egress.host_name = "veth0123";
      egress.container_name = ip->is_v4() ? "v4if0" : "v6if0";
      egress.host_mac = NextMac();
      egress.container_mac = NextMac();
      egress.host_index = next_index_++;
      pod.egress = egress;
    }
    node_.pods.push_back(pod);
  }

  VpcCniHostSettings settings_;
  VpcCniNode node_;
  std::vector<std::string> deleted_;
  bool kube_proxy_ = false;
  int next_index_ = 2;
  uint64_t macs_ = 0;
};

// A node of a Calico cluster: the one that "show" names.
class CalicoScript final : public HostScript {
 public:
  void Read(const Words& words) override {
    const std::string& what = words[0];
    if (what == "calico") {
      ReadSettings(words);
    } else if (what == "pool") {
      const std::map<std::string, CalicoEncapsulation> encapsulations = {
          {"None", CalicoEncapsulation::kNone},
          {"VXLAN", CalicoEncapsulation::kVxlan},
          {"VXLANCrossSubnet", CalicoEncapsulation::kVxlanCrossSubnet},
          {"IPIP", CalicoEncapsulation::kIpip},
          {"IPIPCrossSubnet", CalicoEncapsulation::kIpipCrossSubnet}};
      cluster_.pools.push_back(
          {SubnetOf(words[1]), encapsulations.at(words[2]), words.back() != "no-nat", false});
    } else if (what == "node") {
      ReadNode(words);
    } else if (what == "block") {
      cluster_.blocks.push_back({SubnetOf(words[1]), words[2], words.back() != "pending"});
    } else if (what == "peer") {
      cluster_.bgp_peers.insert({words[1], words[2]});
    } else if (what == "pod") {
      const Words name = Split(words[1], '/');
      const Words at = Split(words[2], '@');
      CalicoPod pod;
      pod.node = at[1];
      pod.netns = words[1];
      pod.ip = *IpAddress::Parse(at[0]);
      pod.host_name = "cali" + VethSuffix(name[0], name[1]);
      pod.mac = MacAddress(0x020000000000 + cluster_.pods.size() + 1);
      pod.host_index = 10 + static_cast<int>(cluster_.pods.size());
      cluster_.pods.push_back(pod);
    } else if (what == "show") {
      shown_ = words[1];
    } else {
      ADD_FAILURE() << "unknown line " << what;
    }
  }

  HostState State() const override { return *PlanCalicoNode(cluster_, shown_); }

 private:
  void ReadSettings(const Words& words) {
    const Words release = Split(Option(words, "release", "3.32.1"), '.');
    cluster_.release.minor = std::stoi(release[1]);
    cluster_.release.patch = std::stoi(release[2]);
    const std::map<std::string, ClusterRoutes> programmed = {
        {"Disabled", ClusterRoutes::kDisabled},
        {"EnabledIPIPOnly", ClusterRoutes::kIpipOnly},
        {"EnabledNoEncapOnly", ClusterRoutes::kNoEncapOnly},
        {"Enabled", ClusterRoutes::kEnabled}};
    const auto routes = programmed.find(Option(words, "programClusterRoutes"));
    if (routes != programmed.end()) cluster_.program_cluster_routes = routes->second;
    cluster_.full_mesh = Option(words, "mesh", "on") == "on";
  }

  void ReadNode(const Words& words) {
    CalicoNode node;
    node.name = words[1];
    node.ip = *IpAddress::Parse(Split(words[2], '/')[0]);
    node.subnet = SubnetOf(words[2]);
    node.gateway = node.subnet.network().Offset(1);
    node.vxlan_ip = IpAddress::Parse(Option(words, "vxlan"));
    node.ipip_ip = IpAddress::Parse(Option(words, "ipip"));
    node.mtu = std::stoi(Option(words, "mtu", "9001"));
    node.route_reflector_cluster_id = Option(words, "reflector");
    node.mac = MacAddress(0x020000000100 + cluster_.nodes.size());
    // A later line about a node replaces the earlier one.
    std::erase_if(cluster_.nodes, [&](const CalicoNode& one) { return one.name == node.name; });
    cluster_.nodes.push_back(node);
  }

  CalicoCluster cluster_;
  std::string shown_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_HOST_SCRIPTS_TESTING_H_
