// IPv4 addresses and CIDR blocks as plain values.
//
// Both types are trivially copyable, totally ordered (numerically) and hashable; everything but
// text is constexpr. Text is canonical dotted-quad; a /32 prints with its length, as the VPC CNI's
// datastore keys do.
#ifndef CNISIM_CORE_NET_IPV4_H_
#define CNISIM_CORE_NET_IPV4_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/hash.h"

namespace cnisim {

class Ipv4Address {
 public:
  constexpr Ipv4Address() = default;
  // `bits` in host order: 10.0.0.1 is 0x0a000001.
  explicit constexpr Ipv4Address(uint32_t bits) : bits_(bits) {}
  constexpr Ipv4Address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
      : bits_(uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d) {}

  // Accepts exactly four decimal numbers without leading zeros; nullopt otherwise.
  static std::optional<Ipv4Address> Parse(std::string_view text);

  constexpr uint32_t bits() const { return bits_; }
  // The address `n` further on, modulo 2^32.
  constexpr Ipv4Address Offset(uint32_t n) const { return Ipv4Address(bits_ + n); }
  std::string ToString() const;

  friend constexpr auto operator<=>(Ipv4Address, Ipv4Address) = default;

 private:
  uint32_t bits_ = 0;
};

// A network and its length. Invariant: no host bit of `network` is set.
class Ipv4Cidr {
 public:
  constexpr Ipv4Cidr() = default;
  // Masks `address` down to `length` bits. Requires length <= 32.
  constexpr Ipv4Cidr(Ipv4Address address, int length)
      : network_(address.bits() & Mask(length)), length_(static_cast<uint8_t>(length)) {}
  // The /32 of one address.
  explicit constexpr Ipv4Cidr(Ipv4Address address) : Ipv4Cidr(address, 32) {}

  // "10.0.0.0/16". nullopt if malformed, longer than 32, or if host bits are set.
  static std::optional<Ipv4Cidr> Parse(std::string_view text);

  constexpr Ipv4Address network() const { return network_; }
  constexpr int length() const { return length_; }
  // Number of addresses, 1 to 2^32.
  constexpr uint64_t size() const { return uint64_t{1} << (32 - length_); }
  constexpr Ipv4Address last() const { return Ipv4Address(network_.bits() | ~Mask(length_)); }
  constexpr bool Contains(Ipv4Address a) const {
    return (a.bits() & Mask(length_)) == network_.bits();
  }
  constexpr bool Contains(Ipv4Cidr other) const {
    return other.length_ >= length_ && Contains(other.network_);
  }
  constexpr bool Overlaps(Ipv4Cidr other) const { return Contains(other) || other.Contains(*this); }
  std::string ToString() const;

  friend constexpr auto operator<=>(Ipv4Cidr, Ipv4Cidr) = default;

 private:
  static constexpr uint32_t Mask(int length) {
    return length == 0 ? 0 : ~uint32_t{0} << (32 - length);
  }

  Ipv4Address network_;
  uint8_t length_ = 32;
};

}  // namespace cnisim

template <>
struct std::hash<cnisim::Ipv4Address> {
  size_t operator()(cnisim::Ipv4Address a) const noexcept { return cnisim::HashMix(a.bits()); }
};

template <>
struct std::hash<cnisim::Ipv4Cidr> {
  size_t operator()(cnisim::Ipv4Cidr c) const noexcept {
    return cnisim::HashMix(uint64_t{c.network().bits()} << 8 | static_cast<uint64_t>(c.length()));
  }
};

#endif  // CNISIM_CORE_NET_IPV4_H_
