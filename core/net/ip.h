// An address or CIDR block of either family, where code handles both alike.
//
// Kept as an IPv6 value; IPv4 ones in ::ffff:0:0/96 (RFC 4291 section 2.5.5.2), which no pod or ENI
// has natively, so all IPv4 values order among themselves as Ipv4Address does. Trivially copyable,
// totally ordered, hashable. A value converts from its own family's type without being asked.
#ifndef CNISIM_CORE_NET_IP_H_
#define CNISIM_CORE_NET_IP_H_

#include <algorithm>
#include <cassert>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/ipv4.h"
#include "core/net/ipv6.h"

namespace cnisim {

class IpAddress {
 public:
  constexpr IpAddress() : IpAddress(Ipv4Address()) {}
  // NOLINTNEXTLINE(google-explicit-constructor): the same value, more widely typed
  constexpr IpAddress(Ipv4Address a) : bits_(0, kMapped | a.bits()) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr IpAddress(Ipv6Address a) : bits_(a) {}

  static std::optional<IpAddress> Parse(std::string_view text);

  constexpr bool is_v4() const { return bits_.high() == 0 && bits_.low() >> 32 == kMapped >> 32; }
  constexpr Ipv4Address v4() const {
    assert(is_v4());
    return Ipv4Address(static_cast<uint32_t>(bits_.low()));
  }
  constexpr Ipv6Address v6() const {
    assert(!is_v4());
    return bits_;
  }
  constexpr Ipv6Address bits() const { return bits_; }
  constexpr IpAddress Offset(uint64_t n) const { return IpAddress(bits_.Offset(n)); }
  std::string ToString() const { return is_v4() ? v4().ToString() : bits_.ToString(); }

  friend constexpr auto operator<=>(IpAddress, IpAddress) = default;

 private:
  static constexpr uint64_t kMapped = 0xffff00000000;

  Ipv6Address bits_;
};

class IpCidr {
 public:
  constexpr IpCidr() : IpCidr(Ipv4Cidr()) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr IpCidr(Ipv4Cidr c) : cidr_(IpAddress(c.network()).bits(), c.length() + kV4Offset) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr IpCidr(Ipv6Cidr c) : cidr_(c) {}
  // The block of one address.
  explicit constexpr IpCidr(IpAddress a) : cidr_(a.bits(), 128) {}

  static std::optional<IpCidr> Parse(std::string_view text);

  constexpr bool is_v4() const { return network().is_v4(); }
  constexpr IpAddress network() const { return IpAddress(cidr_.network()); }
  constexpr int length() const { return is_v4() ? cidr_.length() - kV4Offset : cidr_.length(); }
  // Number of addresses, or 2^62 of larger blocks. EC2 gives an ENI IPv6 blocks of 2^48.
  constexpr int64_t size() const { return int64_t{1} << std::min(128 - cidr_.length(), 62); }
  constexpr bool Contains(IpAddress a) const { return cidr_.Contains(a.bits()); }
  // How far `a`, which the block contains, is from the network address.
  constexpr int64_t OffsetOf(IpAddress a) const {
    return static_cast<int64_t>(a.bits().low() - cidr_.network().low());
  }
  constexpr Ipv4Cidr v4() const { return Ipv4Cidr(network().v4(), length()); }
  constexpr Ipv6Cidr v6() const {
    assert(!is_v4());
    return cidr_;
  }
  std::string ToString() const { return is_v4() ? v4().ToString() : cidr_.ToString(); }

  friend constexpr auto operator<=>(IpCidr, IpCidr) = default;

 private:
  static constexpr int kV4Offset = 96;

  Ipv6Cidr cidr_;
};

}  // namespace cnisim

template <>
struct std::hash<cnisim::IpAddress> {
  size_t operator()(cnisim::IpAddress a) const noexcept {
    return std::hash<cnisim::Ipv6Address>()(a.bits());
  }
};

template <>
struct std::hash<cnisim::IpCidr> {
  size_t operator()(cnisim::IpCidr c) const noexcept {
    return cnisim::HashMix(std::hash<cnisim::IpAddress>()(c.network()) ^
                           static_cast<uint64_t>(c.length()));
  }
};

#endif  // CNISIM_CORE_NET_IP_H_
