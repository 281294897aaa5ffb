#include "sim/cloud/subnet_allocator.h"

#include <fmt/format.h>

#include <bit>
#include <cassert>

#include "core/ports/ec2_api.h"

namespace cnisim {
namespace {

constexpr uint16_t kFirstFour = 0x000f;
constexpr uint16_t kLast = 0x8000;

std::vector<uint16_t> InitialBlocks(Ipv4Cidr cidr) {
  assert(cidr.length() >= 8 && cidr.length() <= kPrefixLength);
  std::vector<uint16_t> blocks(cidr.size() / kAddressesPerPrefix);
  blocks.front() |= kFirstFour;
  blocks.back() |= kLast;
  return blocks;
}

uint32_t FreeOf(uint16_t block) {
  return static_cast<uint32_t>(kAddressesPerPrefix - std::popcount(block));
}

std::vector<uint32_t> FreeCounts(const std::vector<uint16_t>& blocks) {
  std::vector<uint32_t> counts;
  counts.reserve(blocks.size());
  for (const uint16_t block : blocks) counts.push_back(FreeOf(block));
  return counts;
}

std::vector<uint32_t> WholeCounts(const std::vector<uint16_t>& blocks) {
  std::vector<uint32_t> counts;
  counts.reserve(blocks.size());
  for (const uint16_t block : blocks) counts.push_back(block == 0 ? 1 : 0);
  return counts;
}

}  // namespace

SubnetAllocator::SubnetAllocator(Ipv4Cidr cidr, RandomStream stream)
    : cidr_(cidr),
      stream_(stream),
      taken_(InitialBlocks(cidr)),
      is_prefix_(taken_.size()),
      free_(FreeCounts(taken_)),
      whole_(WholeCounts(taken_)) {}

void SubnetAllocator::Change(size_t block, Block to) {
  const Block from = taken_[block];
  taken_[block] = to;
  free_.Add(block, static_cast<int>(FreeOf(to)) - static_cast<int>(FreeOf(from)));
  const int whole = (to == 0 ? 1 : 0) - (from == 0 ? 1 : 0);
  if (whole != 0) whole_.Add(block, whole);
}

Ipv4Address SubnetAllocator::TakeRank(uint64_t rank) {
  const RankTree::Position at = free_.Find(rank);
  auto candidates = static_cast<uint32_t>(static_cast<Block>(~taken_[at.index]));
  for (uint32_t i = 0; i < at.offset; ++i) candidates &= candidates - 1;
  const auto bit = static_cast<uint32_t>(std::countr_zero(candidates));
  Change(at.index, static_cast<Block>(taken_[at.index] | 1u << bit));
  return AddressAt(at.index, bit);
}

Result<std::vector<Ipv4Address>> SubnetAllocator::AllocateAddresses(int count) {
  if (count > free_count()) {
    return Fail(
        std::string(ec2_error::kInsufficientFreeAddresses),
        fmt::format("{} has {} free addresses, {} wanted", cidr_.ToString(), free_count(), count));
  }
  std::vector<Ipv4Address> addresses;
  addresses.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    addresses.push_back(TakeRank(stream_.NextBelow(free_.total())));
  }
  return addresses;
}

Result<std::vector<Ipv4Cidr>> SubnetAllocator::AllocatePrefixes(int count) {
  if (count > free_prefixes()) {
    return Fail(std::string(ec2_error::kInsufficientCidrBlocks),
                fmt::format("{} has {} free /28 blocks, {} wanted", cidr_.ToString(),
                            free_prefixes(), count));
  }
  std::vector<Ipv4Cidr> prefixes;
  prefixes.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    const size_t block = whole_.Find(stream_.NextBelow(whole_.total())).index;
    Change(block, kFull);
    is_prefix_[block] = 1;
    prefixes.push_back(Ipv4Cidr(AddressAt(block, 0), kPrefixLength));
  }
  return prefixes;
}

bool SubnetAllocator::Release(Ipv4Address address) {
  if (!IsTaken(address) || IsReserved(address)) return false;
  const size_t block = BlockOf(address);
  if (is_prefix_[block] != 0) return false;
  const uint32_t bit = address.bits() % kAddressesPerPrefix;
  Change(block, static_cast<Block>(taken_[block] & ~(1u << bit)));
  return true;
}

bool SubnetAllocator::Release(Ipv4Cidr prefix) {
  if (prefix.length() != kPrefixLength || !cidr_.Contains(prefix)) return false;
  const size_t block = BlockOf(prefix.network());
  if (is_prefix_[block] == 0) return false;
  is_prefix_[block] = 0;
  Change(block, 0);
  return true;
}

void SubnetAllocator::Occupy(int64_t count, UsedLayout layout) {
  assert(count <= free_count());
  for (int64_t i = 0; i < count; ++i) {
    TakeRank(layout == UsedLayout::kDense ? 0 : stream_.NextBelow(free_.total()));
  }
}

bool SubnetAllocator::IsReserved(Ipv4Address address) const {
  const uint32_t offset = address.bits() - cidr_.network().bits();
  return cidr_.Contains(address) && (offset < 4 || address == cidr_.last());
}

bool SubnetAllocator::IsTaken(Ipv4Address address) const {
  if (!cidr_.Contains(address)) return false;
  return (taken_[BlockOf(address)] >> address.bits() % kAddressesPerPrefix & 1) != 0;
}

bool SubnetAllocator::CountsAreRight() const {
  uint64_t free = 0;
  uint64_t whole = 0;
  for (size_t i = 0; i < taken_.size(); ++i) {
    free += FreeOf(taken_[i]);
    whole += taken_[i] == 0 ? 1 : 0;
    if (is_prefix_[i] != 0 && taken_[i] != kFull) return false;
  }
  return free == free_.total() && whole == whole_.total();
}

}  // namespace cnisim
