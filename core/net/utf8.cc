#include "core/net/utf8.h"

namespace cnisim {

// Table 3-7 of the Unicode standard: only the second byte's range depends on the first.
size_t Utf8CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto within = [&](size_t i, int low, int high) {
    return i < text.size() && low <= byte(i) && byte(i) <= high;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return within(1, 0x80, 0xbf) ? 2 : 0;
  const int low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const int high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (!within(1, low, high) || !within(2, 0x80, 0xbf)) return 0;
  if (first < 0xf0) return 3;
  return within(3, 0x80, 0xbf) ? 4 : 0;
}

}  // namespace cnisim
