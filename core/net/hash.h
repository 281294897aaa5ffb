// One 64-bit mixer and one hash of names, for hash tables, digests and derived random streams.
#ifndef CNISIM_CORE_NET_HASH_H_
#define CNISIM_CORE_NET_HASH_H_

#include <cstdint>
#include <string_view>

namespace cnisim {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which every input bit
// reaches every output bit. Same value on every platform.
constexpr uint64_t HashMix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// FNV-1a, 64 bits (Fowler, Noll, Vo): offset basis and prime as in draft-eastlake-fnv.
constexpr uint64_t HashName(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

}  // namespace cnisim

#endif  // CNISIM_CORE_NET_HASH_H_
