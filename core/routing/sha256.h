// SHA-256 as FIPS 180-4 defines it; kube-proxy names its chains by it. Not for secrets.
#ifndef CNISIM_CORE_ROUTING_SHA256_H_
#define CNISIM_CORE_ROUTING_SHA256_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace cnisim {

std::array<uint8_t, 32> Sha256(std::string_view text);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_SHA256_H_
