#include "sim/cluster/node_kernel.h"

#include <cassert>

#include "core/net/hash.h"
#include "sim/cluster/link_name.h"

namespace cnisim {
namespace {

constexpr uint64_t kUpperHalf = 0xc000000000000000;  // of a /64

}  // namespace

std::optional<IpAddress> PrimaryIpv6Of(const SubnetSpec& subnet, const NetworkInterface& eni) {
  if (!subnet.ipv6_cidr || eni.device_index != 0 || eni.network_card_index != 0) {
    return std::nullopt;
  }
  const auto place = static_cast<uint64_t>(IpCidr(subnet.cidr).OffsetOf(eni.primary_ip));
  return IpAddress(subnet.ipv6_cidr->network()).Offset(kUpperHalf + place);
}

NodeKernel::NodeKernel(const ClusterContext& context, const Node& node, const Ec2& ec2,
                       InstanceIndex instance, const AgentSettings& settings)
    : context_(context),
      ec2_(ec2),
      instance_(instance),
      image_(context.scenario.node_groups[static_cast<size_t>(node.config().node_group)].image),
      host_(kernel_, *this, HashMix(context.seed ^ HashName(node.name()))) {
  Result<HostState> booted = PlanBoot(HostSettingsOf(settings, image_), AtBoot());
  assert(booted);
  kernel_ = StateKernel(*std::move(booted));
}

void NodeKernel::set_settings(const AgentSettings& settings) {
  host_.set_settings(HostSettingsOf(settings, image_));
}

VpcCniEni NodeKernel::EniOf(const AttachedInterface& interface) const {
  VpcCniEni eni;
  eni.network_card = interface.eni.network_card_index;
  eni.device_number = interface.eni.device_index;
  eni.link = LinkNameOf(image_, eni.network_card, eni.device_number);
  eni.mac = interface.eni.mac;
  eni.primary_ip = interface.eni.primary_ip;
  eni.subnet = context_.scenario.vpc.subnets[interface.subnet].cidr;
  eni.is_trunk = interface.eni.is_trunk;
  return eni;
}

VpcCniNode NodeKernel::AtBoot() const {
  VpcCniNode node;
  node.image = image_;
  const VpcSpec& vpc = context_.scenario.vpc;
  node.vpc_cidrs.assign(vpc.cidr_blocks.begin(), vpc.cidr_blocks.end());
  const AttachedInterface primary = ec2_.PrimaryInterfaceOf(instance_);
  node.enis.push_back(EniOf(primary));
  const SubnetSpec& subnet = vpc.subnets[primary.subnet];
  if (const auto ipv6 = PrimaryIpv6Of(subnet, primary.eni)) {
    node.subnet_ipv6 = *subnet.ipv6_cidr;
    node.node_ipv6 = *ipv6;
  }
  return node;
}

std::optional<VpcCniEni> NodeKernel::FindEni(IpAddress primary_ip) const {
  for (const AttachedInterface& interface : ec2_.InterfacesOf(instance_)) {
    if (!interface.vlan && interface.eni.primary_ip == primary_ip) return EniOf(interface);
  }
  return std::nullopt;
}

}  // namespace cnisim
