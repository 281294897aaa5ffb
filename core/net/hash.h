// One 64-bit mixer for hash tables and derived random streams.
#ifndef CNISIM_CORE_NET_HASH_H_
#define CNISIM_CORE_NET_HASH_H_

#include <cstdint>

namespace cnisim {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which every input bit
// reaches every output bit. Same value on every platform.
constexpr uint64_t HashMix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace cnisim

#endif  // CNISIM_CORE_NET_HASH_H_
