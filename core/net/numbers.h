// Numbers in texts, read as the real agent and plugin read them: by Go's strconv.Atoi.
#ifndef CNISIM_CORE_NET_NUMBERS_H_
#define CNISIM_CORE_NET_NUMBERS_H_

#include <charconv>
#include <optional>
#include <string_view>

namespace cnisim {

// Decimal, with an optional sign; nullopt for anything else or beyond 32 bits.
inline std::optional<int> ParseInt(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace cnisim

#endif  // CNISIM_CORE_NET_NUMBERS_H_
