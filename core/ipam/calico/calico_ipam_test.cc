// Rules of Calico's IPAM that speak of every host or of many blocks; the others are in vectors/.
#include "core/ipam/calico/calico_ipam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "core/ipam/calico/errors.h"
#include "core/ipam/calico/fnv.h"

namespace cnisim {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Ipv4Cidr Cidr(const char* text) { return *Ipv4Cidr::Parse(text); }

IpPool Pool(const char* cidr, int block_size) {
  IpPool pool;
  pool.name = "p";
  pool.cidr = Cidr(cidr);
  pool.block_size = block_size;
  return pool;
}

class CalicoIpamTest : public testing::Test {
 protected:
  void Start(const IpPool& pool, std::vector<Ipv4Cidr> reservations = {}) {
    store_ = std::make_unique<BlockStore>(std::move(reservations));
    ASSERT_TRUE(store_->AddPool(pool));
    ipam_ = std::make_unique<CalicoIpam>(*store_, CalicoIpamConfig{});
  }

  AssignReply Assign(const std::string& host, const std::string& handle) {
    AssignRequest request;
    request.host = host;
    request.handle = handle;
    return ipam_->AutoAssign(request, now_);
  }
  AssignedAddress MustAssign(const std::string& host, const std::string& handle) {
    const AssignReply reply = Assign(host, handle);
    EXPECT_TRUE(reply.status) << reply.status.error().message;
    return reply.status ? reply.addresses.front() : AssignedAddress{};
  }
  std::string Code(const AssignReply& reply) {
    return reply.status ? "ok" : reply.status.error().code;
  }
  // `count` addresses with handles prefix0, prefix1, ...
  void Fill(const std::string& host, const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) MustAssign(host, prefix + std::to_string(i));
  }

  std::unique_ptr<BlockStore> store_;
  std::unique_ptr<CalicoIpam> ipam_;
  TimePoint now_ = kTimeZero + seconds(1000);
};

TEST_F(CalicoIpamTest, C1_Fnv1IsTheHashOfTheHostName) {
  EXPECT_EQ(Fnv1("node-a"), 568266999u);
  EXPECT_EQ(Fnv1("node-b"), 568266996u);
  EXPECT_EQ(Fnv1("node-c"), 568266997u);
}

TEST_F(CalicoIpamTest, C1_AHostWalksAllBlocksOnceFromItsOwnStart) {
  const IpPool pool = Pool("10.0.0.0/26", 30);
  std::set<uint32_t> starts;
  for (int h = 0; h < 8; ++h) {
    const std::string host = "node-" + std::to_string(h);
    Start(pool);
    const uint32_t start = CalicoIpam::WalkStart(pool, host, now_);
    EXPECT_EQ(CalicoIpam::WalkStart(pool, host, now_ + seconds(5)), start);
    starts.insert(start);
    for (uint32_t i = 0; i < 16; ++i) {
      const AssignedAddress got = MustAssign(host, "p" + std::to_string(i * 4));
      EXPECT_EQ(got.block, pool.BlockAt((start + i) % 16));
      EXPECT_TRUE(got.block_claimed);
      for (int k = 1; k < 4; ++k) {
        EXPECT_FALSE(MustAssign(host, "p" + std::to_string(i * 4 + k)).block_claimed);
      }
    }
    EXPECT_EQ(Code(Assign(host, "late")), calico_error::kPoolsExhausted);
  }
  EXPECT_GE(starts.size(), 4u);
}

TEST_F(CalicoIpamTest, C1_WithBlocksOfOneAddressTheStartDependsOnTheTime) {
  const IpPool pool = Pool("10.0.0.0/24", 32);
  EXPECT_EQ(CalicoIpam::WalkStart(pool, "a", now_), CalicoIpam::WalkStart(pool, "b", now_));
  std::set<uint32_t> starts;
  for (int i = 0; i < 20; ++i) starts.insert(CalicoIpam::WalkStart(pool, "a", now_ + seconds(i)));
  EXPECT_GE(starts.size(), 10u);
}

