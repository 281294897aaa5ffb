#include "core/net/ipv6.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>

namespace cnisim {

std::optional<Ipv6Address> Ipv6Address::Parse(std::string_view text) {
  in6_addr bytes;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (inet_pton(AF_INET6, std::string(text).c_str(), &bytes) != 1) return std::nullopt;
  uint64_t high = 0;
  uint64_t low = 0;
  for (size_t i = 0; i < 8; ++i) {
    high = high << 8 | bytes.s6_addr[i];
    low = low << 8 | bytes.s6_addr[i + 8];
  }
  return Ipv6Address(high, low);
}

std::string Ipv6Address::ToString() const {
  in6_addr bytes;
  for (size_t i = 0; i < 8; ++i) {
    const size_t shift = 56 - 8 * i;
    bytes.s6_addr[i] = static_cast<uint8_t>(high_ >> shift);
    bytes.s6_addr[i + 8] = static_cast<uint8_t>(low_ >> shift);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, &bytes, text.data(), text.size());
  return text.data();
}

std::optional<Ipv6Cidr> Ipv6Cidr::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = Ipv6Address::Parse(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  if (!address || digits.empty() || (digits.size() > 1 && digits.front() == '0')) {
    return std::nullopt;
  }
  int length = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, length);
  if (error != std::errc() || rest != end || length < 0 || length > 128) return std::nullopt;
  const Ipv6Cidr cidr(*address, length);
  if (cidr.network() != *address) return std::nullopt;
  return cidr;
}

std::string Ipv6Cidr::ToString() const {
  return fmt::format("{}/{}", network_.ToString(), length_);
}

}  // namespace cnisim
