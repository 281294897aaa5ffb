// Characters of UTF-8 text.
#ifndef CNISIM_SIM_SCENARIO_UTF8_H_
#define CNISIM_SIM_SCENARIO_UTF8_H_

#include <cstddef>
#include <string_view>

namespace cnisim {

// The length of the UTF-8 sequence that `text` starts with; 0 if it is none (Unicode 15, table
// 3-7).
inline size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_UTF8_H_
