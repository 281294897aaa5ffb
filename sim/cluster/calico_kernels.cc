#include "sim/cluster/calico_kernels.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/ipam/calico/calico_ipam.h"
#include "core/net/hash.h"
#include "core/net/veth_name.h"
#include "sim/cluster/link_name.h"

namespace cnisim {
namespace {

CalicoEncapsulation EncapsulationOf(Encapsulation encapsulation) {
  switch (encapsulation) {
    case Encapsulation::kNone:
      return CalicoEncapsulation::kNone;
    case Encapsulation::kVxlan:
      return CalicoEncapsulation::kVxlan;
    case Encapsulation::kVxlanCrossSubnet:
      return CalicoEncapsulation::kVxlanCrossSubnet;
    case Encapsulation::kIpip:
      return CalicoEncapsulation::kIpip;
    case Encapsulation::kIpipCrossSubnet:
      return CalicoEncapsulation::kIpipCrossSubnet;
  }
  return CalicoEncapsulation::kNone;
}

std::optional<IpAddress> TunnelAddress(const BlockStore& store, CalicoTunnel tunnel,
                                       const std::string& node) {
  const std::vector<Ipv4Address> held = store.AddressesOf(TunnelHandle(tunnel, node));
  return held.empty() ? std::nullopt : std::optional<IpAddress>(held.front());
}

}  // namespace

const HostState* CalicoKernels::Of(const Node& node) {
  const std::pair now(context_.simulation.events_executed(), context_.address_changes);
  if (as_of_ != now || states_.empty()) {
    cluster_ = ClusterNow();
    states_.clear();
    as_of_ = now;
  }
  auto found = states_.find(node.name());
  if (found == states_.end()) {
    Result<HostState> state = PlanCalicoNode(cluster_, node.name());
    if (!state) return nullptr;
    found = states_.emplace(node.name(), *std::move(state)).first;
  }
  return &found->second;
}

CalicoNode CalicoKernels::NodeNow(const Node& node) const {
  CalicoNode planned;
  planned.name = node.name();
  const NodeImage image =
      context_.scenario.node_groups[static_cast<size_t>(node.config().node_group)].image;
  planned.image = image;
  planned.link = LinkNameOf(image, 0, 0);
  planned.resolver = IpAddress(context_.scenario.vpc.cidr_blocks.front().network()).Offset(2);
  const AttachedInterface primary = ec2_.PrimaryInterfaceOf(*node.instance);
  planned.mac = primary.eni.mac;
  planned.mtu = context_.scenario.network.mtu;
  planned.ip = primary.eni.primary_ip;
  planned.subnet = context_.scenario.vpc.subnets[primary.subnet].cidr;
  planned.gateway = planned.subnet.network().Offset(1);
  planned.vxlan_ip = TunnelAddress(store_, CalicoTunnel::kVxlan, node.name());
  planned.ipip_ip = TunnelAddress(store_, CalicoTunnel::kIpip, node.name());
  return planned;
}

CalicoCluster CalicoKernels::ClusterNow() const {
  CalicoCluster cluster;
  const CalicoSpec& spec = context_.scenario.network.calico;
  cluster.release = {spec.minor, spec.patch};
  cluster.pod_mtu = spec.pod_mtu;
  for (const IpPoolSpec& pool : spec.ip_pools) {
    CalicoPool planned;
    planned.cidr = pool.cidr;
    planned.encapsulation = EncapsulationOf(pool.encapsulation);
    planned.nat_outgoing = pool.nat_outgoing;
    cluster.pools.push_back(std::move(planned));
  }
  std::set<Ipv4Cidr> confirmed;
  for (const std::string& host : store_.Hosts()) {
    for (const Ipv4Cidr& block : store_.ConfirmedBlocksOf(host)) confirmed.insert(block);
  }
  // A block that nobody owns has no route of its own, but its addresses have.
  store_.ForEachBlock([&](const AllocationBlock& block) {
    const bool owned = block.host().has_value();
    cluster.blocks.push_back(
        {block.cidr(), owned ? *block.host() : "", !owned || confirmed.contains(block.cidr())});
  });
  for (const auto& [name, node] : nodes_) {
    cluster.nodes.push_back(NodeNow(*node));
    int index = 10;  // of the first pod's link; those before are the host's own
    for (const Pod* pod : node->pods()) {
      if (!pod->ip || pod->host_network || pod->disconnected) continue;
      CalicoPod planned;
      planned.node = name;
      planned.netns = pod->sandbox_id;
      planned.ip = *pod->ip;
      planned.host_name = "cali" + VethSuffix(node->NamespaceOf(*pod), pod->name);
      planned.mac = MacAddress::LocallyAdministered(HashMix(HashName(planned.host_name)));
      planned.host_index = index++;
      cluster.pods.push_back(std::move(planned));
    }
  }
  return cluster;
}

}  // namespace cnisim
