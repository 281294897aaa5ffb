// A 64-bit digest of a set of ENIs and the pool items (secondary addresses and prefixes) on them,
// kept in O(1) a change: XOR together EniDigest of every ENI and PoolItemDigest of every item.
//
// Two sets of equal digest are taken to be equal; unequal sets collide with probability 2^-64.
// A block of one address stands for that address. Same values on every platform.
#ifndef CNISIM_CORE_IPAM_POOL_DIGEST_H_
#define CNISIM_CORE_IPAM_POOL_DIGEST_H_

#include <cstdint>
#include <string_view>

#include "core/net/hash.h"
#include "core/net/ip.h"

namespace cnisim {

constexpr uint64_t EniDigest(std::string_view eni_id) { return HashMix(HashName(eni_id)); }

inline uint64_t PoolItemDigest(uint64_t eni_digest, IpCidr item) {
  return HashMix(eni_digest ^ std::hash<IpCidr>()(item));
}

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_POOL_DIGEST_H_
