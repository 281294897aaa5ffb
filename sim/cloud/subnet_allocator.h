// The addresses of one subnet: who may have which, as EC2 gives them out.
//
// EC2 reserves the first four addresses and the last. A single address comes uniformly at random
// from all free ones, a prefix uniformly from the aligned /28 blocks that are wholly free; EC2
// documents no order, and addresses it hands out look scattered, which is what fragments a subnet.
// A released address or prefix may be given out again at once.
//
// Invariants: a reserved address is never given out; nothing is given out twice; a request for
// several gets all or nothing.
// Errors: InsufficientFreeAddressesInSubnet for addresses, InsufficientCidrBlocks for prefixes,
// also when many addresses are free but no aligned block is. Cost: O(log n) for each address or
// prefix given or taken back, with one random draw per item; 11 bytes per /28 block.
#ifndef CNISIM_SIM_CLOUD_SUBNET_ALLOCATOR_H_
#define CNISIM_SIM_CLOUD_SUBNET_ALLOCATOR_H_

#include <cstdint>
#include <vector>

#include "core/net/ipv4.h"
#include "core/ports/ec2_api.h"
#include "core/ports/result.h"
#include "sim/cloud/rank_tree.h"
#include "sim/cloud/spec.h"
#include "sim/engine/random.h"

namespace cnisim {

class SubnetAllocator {
 public:
  static constexpr int kReservedAddresses = 5;

  // Requires 8 <= cidr.length() <= 28 (EC2 allows /16 to /28).
  SubnetAllocator(Ipv4Cidr cidr, RandomStream stream);

  Ipv4Cidr cidr() const { return cidr_; }
  // AWS's AvailableIpAddressCount.
  int64_t free_count() const { return static_cast<int64_t>(free_.total()); }
  // Aligned /28 blocks that are wholly free.
  int64_t free_prefixes() const { return static_cast<int64_t>(whole_.total()); }

  Result<std::vector<Ipv4Address>> AllocateAddresses(int count);
  Result<std::vector<Ipv4Cidr>> AllocatePrefixes(int count);

  // False, and nothing happens, if it was not given out (as such).
  bool Release(Ipv4Address address);
  bool Release(Ipv4Cidr prefix);

  // Takes `count` free addresses for ever, for whatever else lives in the subnet: chosen at random,
  // or the lowest ones. Requires count <= free_count().
  void Occupy(int64_t count, UsedLayout layout);

  bool IsReserved(Ipv4Address address) const;
  // Reserved, or held by someone.
  bool IsTaken(Ipv4Address address) const;

  // Whether the counts equal a recount of the bitmaps. O(n).
  bool CountsAreRight() const;

 private:
  using Block = uint16_t;  // a bit per address of a /28, set when taken
  static constexpr Block kFull = 0xffff;

  size_t BlockOf(Ipv4Address a) const {
    return (a.bits() - cidr_.network().bits()) / kAddressesPerPrefix;
  }
  Ipv4Address AddressAt(size_t block, uint32_t bit) const {
    return cidr_.network().Offset(static_cast<uint32_t>(block) * kAddressesPerPrefix + bit);
  }
  // Adds or removes `bits` of a block and keeps the counts.
  void Change(size_t block, Block to);
  Ipv4Address TakeRank(uint64_t rank);

  Ipv4Cidr cidr_;
  RandomStream stream_;
  std::vector<Block> taken_;
  std::vector<uint8_t> is_prefix_;  // the block is held as a prefix
  RankTree free_;                   // free addresses of each block
  RankTree whole_;                  // 1 for a block that is wholly free
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_SUBNET_ALLOCATOR_H_
