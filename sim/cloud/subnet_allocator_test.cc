#include "sim/cloud/subnet_allocator.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace cnisim {
namespace {

RandomStream Stream(uint64_t seed) { return RandomStream(seed, "subnet", "test"); }

SubnetAllocator Make(std::string_view cidr, uint64_t seed = 1) {
  return SubnetAllocator(*Ipv4Cidr::Parse(cidr), Stream(seed));
}

// The slow twin: a set of free addresses.
struct SlowSubnet {
  explicit SlowSubnet(Ipv4Cidr c) : cidr(c) {
    for (uint64_t i = 4; i + 1 < c.size(); ++i) {
      free.insert(c.network().Offset(static_cast<uint32_t>(i)));
    }
  }
  bool IsWhole(Ipv4Address first) const {
    for (uint32_t i = 0; i < 16; ++i) {
      if (!free.count(first.Offset(i))) return false;
    }
    return true;
  }
  int64_t WholeBlocks() const {
    int64_t n = 0;
    for (uint64_t i = 0; i < cidr.size(); i += 16) {
      n += IsWhole(cidr.network().Offset(static_cast<uint32_t>(i))) ? 1 : 0;
    }
    return n;
  }
  Ipv4Cidr cidr;
  std::set<Ipv4Address> free;
  std::vector<Ipv4Address> singles;
  std::vector<Ipv4Cidr> prefixes;
};

TEST(SubnetAllocator, FreshCounts) {
  for (int length = 8; length <= 28; ++length) {
    const SubnetAllocator subnet(Ipv4Cidr(Ipv4Address(10, 0, 0, 0), length), Stream(1));
    const int64_t size = int64_t{1} << (32 - length);
    EXPECT_EQ(subnet.free_count(), size - 5);
    EXPECT_EQ(subnet.free_prefixes(), std::max<int64_t>(0, size / 16 - 2));
  }
}

// Every set of taken addresses of a /28: right counts, and what is left is given out exactly once.
TEST(SubnetAllocator, EverySubsetOfASmallSubnet) {
  for (uint32_t keep = 0; keep < 1u << 11; ++keep) {
    SubnetAllocator subnet = Make("10.1.2.16/28", keep);
    ASSERT_TRUE(subnet.AllocateAddresses(11));
    std::set<Ipv4Address> expected;
    for (uint32_t i = 0; i < 11; ++i) {
      const Ipv4Address address = Ipv4Address(10, 1, 2, 16).Offset(4 + i);
      if ((keep >> i & 1) != 0) continue;
      ASSERT_TRUE(subnet.Release(address));
      ASSERT_FALSE(subnet.Release(address));
      expected.insert(address);
    }
    const auto n = static_cast<int>(expected.size());
    ASSERT_EQ(subnet.free_count(), n);
    ASSERT_EQ(subnet.free_prefixes(), 0);
    const auto too_many = subnet.AllocateAddresses(n + 1);
    ASSERT_FALSE(too_many);
    ASSERT_EQ(too_many.error().code, "InsufficientFreeAddressesInSubnet");
    ASSERT_EQ(subnet.free_count(), n);
    const auto rest = subnet.AllocateAddresses(n);
    ASSERT_TRUE(rest);
    ASSERT_EQ(std::set<Ipv4Address>(rest->begin(), rest->end()), expected);
    ASSERT_TRUE(subnet.CountsAreRight());
  }
}

TEST(SubnetAllocator, AgreesWithTheSlowTwin) {
  for (const std::string_view cidr : {"10.0.0.0/28", "10.0.0.32/27", "10.0.0.64/26", "10.0.1.0/25",
                                      "10.0.2.0/24", "10.4.0.0/21"}) {
    SubnetAllocator fast = Make(cidr, 3);
    SlowSubnet slow(*Ipv4Cidr::Parse(cidr));
    RandomStream random(5, cidr, "ops");
    for (int step = 0; step < 3000; ++step) {
      // Long phases that fill and that drain.
      const bool fill = (step / 300) % 2 == 0;
      const uint64_t op = random.NextBelow(10);
      if (op < (fill ? 5u : 2u)) {
        const auto n = static_cast<int>(random.NextBelow(12));
        const auto got = fast.AllocateAddresses(n);
        ASSERT_EQ(got.has_value(), n <= static_cast<int>(slow.free.size()));
        if (!got) continue;
        ASSERT_EQ(got->size(), static_cast<size_t>(n));
        for (const Ipv4Address a : *got) {
          ASSERT_EQ(slow.free.erase(a), 1u);
          slow.singles.push_back(a);
        }
      } else if (op < (fill ? 7u : 3u)) {
        const auto n = static_cast<int>(random.NextBelow(3));
        const auto got = fast.AllocatePrefixes(n);
        ASSERT_EQ(got.has_value(), n <= slow.WholeBlocks());
        if (!got) {
          ASSERT_EQ(got.error().code, "InsufficientCidrBlocks");
          continue;
        }
        for (const Ipv4Cidr p : *got) {
          ASSERT_EQ(p.length(), 28);
          ASSERT_TRUE(slow.IsWhole(p.network()));
          for (uint32_t i = 0; i < 16; ++i) slow.free.erase(p.network().Offset(i));
          slow.prefixes.push_back(p);
        }
      } else if (op < 9) {
        if (slow.singles.empty()) continue;
        std::swap(slow.singles[random.NextBelow(slow.singles.size())], slow.singles.back());
        ASSERT_TRUE(fast.Release(slow.singles.back()));
        slow.free.insert(slow.singles.back());
        slow.singles.pop_back();
      } else {
        if (slow.prefixes.empty()) continue;
        std::swap(slow.prefixes[random.NextBelow(slow.prefixes.size())], slow.prefixes.back());
        const Ipv4Cidr p = slow.prefixes.back();
        ASSERT_FALSE(fast.Release(p.network()));  // only as a whole
        ASSERT_TRUE(fast.Release(p));
        ASSERT_FALSE(fast.Release(p));
        for (uint32_t i = 0; i < 16; ++i) slow.free.insert(p.network().Offset(i));
        slow.prefixes.pop_back();
      }
      ASSERT_EQ(fast.free_count(), static_cast<int64_t>(slow.free.size()));
      ASSERT_EQ(fast.free_prefixes(), slow.WholeBlocks());
    }
    ASSERT_TRUE(fast.CountsAreRight());
  }
}

TEST(SubnetAllocator, ReservedAndForeignAddressesAreNeverReleased) {
  SubnetAllocator subnet = Make("10.0.0.0/24");
  for (const uint8_t last : {0, 1, 2, 3, 255}) {
    EXPECT_TRUE(subnet.IsReserved(Ipv4Address(10, 0, 0, last)));
    EXPECT_TRUE(subnet.IsTaken(Ipv4Address(10, 0, 0, last)));
    EXPECT_FALSE(subnet.Release(Ipv4Address(10, 0, 0, last)));
  }
  EXPECT_FALSE(subnet.IsReserved(Ipv4Address(10, 0, 0, 4)));
  EXPECT_FALSE(subnet.Release(Ipv4Address(10, 0, 1, 7)));
  EXPECT_FALSE(subnet.Release(*Ipv4Cidr::Parse("10.0.1.16/28")));
  EXPECT_FALSE(subnet.Release(*Ipv4Cidr::Parse("10.0.0.16/28")));
  EXPECT_EQ(subnet.free_count(), 251);
}

// Free addresses are plenty, but every aligned block has one taken.
TEST(SubnetAllocator, FragmentedSubnetHasNoPrefix) {
  SubnetAllocator subnet = Make("10.0.0.0/24");
  ASSERT_TRUE(subnet.AllocateAddresses(251));
  for (uint32_t i = 0; i < 256; ++i) {
    if (i % 16 != 8) subnet.Release(Ipv4Address(10, 0, 0, 0).Offset(i));
  }
  EXPECT_EQ(subnet.free_count(), 251 - 16);
  EXPECT_EQ(subnet.AllocatePrefixes(1).error().code, "InsufficientCidrBlocks");
  EXPECT_TRUE(subnet.Release(Ipv4Address(10, 0, 0, 40)));
  EXPECT_EQ(subnet.AllocatePrefixes(1)->front(), *Ipv4Cidr::Parse("10.0.0.32/28"));
}

TEST(SubnetAllocator, EveryFreeAddressIsEquallyLikely) {
  std::map<Ipv4Address, int> single;
  std::map<Ipv4Cidr, int> prefix;
  constexpr int kRounds = 11'000;
  for (uint64_t seed = 0; seed < kRounds; ++seed) {
    ++single[Make("10.0.0.0/28", seed).AllocateAddresses(1)->front()];
    ++prefix[Make("10.0.0.0/25", seed).AllocatePrefixes(1)->front()];
  }
  ASSERT_EQ(single.size(), 11u);
  ASSERT_EQ(prefix.size(), 6u);
  // Chi-square at p = 1e-6: 48.4 for 10 degrees of freedom, 35.9 for 5.
  const auto chi_square = [](const auto& counts) {
    const double expected = static_cast<double>(kRounds) / static_cast<double>(counts.size());
    double sum = 0;
    for (const auto& [key, n] : counts) sum += (n - expected) * (n - expected) / expected;
    return sum;
  };
  EXPECT_LT(chi_square(single), 48.4);
  EXPECT_LT(chi_square(prefix), 35.9);
}

TEST(SubnetAllocator, OccupiedAtStart) {
  SubnetAllocator dense = Make("10.0.0.0/24");
  dense.Occupy(12, UsedLayout::kDense);
  EXPECT_EQ(dense.free_count(), 251 - 12);
  EXPECT_EQ(dense.free_prefixes(), 14);  // 10.0.0.0/28 had none to lose
  EXPECT_TRUE(dense.IsTaken(Ipv4Address(10, 0, 0, 15)));
  EXPECT_FALSE(dense.IsTaken(Ipv4Address(10, 0, 0, 16)));

  SubnetAllocator scattered = Make("10.0.0.0/24");
  scattered.Occupy(60, UsedLayout::kScattered);
  EXPECT_EQ(scattered.free_count(), 251 - 60);
  EXPECT_LT(scattered.free_prefixes(), 6);  // (1 - 16/251)^60 of 14 are expected to survive
  EXPECT_TRUE(scattered.CountsAreRight());

  SubnetAllocator full = Make("10.0.0.0/24");
  full.Occupy(251, UsedLayout::kScattered);
  EXPECT_FALSE(full.AllocateAddresses(1));
}

TEST(SubnetAllocator, SameSeedSameAddresses) {
  SubnetAllocator a = Make("10.0.0.0/16", 9);
  SubnetAllocator b = Make("10.0.0.0/16", 9);
  SubnetAllocator c = Make("10.0.0.0/16", 10);
  const auto of_a = *a.AllocateAddresses(100);
  EXPECT_EQ(of_a, *b.AllocateAddresses(100));
  EXPECT_NE(of_a, *c.AllocateAddresses(100));
}

}  // namespace
}  // namespace cnisim
