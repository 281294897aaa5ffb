#include "core/ipam/calico/block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "core/net/hash.h"

namespace cnisim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kStart = kTimeZero + std::chrono::seconds(5);

AllocationOwner Owner(const std::string& handle, const std::string& node = "a") {
  return AllocationOwner{handle, "default", handle, node, std::nullopt};
}

AllocationBlock Block(const char* cidr, std::vector<bool> reserved = {}) {
  return AllocationBlock(*Ipv4Cidr::Parse(cidr), "a", kStart, reserved);
}

TEST(Block, S4_EveryOrdinalIsUsableFirstAndLastIncluded) {
  AllocationBlock block = Block("10.0.0.64/26");
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(block.Assign(Owner("h" + std::to_string(i))), i);
  }
  EXPECT_EQ(block.AddressOf(0), Ipv4Address(10, 0, 0, 64));
  EXPECT_EQ(block.AddressOf(63), Ipv4Address(10, 0, 0, 127));
  EXPECT_EQ(block.Assign(Owner("late")), std::nullopt);
  EXPECT_EQ(block.available(), 0);
  EXPECT_THAT(block.CheckInvariants(), IsEmpty());
}

TEST(Block, A9_LeastRecentlyReleasedGoesFirst) {
  AllocationBlock block = Block("10.0.0.0/30");
  for (const char* handle : {"w", "x", "y"}) block.Assign(Owner(handle));
  block.Release(2, kStart, false);
  block.Release(0, kStart, false);
  EXPECT_THAT(block.FreeOrdinals(), ElementsAre(3, 2, 0));
  EXPECT_EQ(block.Assign(Owner("z")), 3);
  EXPECT_EQ(block.Assign(Owner("z")), 2);
  EXPECT_EQ(block.Assign(Owner("z")), 0);
}

TEST(Block, A9_ReservedOrdinalsArePassedOverAndKeepTheirPlace) {
  AllocationBlock block = Block("10.0.0.0/30", {true, false, true, false});
  EXPECT_EQ(block.available(), 2);
  EXPECT_EQ(block.Assign(Owner("x")), 1);
  EXPECT_EQ(block.Assign(Owner("y")), 3);
  EXPECT_EQ(block.Assign(Owner("z")), std::nullopt);
  EXPECT_THAT(block.FreeOrdinals(), ElementsAre(0, 2));
  block.Release(1, kStart, false);
  EXPECT_THAT(block.FreeOrdinals(), ElementsAre(0, 2, 1));
  EXPECT_EQ(block.Assign(Owner("z")), 1);
  EXPECT_THAT(block.CheckInvariants(), IsEmpty());
}

TEST(Block, A10_AllocationsRememberTheSequenceNumberBeforeTheirWrite) {
  AllocationBlock block = Block("10.0.0.0/30");
  EXPECT_EQ(block.sequence(), 5000000000u);
  block.Assign(Owner("x"));
  block.CountWrite();
  block.Assign(Owner("y"));
  block.CountWrite();
  EXPECT_EQ(block.SequenceOf(0), 5000000000u);
  EXPECT_EQ(block.SequenceOf(1), 5000000001u);
  EXPECT_EQ(block.sequence(), 5000000002u);
}

TEST(Block, A11_OwnersAreSharedOnlyIfTheyAreEqualInEverything) {
  AllocationBlock block = Block("10.0.0.0/29");
  AllocationOwner other_pod = Owner("x");
  other_pod.pod = "other";
  const AllocationOwner owners[] = {Owner("x", "a"), Owner("x", "b"), other_pod, Owner("x", "a")};
  for (const AllocationOwner& owner : owners) block.Assign(owner);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(*block.OwnerOf(i), owners[i]);
  EXPECT_EQ(block.OwnerOf(0), block.OwnerOf(3));
  block.Release(0, kStart, false);
  EXPECT_EQ(*block.OwnerOf(3), owners[3]);
  EXPECT_THAT(block.CheckInvariants(), IsEmpty());
}

