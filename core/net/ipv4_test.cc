#include "core/net/ipv4.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

TEST(Ipv4Address, TextRoundTrips) {
  for (const char* text : {"0.0.0.0", "10.0.0.1", "255.255.255.255", "192.168.17.254"}) {
    const auto address = Ipv4Address::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(Ipv4Address::Parse("1.2.3.4"), Ipv4Address(1, 2, 3, 4));
  EXPECT_EQ(Ipv4Address(1, 2, 3, 4).bits(), 0x01020304u);
}

TEST(Ipv4Address, RejectsWhatIsNotAnAddress) {
  for (const char* text : {"", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3",
                           " 1.2.3.4", "1.2.3.4 ", "-1.2.3.4", "+1.2.3.4", "1.2.3.x", "1.2.3."}) {
    EXPECT_FALSE(Ipv4Address::Parse(text)) << text;
  }
}

TEST(Ipv4Cidr, TextRoundTripsAndHostBitsAreRejected) {
  for (const char* text : {"10.0.0.0/16", "10.0.0.16/28", "1.2.3.4/32", "0.0.0.0/0"}) {
    const auto cidr = Ipv4Cidr::Parse(text);
    ASSERT_TRUE(cidr) << text;
    EXPECT_EQ(cidr->ToString(), text);
  }
  for (const char* text : {"10.0.0.1/16", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08",
                           "10.0.0.0/-1", "/8", "10.0.0.0/8 "}) {
    EXPECT_FALSE(Ipv4Cidr::Parse(text)) << text;
  }
}

TEST(Ipv4Cidr, AgreesWithCountingAddresses) {
  // Every pair of blocks inside a /28, against membership address by address.
  const Ipv4Cidr world(Ipv4Address(10, 0, 0, 0), 28);
  for (int la = 28; la <= 32; ++la) {
    for (uint32_t a = 0; a < 16; a += 1u << (32 - la)) {
      const Ipv4Cidr x(world.network().Offset(a), la);
      EXPECT_EQ(x.size(), uint64_t{1} << (32 - la));
      EXPECT_EQ(x.last(), x.network().Offset(static_cast<uint32_t>(x.size() - 1)));
      for (int lb = 28; lb <= 32; ++lb) {
        for (uint32_t b = 0; b < 16; b += 1u << (32 - lb)) {
          const Ipv4Cidr y(world.network().Offset(b), lb);
          uint64_t common = 0;
          for (uint32_t i = 0; i < 16; ++i) {
            const Ipv4Address address = world.network().Offset(i);
            common += x.Contains(address) && y.Contains(address);
          }
          EXPECT_EQ(x.Overlaps(y), common > 0);
          EXPECT_EQ(x.Contains(y), common == y.size());
        }
      }
    }
  }
}

}  // namespace
}  // namespace cnisim
