#include "core/net/mac.h"

#include <fmt/format.h>

#include <charconv>

namespace cnisim {

std::optional<MacAddress> MacAddress::Parse(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  uint64_t bits = 0;
  for (size_t i = 0; i < 17; i += 3) {
    if (i > 0 && text[i - 1] != ':') return std::nullopt;
    uint8_t byte = 0;
    const char* const end = text.data() + i + 2;
    const auto [stop, error] = std::from_chars(text.data() + i, end, byte, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    bits = bits << 8 | byte;
  }
  return MacAddress(bits);
}

std::string MacAddress::ToString() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bits_ >> 40, bits_ >> 32 & 0xff,
                     bits_ >> 24 & 0xff, bits_ >> 16 & 0xff, bits_ >> 8 & 0xff, bits_ & 0xff);
}

}  // namespace cnisim
