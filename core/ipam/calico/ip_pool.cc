#include "core/ipam/calico/ip_pool.h"

#include <fmt/format.h>

#include "core/ipam/calico/errors.h"

namespace cnisim {

std::string_view ToString(CalicoTunnel tunnel) {
  switch (tunnel) {
    case CalicoTunnel::kIpip:
      return "ipip";
    case CalicoTunnel::kVxlan:
      return "vxlan";
    case CalicoTunnel::kWireguard:
      return "wireguard";
  }
  return "";
}

Status ValidatePool(const IpPool& pool) {
  const auto fail = [&pool](std::string why) -> Status {
    return Fail(std::string(calico_error::kInvalidPool),
                fmt::format("pool \"{}\" ({}): {}", pool.name, pool.cidr.ToString(), why));
  };
  if (pool.name.empty()) return fail("a pool needs a name");
  if (pool.allowed_uses.empty()) return fail("allowedUses names no use");
  if (pool.block_size < kMinBlockSize || pool.block_size > kMaxBlockSize) {
    return fail(fmt::format("blockSize {} is not between {} and {}", pool.block_size, kMinBlockSize,
                            kMaxBlockSize));
  }
  if (pool.block_size < pool.cidr.length()) {
    return fail(fmt::format("a /{} block is larger than the pool", pool.block_size));
  }
  if (uint64_t{1} << (pool.block_size - pool.cidr.length()) > kMaxBlocksPerPool) {
    return fail(fmt::format("more than {} blocks", kMaxBlocksPerPool));
  }
  if (pool.tunnel == CalicoTunnel::kWireguard) {
    return fail("WireGuard is a mode of the cluster, not of a pool");
  }
  return {};
}

}  // namespace cnisim
