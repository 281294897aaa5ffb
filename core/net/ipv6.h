// IPv6 addresses and CIDR blocks as plain values.
//
// Both types are trivially copyable, totally ordered (numerically) and hashable; everything but
// text is constexpr. Text is written as RFC 5952 recommends and read as RFC 4291 section 2.2
// allows, without zones.
#ifndef CNISIM_CORE_NET_IPV6_H_
#define CNISIM_CORE_NET_IPV6_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/hash.h"

namespace cnisim {

class Ipv6Address {
 public:
  constexpr Ipv6Address() = default;
  // The upper and lower 64 bits, in host order.
  constexpr Ipv6Address(uint64_t high, uint64_t low) : high_(high), low_(low) {}

  // nullopt if malformed.
  static std::optional<Ipv6Address> Parse(std::string_view text);

  constexpr uint64_t high() const { return high_; }
  constexpr uint64_t low() const { return low_; }
  // The address `n` further on, modulo 2^128.
  constexpr Ipv6Address Offset(uint64_t n) const {
    const uint64_t low = low_ + n;
    return {high_ + (low < n ? 1 : 0), low};
  }
  std::string ToString() const;

  friend constexpr auto operator<=>(Ipv6Address, Ipv6Address) = default;

 private:
  uint64_t high_ = 0;
  uint64_t low_ = 0;
};

// A network and its length. Invariant: no host bit of `network` is set.
class Ipv6Cidr {
 public:
  constexpr Ipv6Cidr() = default;
  // Masks `address` down to `length` bits. Requires length <= 128.
  constexpr Ipv6Cidr(Ipv6Address address, int length)
      : network_(Mask(address, length)), length_(static_cast<uint8_t>(length)) {}

  // "2001:db8::/80". nullopt if malformed, longer than 128, or if host bits are set.
  static std::optional<Ipv6Cidr> Parse(std::string_view text);

  constexpr Ipv6Address network() const { return network_; }
  constexpr int length() const { return length_; }
  constexpr bool Contains(Ipv6Address a) const { return Mask(a, length_) == network_; }
  constexpr bool Contains(Ipv6Cidr other) const {
    return other.length_ >= length_ && Contains(other.network_);
  }
  std::string ToString() const;

  friend constexpr auto operator<=>(Ipv6Cidr, Ipv6Cidr) = default;

 private:
  static constexpr uint64_t Ones(int n) { return n <= 0 ? 0 : ~uint64_t{0} << (64 - n); }
  static constexpr Ipv6Address Mask(Ipv6Address a, int length) {
    return {a.high() & Ones(length < 64 ? length : 64), a.low() & Ones(length - 64)};
  }

  Ipv6Address network_;
  uint8_t length_ = 128;
};

}  // namespace cnisim

template <>
struct std::hash<cnisim::Ipv6Address> {
  size_t operator()(cnisim::Ipv6Address a) const noexcept {
    return cnisim::HashMix(a.low() ^ cnisim::HashMix(a.high()));
  }
};

template <>
struct std::hash<cnisim::Ipv6Cidr> {
  size_t operator()(cnisim::Ipv6Cidr c) const noexcept {
    return cnisim::HashMix(std::hash<cnisim::Ipv6Address>()(c.network()) ^
                           static_cast<uint64_t>(c.length()));
  }
};

#endif  // CNISIM_CORE_NET_IPV6_H_
