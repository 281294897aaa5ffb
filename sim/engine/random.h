// Random streams: every entity draws from its own, derived from (seed, entity, purpose).
//
// No stream is shared, so adding an entity or a policy leaves every other entity's draws alone. The
// generator is xoshiro256** 1.0 (Blackman and Vigna 2018), seeded by SplitMix64 as its authors
// advise; names are hashed with FNV-1a (64 bits). Only integer arithmetic and exact conversions:
// the same bits on every compiler. Every draw is O(1).
#ifndef CNISIM_SIM_ENGINE_RANDOM_H_
#define CNISIM_SIM_ENGINE_RANDOM_H_

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <string_view>

#include "core/net/hash.h"

namespace cnisim {

// 64 bits to a double in [0, 1): the upper 53 bits.
constexpr double UnitDouble(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view entity, std::string_view purpose)
      : RandomStream(seed, HashName(entity), HashName(purpose)) {}
  constexpr RandomStream(uint64_t seed, uint64_t entity_hash, uint64_t purpose_hash) {
    const uint64_t root = HashMix(HashMix(HashMix(seed) ^ entity_hash) ^ purpose_hash);
    for (uint64_t i = 0; i < 4; ++i) state_[i] = HashMix(root + i * 0x9e3779b97f4a7c15);
  }

  constexpr uint64_t NextU64() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // In [0, 1), a multiple of 2^-53.
  constexpr double NextDouble() { return UnitDouble(NextU64()); }

  // Unbiased in [0, n), n > 0: multiply and reject (Lemire 2019). Most often one draw.
  constexpr uint64_t NextBelow(uint64_t n) {
    assert(n > 0);
    unsigned __int128 product = static_cast<unsigned __int128>(NextU64()) * n;
    if (static_cast<uint64_t>(product) < n) {
      const uint64_t reject_below = -n % n;
      while (static_cast<uint64_t>(product) < reject_below) {
        product = static_cast<unsigned __int128>(NextU64()) * n;
      }
    }
    return static_cast<uint64_t>(product >> 64);
  }

  // True with probability p: never for p <= 0, always for p >= 1. One draw in any case.
  constexpr bool Bernoulli(double p) { return NextDouble() < p; }

 private:
  std::array<uint64_t, 4> state_{};
};

// A draw that depends on `tick` alone and not on how many were made before: leaving out the draw of
// an idle tick changes no later one.
constexpr uint64_t KeyedDraw(uint64_t seed, uint64_t entity_hash, uint64_t purpose_hash,
                             uint64_t tick) {
  return HashMix(HashMix(HashMix(HashMix(seed) ^ entity_hash) ^ purpose_hash) ^ HashMix(tick));
}

}  // namespace cnisim

#endif  // CNISIM_SIM_ENGINE_RANDOM_H_
