#include "core/rpc/branch_eni.h"

#include <algorithm>

#include "core/rpc/json_fields.h"

namespace cnisim {
namespace {

constexpr Ipv6Address kIpv6Gateway(0xfe800ec200000000, 1);

tl::unexpected<Error> Unusable(std::string why) { return Fail("pod-eni", std::move(why)); }

Result<IpAddress> GatewayOf(const BranchEni& eni, bool ipv6) {
  const auto subnet = IpCidr::Parse(ipv6 ? eni.subnet_v6_cidr : eni.subnet_cidr);
  if (!subnet || subnet->is_v4() == ipv6) return Unusable("the branch ENI's subnet is no CIDR");
  if (ipv6) return kIpv6Gateway;
  return subnet->network().Offset(1);
}

}  // namespace

bool WantsBranchEni(const PodObject& pod) {
  return std::ranges::any_of(pod.first_container_limits,
                             [](const auto& limit) { return limit.first.starts_with(kPodEniKey); });
}

Result<BranchEni> ParseBranchEni(std::string_view annotation) {
  const std::optional<Json> parsed = ParseJson(annotation);
  if (!parsed) return Unusable("the pod-eni annotation is no JSON");
  if (parsed->is_null() || (parsed->is_array() && parsed->empty())) {
    return Unusable("parsed PodENIData is empty");
  }
  if (!parsed->is_array() || !parsed->front().is_object()) {
    return Unusable("the pod-eni annotation is no array of objects");
  }
  const Json& first = parsed->front();
  BranchEni eni;
  for (const auto& [name, field] : {std::pair("eniId", &eni.eni_id),
                                    {"ifAddress", &eni.mac},
                                    {"privateIp", &eni.private_ip},
                                    {"ipv6Addr", &eni.ipv6},
                                    {"subnetCidr", &eni.subnet_cidr},
                                    {"subnetV6Cidr", &eni.subnet_v6_cidr}}) {
    if (const Status read = ReadField(first, name, field); !read) {
      return tl::unexpected(read.error());
    }
  }
  if (const Status read = ReadField(first, "vlanID", &eni.vlan_id); !read) {
    return tl::unexpected(read.error());
  }
  return eni;
}

Result<BranchAddress> AddressOf(const BranchEni& eni, bool ipv6) {
  const auto ip = IpAddress::Parse(ipv6 ? eni.ipv6 : eni.private_ip);
  if (!ip || ip->is_v4() == ipv6) return Unusable("the branch ENI has no address");
  if (eni.mac.empty()) return Unusable("the branch ENI has no MAC address");
  if (eni.vlan_id == 0) return Unusable("the branch ENI has no VLAN");
  const Result<IpAddress> gateway = GatewayOf(eni, ipv6);
  if (!gateway) return tl::unexpected(gateway.error());
  return BranchAddress{*ip, *gateway};
}

}  // namespace cnisim
