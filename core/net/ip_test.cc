#include "core/net/ip.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

TEST(IpAddress, KeepsFamilyTextAndOrder) {
  const IpAddress v4 = Ipv4Address(10, 0, 0, 1);
  const IpAddress v6 = *Ipv6Address::Parse("2001:db8::1");
  EXPECT_TRUE(v4.is_v4());
  EXPECT_FALSE(v6.is_v4());
  EXPECT_EQ(v4.v4(), Ipv4Address(10, 0, 0, 1));
  EXPECT_EQ(v4.ToString(), "10.0.0.1");
  EXPECT_EQ(v6.ToString(), "2001:db8::1");
  EXPECT_EQ(IpAddress::Parse("10.0.0.1"), v4);
  EXPECT_EQ(IpAddress::Parse("2001:db8::1"), v6);
  EXPECT_FALSE(IpAddress::Parse("10.0.0"));
  EXPECT_LT(IpAddress(Ipv4Address(9, 255, 0, 0)), v4);
  EXPECT_LT(v4, v6);
  EXPECT_EQ(v4.Offset(255).ToString(), "10.0.1.0");
  EXPECT_EQ(IpAddress(), IpAddress(Ipv4Address()));
}

TEST(IpCidr, IsItsFamilysBlock) {
  const IpCidr prefix = Ipv4Cidr(Ipv4Address(10, 0, 0, 16), 28);
  EXPECT_EQ(prefix.ToString(), "10.0.0.16/28");
  EXPECT_EQ(prefix.length(), 28);
  EXPECT_EQ(prefix.size(), 16);
  EXPECT_TRUE(prefix.Contains(Ipv4Address(10, 0, 0, 31)));
  EXPECT_FALSE(prefix.Contains(Ipv4Address(10, 0, 0, 32)));
  EXPECT_EQ(prefix.OffsetOf(Ipv4Address(10, 0, 0, 31)), 15);
  EXPECT_EQ(prefix.v4(), Ipv4Cidr(Ipv4Address(10, 0, 0, 16), 28));

  const IpCidr v6 = *IpCidr::Parse("2001:db8:0:0:1::/80");
  EXPECT_FALSE(v6.is_v4());
  EXPECT_EQ(v6.length(), 80);
  EXPECT_EQ(v6.size(), int64_t{1} << 48);
  EXPECT_EQ(v6.ToString(), "2001:db8:0:0:1::/80");
  EXPECT_TRUE(v6.Contains(*IpAddress::Parse("2001:db8::1:0:0:7")));

  EXPECT_EQ(IpCidr(IpAddress(Ipv4Address(1, 2, 3, 4))).ToString(), "1.2.3.4/32");
  EXPECT_EQ(IpCidr::Parse("1.2.3.4/32"), IpCidr(IpAddress(Ipv4Address(1, 2, 3, 4))));
  EXPECT_LT(prefix, v6);
  EXPECT_FALSE(IpCidr::Parse("10.0.0.1/28"));
}

}  // namespace
}  // namespace cnisim
