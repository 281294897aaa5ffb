#include "core/routing/vpc_fabric.h"

#include <algorithm>

namespace cnisim {
namespace {

bool AnyContains(const std::vector<IpCidr>& cidrs, IpAddress address) {
  return std::ranges::any_of(cidrs, [&](const IpCidr& cidr) { return cidr.Contains(address); });
}

// RFC 1918, RFC 6598 and RFC 4193: no internet gateway forwards them.
bool IsPrivate(IpAddress address) {
  static const std::vector<IpCidr> kPrivate = {
      Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 8), Ipv4Cidr(Ipv4Address(172, 16, 0, 0), 12),
      Ipv4Cidr(Ipv4Address(192, 168, 0, 0), 16), Ipv4Cidr(Ipv4Address(100, 64, 0, 0), 10),
      Ipv6Cidr(Ipv6Address(0xfc00000000000000, 0), 7)};
  return AnyContains(kPrivate, address);
}

// The VPC's router has the second address of every subnet, and one link-local address.
bool IsGateway(const VpcInterface& interface, IpAddress address) {
  if (address == Ipv6Address(0xfe800ec200000000, 1)) return true;
  return std::ranges::any_of(interface.subnets, [&](const IpCidr& subnet) {
    return subnet.is_v4() && subnet.network().Offset(1) == address;
  });
}

}  // namespace

const VpcInterface* VpcFabric::HolderOf(IpAddress address) const {
  const auto found = std::ranges::find_if(interfaces_, [&](const VpcInterface& interface) {
    return AnyContains(interface.addresses, address);
  });
  return found == interfaces_.end() ? nullptr : &*found;
}

FabricVerdict VpcFabric::Carry(const FabricFrame& frame) const {
  const VpcInterface* to = HolderOf(frame.dst);
  if (!frame.node.empty()) {
    const auto from = std::ranges::find_if(interfaces_, [&](const VpcInterface& interface) {
      return interface.node == frame.node && interface.link == frame.link;
    });
    if (from == interfaces_.end()) return {DropReason::kNoDevice, "", ""};
    if (from->source_dest_check && !AnyContains(from->addresses, frame.src)) {
      return {DropReason::kSourceCheck, "", ""};
    }
    if (!IsGateway(*from, frame.via)) {
      if (!AnyContains(from->subnets, frame.via)) return {DropReason::kNoNeighbour, "", ""};
      to = HolderOf(frame.via);
      if (to == nullptr) return {DropReason::kNoNeighbour, "", ""};
    }
  }
  if (to == nullptr) {
    const bool inside =
        AnyContains(cidrs_, frame.dst) || IsPrivate(frame.dst) || frame.node.empty();
    return {inside ? DropReason::kUnknownDestination : DropReason::kNone, "", ""};
  }
  if (to->source_dest_check && !AnyContains(to->addresses, frame.dst)) {
    return {DropReason::kDestinationCheck, "", ""};
  }
  return {DropReason::kNone, to->node, to->link};
}

}  // namespace cnisim
