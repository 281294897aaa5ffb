// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#ifndef CNISIM_CORE_NET_UTF8_H_
#define CNISIM_CORE_NET_UTF8_H_

#include <cstddef>
#include <string_view>

namespace cnisim {

// Bytes of the character that `text`, which is not empty, begins with; 0 if that is not valid.
size_t Utf8CharacterLength(std::string_view text);

}  // namespace cnisim

#endif  // CNISIM_CORE_NET_UTF8_H_
