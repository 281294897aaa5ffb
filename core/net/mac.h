// A 48-bit Ethernet address as a value: trivially copyable, ordered, constexpr but for its text.
// Text is six pairs of lower-case hex digits, as Linux prints it.
#ifndef CNISIM_CORE_NET_MAC_H_
#define CNISIM_CORE_NET_MAC_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cnisim {

class MacAddress {
 public:
  constexpr MacAddress() = default;
  // The lower 48 bits of `bits`: 02:00:00:00:00:01 is 0x020000000001.
  explicit constexpr MacAddress(uint64_t bits) : bits_(bits & 0xffffffffffff) {}

  // Of random bits: unicast, and of no manufacturer.
  static constexpr MacAddress LocallyAdministered(uint64_t random) {
    return MacAddress((random & 0xfcffffffffff) | 0x020000000000);
  }
  // nullopt if malformed. Upper-case digits are read too.
  static std::optional<MacAddress> Parse(std::string_view text);

  constexpr uint64_t bits() const { return bits_; }
  std::string ToString() const;

  friend constexpr auto operator<=>(MacAddress, MacAddress) = default;

 private:
  uint64_t bits_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_NET_MAC_H_
