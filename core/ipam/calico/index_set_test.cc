#include "core/ipam/calico/index_set.h"

#include <gtest/gtest.h>

#include <set>

#include "core/net/hash.h"

namespace cnisim {
namespace {

std::optional<uint32_t> NextRound(const std::set<uint32_t>& set, uint32_t start) {
  if (set.empty()) return std::nullopt;
  const auto it = set.lower_bound(start);
  return it == set.end() ? *set.begin() : *it;
}

TEST(IndexSet, AgreesWithAnOrderedSetAtEverySizeNearAWordBoundary) {
  for (const uint32_t size : {1u, 2u, 63u, 64u, 65u, 4095u, 4096u, 4097u, 300000u}) {
    IndexSet fast(size);
    std::set<uint32_t> slow;
    for (uint64_t step = 0; step < 4000; ++step) {
      const uint64_t draw = HashMix(step * 31 + size);
      // Long runs of one kind make the set both sparse and dense.
      const bool insert = (step / 500) % 2 == 0 ? draw % 8 != 0 : draw % 8 == 0;
      const auto i = static_cast<uint32_t>((draw >> 16) % size);
      fast.Set(i, insert);
      insert ? (void)slow.insert(i) : (void)slow.erase(i);
      const auto start = static_cast<uint32_t>((draw >> 40) % size);
      ASSERT_EQ(fast.Contains(start), slow.contains(start));
      ASSERT_EQ(fast.NextRound(start), NextRound(slow, start)) << size << " from " << start;
      const auto next = slow.lower_bound(start);
      ASSERT_EQ(fast.NextFrom(start),
                next == slow.end() ? std::nullopt : std::optional<uint32_t>(*next));
    }
    for (const uint32_t i : std::set<uint32_t>(slow)) fast.Erase(i);
    EXPECT_EQ(fast.NextRound(0), std::nullopt);
    EXPECT_EQ(fast.NextFrom(size), std::nullopt);
  }
}

}  // namespace
}  // namespace cnisim
