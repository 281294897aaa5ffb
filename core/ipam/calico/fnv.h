// FNV-1, 32 bits (Fowler, Noll, Vo): the seed of a host's walk over a pool (C1), and a quick way to
// tell handles apart.
#ifndef CNISIM_CORE_IPAM_CALICO_FNV_H_
#define CNISIM_CORE_IPAM_CALICO_FNV_H_

#include <cstdint>
#include <string_view>

namespace cnisim {

constexpr uint32_t Fnv1(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) {
    hash *= 16777619u;
    hash ^= static_cast<uint8_t>(c);
  }
  return hash;
}

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CALICO_FNV_H_
