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

IpCidr BlockOf(IpAddress address, int length) {
  return address.is_v4() ? IpCidr(Ipv4Cidr(address.v4(), length))
                         : IpCidr(Ipv6Cidr(address.v6(), length));
}

}  // namespace

VpcFabric::VpcFabric(std::vector<IpCidr> cidrs, std::vector<VpcInterface> interfaces)
    : cidrs_(std::move(cidrs)) {
  for (VpcInterface& interface : interfaces) Attach(std::move(interface));
}

void VpcFabric::Attach(VpcInterface interface) {
  std::pair key(interface.node, interface.link);
  const auto [it, added] = interfaces_.try_emplace(std::move(key), std::move(interface));
  if (!added) return;
  for (const IpCidr& addresses : it->second.addresses) Claim(it->second, addresses);
}

void VpcFabric::Detach(const std::string& node, const std::string& link) {
  const auto found = interfaces_.find({node, link});
  if (found == interfaces_.end()) return;
  for (const IpCidr& addresses : found->second.addresses) Release(found->second, addresses);
  interfaces_.erase(found);
}

void VpcFabric::Assign(const std::string& node, const std::string& link, const IpCidr& addresses) {
  const auto found = interfaces_.find({node, link});
  if (found == interfaces_.end()) return;
  found->second.addresses.push_back(addresses);
  Claim(found->second, addresses);
}

void VpcFabric::Unassign(const std::string& node, const std::string& link,
                         const IpCidr& addresses) {
  const auto found = interfaces_.find({node, link});
  if (found == interfaces_.end()) return;
  std::vector<IpCidr>& all = found->second.addresses;
  const auto it = std::ranges::find(all, addresses);
  if (it == all.end()) return;
  all.erase(it);
  Release(found->second, addresses);
}

void VpcFabric::Claim(const VpcInterface& interface, const IpCidr& addresses) {
  holders_[addresses].push_back(&interface);
  ++lengths_[{addresses.is_v4(), addresses.length()}];
}

void VpcFabric::Release(const VpcInterface& interface, const IpCidr& addresses) {
  const auto found = holders_.find(addresses);
  found->second.erase(std::ranges::find(found->second, &interface));
  if (found->second.empty()) holders_.erase(found);
  const auto length = lengths_.find({addresses.is_v4(), addresses.length()});
  if (--length->second == 0) lengths_.erase(length);
}

const VpcInterface* VpcFabric::Find(const std::string& node, const std::string& link) const {
  const auto found = interfaces_.find({node, link});
  return found == interfaces_.end() ? nullptr : &found->second;
}

const VpcInterface* VpcFabric::HolderOf(IpAddress address) const {
  for (auto length = lengths_.rbegin(); length != lengths_.rend(); ++length) {
    if (length->first.first != address.is_v4()) continue;
    const auto found = holders_.find(BlockOf(address, length->first.second));
    if (found != holders_.end()) return found->second.front();
  }
  return nullptr;
}

std::vector<const VpcInterface*> VpcFabric::InterfacesOf(const std::string& node) const {
  std::vector<const VpcInterface*> interfaces;
  for (auto it = interfaces_.lower_bound({node, ""}); it != interfaces_.end(); ++it) {
    if (it->first.first != node) break;
    interfaces.push_back(&it->second);
  }
  return interfaces;
}

std::set<IpCidr> VpcFabric::Subnets() const {
  std::set<IpCidr> subnets;
  for (const auto& [key, interface] : interfaces_) {
    subnets.insert(interface.subnets.begin(), interface.subnets.end());
  }
  return subnets;
}

bool VpcFabric::PassesCheck(const VpcInterface& interface, IpAddress address) {
  return !interface.source_dest_check || AnyContains(interface.addresses, address);
}

VpcFabric::NextHop VpcFabric::NextHopOf(const VpcInterface& from, const FabricFrame& frame) {
  if (IsGateway(from, frame.via)) return NextHop::kDestination;
  if (!AnyContains(from.subnets, frame.via)) return NextHop::kNobody;
  return frame.via == frame.dst ? NextHop::kDestination : NextHop::kVia;
}

bool VpcFabric::IsResolver(IpAddress address) const {
  return !cidrs_.empty() && cidrs_.front().is_v4() && address == cidrs_.front().network().Offset(2);
}

FabricVerdict VpcFabric::Carry(const FabricFrame& frame) const {
  const VpcInterface* to = HolderOf(frame.dst);
  const bool fits = frame.size <= kInternetMtu || !frame.dont_fragment;
  if (frame.node.empty() && to != nullptr && !IsResolver(frame.src) && !fits) {
    return {DropReason::kPacketTooBig, "", ""};
  }
  if (!frame.node.empty()) {
    const VpcInterface* from = Find(frame.node, frame.link);
    if (from == nullptr) return {DropReason::kNoDevice, "", ""};
    if (!PassesCheck(*from, frame.src)) return {DropReason::kSourceCheck, "", ""};
    if (IsResolver(frame.dst)) return {DropReason::kNone, "", ""};
    if (!IsGateway(*from, frame.via)) {
      if (NextHopOf(*from, frame) == NextHop::kNobody) return {DropReason::kNoNeighbour, "", ""};
      to = HolderOf(frame.via);
      if (to == nullptr) return {DropReason::kNoNeighbour, "", ""};
    }
  }
  if (to == nullptr) {
    const bool inside =
        AnyContains(cidrs_, frame.dst) || IsPrivate(frame.dst) || frame.node.empty();
    if (inside) return {DropReason::kUnknownDestination, "", ""};
    return {fits ? DropReason::kNone : DropReason::kPacketTooBig, "", ""};
  }
  if (!PassesCheck(*to, frame.dst)) return {DropReason::kDestinationCheck, "", ""};
  return {DropReason::kNone, to->node, to->link};
}

}  // namespace cnisim
