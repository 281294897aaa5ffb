#include "core/net/ipv6.h"

#include <gtest/gtest.h>

#include <random>

namespace cnisim {
namespace {

TEST(Ipv6Address, TextIsCanonical) {
  for (const auto& [text, canonical] : std::initializer_list<std::pair<const char*, const char*>>{
           {"::", "::"},
           {"::1", "::1"},
           {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
           {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
           {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
           {"fe80:ec2::1", "fe80:ec2::1"},
           {"2600:1f13:0:0:8000::", "2600:1f13:0:0:8000::"}}) {
    const auto address = Ipv6Address::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->ToString(), canonical);
  }
  EXPECT_EQ(Ipv6Address::Parse("2001:db8::7"), Ipv6Address(0x20010db800000000, 7));
}

TEST(Ipv6Address, RejectsWhatIsNotAnAddress) {
  for (const char* text : {"", ":", ":::", "1::2::3", "12345::", "::g", "fe80::1%eth0", "10.0.0.1",
                           " ::1", "::1 ", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_FALSE(Ipv6Address::Parse(text)) << text;
  }
  EXPECT_FALSE(Ipv6Address::Parse(std::string_view("::1\0", 4)));
}

TEST(Ipv6Address, RandomOnesRoundTripAndCarryIntoTheUpperHalf) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    // Half of the groups are zero, so that runs of zeros of every length come up.
    uint64_t half[2] = {random(), random()};
    for (uint64_t& bits : half) {
      for (int group = 0; group < 4; ++group) {
        if (random() % 2 == 0) bits &= ~(uint64_t{0xffff} << 16 * group);
      }
    }
    const Ipv6Address a(half[0], half[1]);
    EXPECT_EQ(Ipv6Address::Parse(a.ToString()), a);
  }
  EXPECT_EQ(Ipv6Address(1, ~uint64_t{0}).Offset(2), Ipv6Address(2, 1));
}

TEST(Ipv6Cidr, AgreesWithComparingBits) {
  std::mt19937_64 random(2);
  for (int length = 0; length <= 128; ++length) {
    const Ipv6Address a(random(), random());
    const Ipv6Cidr cidr(a, length);
    EXPECT_EQ(Ipv6Cidr::Parse(cidr.ToString()), cidr);
    EXPECT_TRUE(cidr.Contains(a));
    for (int bit = 0; bit < 128; ++bit) {
      const Ipv6Address flipped(bit < 64 ? a.high() ^ uint64_t{1} << (63 - bit) : a.high(),
                                bit < 64 ? a.low() : a.low() ^ uint64_t{1} << (127 - bit));
      EXPECT_EQ(cidr.Contains(flipped), bit >= length);
    }
  }
  for (const char* text : {"2001:db8::/", "2001:db8::/129", "2001:db8::1/80",
                           "2001:db8::", "2001:db8::/080", "2001:db8::/-1", "2001:db8::/80x"}) {
    EXPECT_FALSE(Ipv6Cidr::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace cnisim
