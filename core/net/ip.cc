#include "core/net/ip.h"

namespace cnisim {

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  if (const auto v4 = Ipv4Address::Parse(text)) return *v4;
  if (const auto v6 = Ipv6Address::Parse(text)) return *v6;
  return std::nullopt;
}

std::optional<IpCidr> IpCidr::Parse(std::string_view text) {
  if (const auto v4 = Ipv4Cidr::Parse(text)) return *v4;
  if (const auto v6 = Ipv6Cidr::Parse(text)) return *v6;
  return std::nullopt;
}

}  // namespace cnisim
