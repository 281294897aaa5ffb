// A 64-bit digest of a set of ENIs and the pool items (secondary addresses and prefixes) on them,
// kept in O(1) a change: XOR together EniDigest of every ENI and PoolItemDigest of every item.
//
// Two sets of equal digest are taken to be equal; unequal sets collide with probability 2^-64.
// A /32 stands for one address. Same values on every platform.
#ifndef CNISIM_CORE_IPAM_POOL_DIGEST_H_
#define CNISIM_CORE_IPAM_POOL_DIGEST_H_

#include <cstdint>
#include <string_view>

#include "core/net/hash.h"
#include "core/net/ipv4.h"

namespace cnisim {

constexpr uint64_t EniDigest(std::string_view eni_id) { return HashMix(HashName(eni_id)); }

constexpr uint64_t PoolItemDigest(uint64_t eni_digest, Ipv4Cidr item) {
  return HashMix(eni_digest ^ HashMix(uint64_t{item.network().bits()} << 8 |
                                      static_cast<uint64_t>(item.length())));
}

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_POOL_DIGEST_H_
