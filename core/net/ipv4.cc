#include "core/net/ipv4.h"

#include <fmt/format.h>

#include <charconv>

namespace cnisim {
namespace {

// Parses a decimal number of at most `max` without sign or leading zeros from the front of `text`
// and removes it; nullopt if there is none.
std::optional<uint32_t> TakeNumber(std::string_view& text, uint32_t max) {
  uint32_t value = 0;
  const char* begin = text.data();
  const auto [end, error] = std::from_chars(begin, begin + text.size(), value);
  if (error != std::errc() || value > max) return std::nullopt;
  if (*begin == '0' && end - begin > 1) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - begin));
  return value;
}

}  // namespace

std::optional<Ipv4Address> Ipv4Address::Parse(std::string_view text) {
  uint32_t bits = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    if (text.empty()) return std::nullopt;
    const auto value = TakeNumber(text, 255);
    if (!value) return std::nullopt;
    bits = bits << 8 | *value;
  }
  if (!text.empty()) return std::nullopt;
  return Ipv4Address(bits);
}

std::string Ipv4Address::ToString() const {
  return fmt::format("{}.{}.{}.{}", bits_ >> 24, bits_ >> 16 & 255, bits_ >> 8 & 255, bits_ & 255);
}

std::optional<Ipv4Cidr> Ipv4Cidr::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = Ipv4Address::Parse(text.substr(0, slash));
  std::string_view rest = text.substr(slash + 1);
  if (!address || rest.empty()) return std::nullopt;
  const auto length = TakeNumber(rest, 32);
  if (!length || !rest.empty()) return std::nullopt;
  const Ipv4Cidr cidr(*address, static_cast<int>(*length));
  if (cidr.network() != *address) return std::nullopt;
  return cidr;
}

std::string Ipv4Cidr::ToString() const {
  return fmt::format("{}/{}", network_.ToString(), length_);
}

}  // namespace cnisim
