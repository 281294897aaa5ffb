// An IPv4 pool of Calico and the grid of equal blocks that it is cut into.
//
// Block i of a pool is its i-th aligned range of 2^(32 - block_size) addresses; every address of a
// block can be assigned, the first and the last included (rule S4). Sizes: Calico v3.32, IPPool
// resource: blockSize 26 by default, 20 to 32 allowed, never larger than the pool; allowedUses
// Workload and Tunnel by default.
// Everything is O(1).
#ifndef CNISIM_CORE_IPAM_CALICO_IP_POOL_H_
#define CNISIM_CORE_IPAM_CALICO_IP_POOL_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/ipam/calico/selector.h"
#include "core/net/ipv4.h"
#include "core/ports/result.h"

namespace cnisim {

inline constexpr int kDefaultBlockSize = 26;
inline constexpr int kMinBlockSize = 20;
inline constexpr int kMaxBlockSize = 32;
// Blocks a pool may have at most: a /8 of single addresses. A bound of this implementation (the
// indices of a pool take three bits a block), not of Calico.
inline constexpr uint64_t kMaxBlocksPerPool = uint64_t{1} << 24;

// An encapsulation whose device takes an address of its own on every node (rule S6).
enum class CalicoTunnel { kIpip, kVxlan, kWireguard };
inline constexpr CalicoTunnel kCalicoTunnels[] = {CalicoTunnel::kIpip, CalicoTunnel::kVxlan,
                                                  CalicoTunnel::kWireguard};

// "ipip", "vxlan" or "wireguard".
std::string_view ToString(CalicoTunnel tunnel);

// What an address is for (allowedUses).
enum class PoolUse { kWorkload, kTunnel, kLoadBalancer };

struct IpPool {
  std::string name;
  Ipv4Cidr cidr;
  int block_size = kDefaultBlockSize;  // prefix length of a block
  bool enabled = true;
  // Mode of the pool, Always or CrossSubnet: IP-in-IP, VXLAN or none. WireGuard is no pool's.
  std::optional<CalicoTunnel> tunnel;
  // Who may take from it unasked (P2). A request that names the pool passes over these three.
  bool automatic = true;  // assignmentMode Automatic, not Manual
  Selector node_selector;
  Selector namespace_selector;
  std::set<PoolUse> allowed_uses = {PoolUse::kWorkload, PoolUse::kTunnel};  // P3

  uint32_t block_count() const { return uint32_t{1} << (block_size - cidr.length()); }
  // Requires index < block_count().
  Ipv4Cidr BlockAt(uint32_t index) const {
    return Ipv4Cidr(cidr.network().Offset(index << (32 - block_size)), block_size);
  }
  // Which block holds `address`. Requires cidr.Contains(address).
  uint32_t BlockIndexOf(Ipv4Address address) const {
    return (address.bits() - cidr.network().bits()) >> (32 - block_size);
  }

  friend bool operator==(const IpPool&, const IpPool&) = default;
};

// kInvalidPool: no name, no use, block size outside 20..32 or larger than the pool, too many
// blocks.
Status ValidatePool(const IpPool& pool);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CALICO_IP_POOL_H_
