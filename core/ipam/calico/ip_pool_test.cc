#include "core/ipam/calico/ip_pool.h"

#include <gtest/gtest.h>

#include "core/ipam/calico/errors.h"

namespace cnisim {
namespace {

IpPool Pool(const char* cidr, int block_size) {
  IpPool pool;
  pool.name = "p";
  pool.cidr = *Ipv4Cidr::Parse(cidr);
  pool.block_size = block_size;
  return pool;
}

TEST(IpPool, S1_DefaultBlockHas64Addresses) {
  const IpPool pool;
  EXPECT_EQ(pool.block_size, 26);
  EXPECT_EQ(Ipv4Cidr(Ipv4Address(), pool.block_size).size(), 64u);
}

TEST(IpPool, S2_BlockSizeIsBetween20And32AndFitsThePool) {
  for (int size = 0; size <= 33; ++size) {
    const Status status = ValidatePool(Pool("10.0.0.0/22", size));
    EXPECT_EQ(status.has_value(), size >= 22 && size <= 32) << size;
    if (!status) {
      EXPECT_EQ(status.error().code, calico_error::kInvalidPool);
    }
  }
  EXPECT_TRUE(ValidatePool(Pool("10.0.0.0/12", 20)));
  EXPECT_FALSE(ValidatePool(Pool("10.0.0.0/12", 19)));
}

TEST(IpPool, RefusesWhatItCannotIndex) {
  EXPECT_TRUE(ValidatePool(Pool("10.0.0.0/8", 32)));
  EXPECT_FALSE(ValidatePool(Pool("10.0.0.0/7", 32)));
  EXPECT_TRUE(ValidatePool(Pool("0.0.0.0/0", 24)));
  IpPool unnamed = Pool("10.0.0.0/16", 26);
  unnamed.name.clear();
  EXPECT_FALSE(ValidatePool(unnamed));
  IpPool wireguard = Pool("10.0.0.0/16", 26);
  wireguard.tunnel = CalicoTunnel::kWireguard;
  EXPECT_FALSE(ValidatePool(wireguard));
}

TEST(IpPool, S5_BlocksTileThePool) {
  for (const int size : {24, 26, 30, 32}) {
    const IpPool pool = Pool("10.1.4.0/24", size);
    ASSERT_EQ(pool.block_count(), 1u << (size - 24));
    uint32_t next = pool.cidr.network().bits();
    for (uint32_t i = 0; i < pool.block_count(); ++i) {
      const Ipv4Cidr block = pool.BlockAt(i);
      EXPECT_EQ(block.network().bits(), next);
      for (uint32_t a = 0; a < block.size(); ++a) {
        ASSERT_EQ(pool.BlockIndexOf(block.network().Offset(a)), i);
      }
      next += static_cast<uint32_t>(block.size());
    }
    EXPECT_EQ(next - 1, pool.cidr.last().bits());
  }
}

}  // namespace
}  // namespace cnisim