TEST_F(CalicoIpamTest, B5_BorrowingReadsEveryBlockOnTheWay) {
  const IpPool pool = Pool("10.0.0.0/20", 26);
  Start(pool);
  for (uint32_t i = 0; i < 64; ++i) {
    const std::string host = "h" + std::to_string(i);
    ASSERT_TRUE(ipam_->ClaimBlock(host, pool.BlockAt(i), now_));
    Fill(host, host + "-", 64);
  }
  const AssignReply none = Assign("late", "x");
  EXPECT_EQ(Code(none), calico_error::kPoolsExhausted);
  // Configuration and node; then the walk. Nothing is written.
  EXPECT_EQ(none.cost, (DatastoreCost{2 + 64, 0, 4, 1 + 64}));

  const uint32_t start = CalicoIpam::WalkStart(pool, "late", now_);
  const uint32_t free = (start + 40) % 64;
  ipam_->Release("h" + std::to_string(free) + "-5", now_);
  const AssignReply got = Assign("late", "x");
  ASSERT_TRUE(got.status);
  EXPECT_EQ(got.addresses.front().address, pool.BlockAt(free).network().Offset(5));
  EXPECT_EQ(got.cost, (DatastoreCost{2 + 41 + 1, 2, 4, 1 + 64}));
}

TEST_F(CalicoIpamTest, Reservations_AreNoReadsOnABorrowersWalk) {
  const IpPool pool = Pool("10.0.0.0/27", 31);
  Start(pool, {Cidr("10.0.0.0/31"), Cidr("10.0.0.8/30"), Cidr("10.0.0.30/31")});
  const std::set<uint32_t> reserved{0, 4, 5, 15};
  for (uint32_t i = 0; i < 16; ++i) {
    if (reserved.contains(i)) continue;
    const std::string owner = "owner" + std::to_string(i);
    ASSERT_TRUE(ipam_->ClaimBlock(owner, pool.BlockAt(i), now_));
    Fill(owner, owner + "-", 2);
  }
  for (int h = 0; h < 40; ++h) {
    const std::string host = "node-" + std::to_string(h);
    for (const int free : {-1, 1, 6, 14}) {  // block with an address left
      if (free >= 0) ipam_->Release("owner" + std::to_string(free) + "-0", now_);
      int64_t visits = 0;
      for (uint32_t i = CalicoIpam::WalkStart(pool, host, now_), n = 0; n < 16; ++n, ++i) {
        if (!reserved.contains(i % 16)) ++visits;
        if (static_cast<int>(i % 16) == free) break;
      }
      const AssignReply reply = Assign(host, "guest");
      EXPECT_EQ(reply.status.has_value(), free >= 0);
      EXPECT_EQ(reply.cost.reads, 2 + visits + (free >= 0 ? 1 : 0));
      if (free < 0) continue;
      ipam_->Release("guest", now_);
      MustAssign("owner" + std::to_string(free), "owner" + std::to_string(free) + "-0");
    }
  }
}

TEST_F(CalicoIpamTest, Failure_SlowClaimListsAllBlocksOfTheCluster) {
  const IpPool pool = Pool("10.0.0.0/16", 26);
  Start(pool);
  for (int n = 0; n < 500; ++n) {
    const std::string host = "n" + std::to_string(n);
    const AssignReply reply = Assign(host, host);
    EXPECT_EQ(reply.cost.listed_items, 1 + n);  // the pool and the blocks
    EXPECT_EQ(reply.cost.calls(), 12);
  }
}

TEST_F(CalicoIpamTest, CheckInvariantsSeesHandlesThatDisagree) {
  Start(Pool("10.0.0.0/29", 30));
  const Ipv4Cidr block = MustAssign("n", "x").block;
  ASSERT_THAT(store_->CheckInvariants(), IsEmpty());
  store_->IncrementHandle("x", block, 1, 1);
  EXPECT_THAT(store_->CheckInvariants(), SizeIs(1));
  store_->DecrementHandle("x", block, 2, false);
  EXPECT_THAT(store_->CheckInvariants(), SizeIs(1));
  store_->IncrementHandle("ghost", block, 1, 1);
  EXPECT_THAT(store_->CheckInvariants(), SizeIs(2));
}

}  // namespace
}  // namespace cnisim