TEST(Block, R3_AReleasedAddressCoolsUntilItIsReclaimed) {
  AllocationBlock block = Block("10.0.0.0/31");
  block.Assign(Owner("x"));
  block.Release(0, kStart, true);
  EXPECT_EQ(block.OwnerOf(0), nullptr);
  EXPECT_EQ(block.ReleasedAt(0), kStart);
  EXPECT_THAT(block.OrdinalsOf("x"), IsEmpty());
  EXPECT_FALSE(block.empty());
  EXPECT_EQ(block.Assign(Owner("y")), 1);
  EXPECT_EQ(block.Assign(Owner("y")), std::nullopt);
  block.Reclaim(0);
  EXPECT_EQ(block.Assign(Owner("y")), 0);
  EXPECT_THAT(block.CheckInvariants(), IsEmpty());
}

TEST(Block, BorrowedAreThoseOfOtherNodesAndAllOnceTheAffinityIsGone) {
  AllocationBlock block = Block("10.0.0.0/30");
  block.Assign(Owner("x", "a"));
  block.Assign(Owner("y", "b"));
  EXPECT_EQ(block.borrowed(), 1);
  block.DropAffinity();
  EXPECT_EQ(block.borrowed(), 2);
  block.Release(0, kStart, false);
  EXPECT_EQ(block.borrowed(), 1);
  EXPECT_THAT(block.CheckInvariants(), IsEmpty());
}

// Against a deque and a map. CheckInvariants covers A11: it reports equal attribute entries.
TEST(Block, AgreesWithANaiveBlockOverLongRuns) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<bool> reserved(16);
    for (int i = 0; i < 16; ++i) reserved[i] = seed % 2 == 1 && HashMix(seed * 16 + i) % 4 == 0;
    AllocationBlock block = Block("10.0.0.16/28", reserved);
    std::deque<int> free;
    for (int i = 0; i < 16; ++i) free.push_back(i);
    std::map<int, std::string> held;
    std::map<int, TimePoint> cooling;
    for (uint64_t step = 0; step < 1000; ++step) {
      const uint64_t draw = HashMix(seed << 32 | step);
      const TimePoint now = kStart + std::chrono::seconds(step / 4);
      if (draw % 2 == 0) {
        const std::string handle = "h" + std::to_string(draw / 2 % 5);
        std::optional<int> expected;
        for (size_t i = 0; i < free.size() && !expected; ++i) {
          if (!reserved[free[i]]) expected = free[i];
        }
        ASSERT_EQ(block.Assign(Owner(handle)), expected);
        if (expected) {
          std::erase(free, *expected);
          held[*expected] = handle;
        }
      } else if (draw % 4 == 1 && !held.empty()) {
        const int ordinal = std::next(held.begin(), draw / 4 % held.size())->first;
        const bool cool = draw >> 40 & 1;
        block.Release(ordinal, now, cool);
        held.erase(ordinal);
        if (cool) {
          cooling[ordinal] = now;
        } else {
          free.push_back(ordinal);
        }
      } else if (!cooling.empty()) {
        const int ordinal = cooling.begin()->first;
        block.Reclaim(ordinal);
        cooling.erase(ordinal);
        free.push_back(ordinal);
      }
      ASSERT_EQ(block.FreeOrdinals(), std::vector<int>(free.begin(), free.end()));
      for (int i = 0; i < 16; ++i) {
        const AllocationOwner* owner = block.OwnerOf(i);
        ASSERT_EQ(owner != nullptr, held.contains(i));
        if (owner != nullptr) {
          ASSERT_EQ(owner->handle, held[i]);
        }
        ASSERT_EQ(block.IsCooling(i), cooling.contains(i));
      }
      ASSERT_THAT(block.CheckInvariants(), IsEmpty());
    }
  }
}

}  // namespace
}  // namespace cnisim
