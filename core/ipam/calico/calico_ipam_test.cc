// The rules of Calico's IPAM one by one; a test's name begins with the id of the rule.
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
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

Ipv4Cidr Cidr(const char* text) { return *Ipv4Cidr::Parse(text); }
Ipv4Address Ip(const char* text) { return *Ipv4Address::Parse(text); }

IpPool Pool(std::string name, const char* cidr, int block_size,
            std::optional<CalicoTunnel> tunnel = std::nullopt) {
  return IpPool{std::move(name), Cidr(cidr), block_size, true, tunnel};
}

class CalicoIpamTest : public testing::Test {
 protected:
  void Start(std::vector<IpPool> pools, CalicoIpamConfig config = {},
             std::vector<Ipv4Cidr> reservations = {}) {
    store_ = std::make_unique<BlockStore>(std::move(reservations));
    for (IpPool& pool : pools) ASSERT_TRUE(store_->AddPool(std::move(pool)));
    ASSERT_TRUE(ValidateConfig(config));
    ipam_ = std::make_unique<CalicoIpam>(*store_, config);
  }
  void TearDown() override {
    if (store_ && !expect_violations_) {
      EXPECT_THAT(store_->CheckInvariants(), IsEmpty());
    }
  }

  AssignReply Assign(const std::string& host, const std::string& handle,
                     std::vector<std::string> pools = {}, int max_blocks = 0) {
    AssignRequest request;
    request.host = host;
    request.handle = handle;
    request.pod_namespace = "default";
    request.pod = handle;
    request.pools = std::move(pools);
    request.max_blocks = max_blocks;
    return ipam_->AutoAssign(request, now_);
  }
  AssignedAddress MustAssign(const std::string& host, const std::string& handle) {
    AssignReply reply = Assign(host, handle);
    EXPECT_TRUE(reply.address) << reply.address.error().message;
    return reply.address ? *reply.address : AssignedAddress{};
  }
  std::string Code(const AssignReply& reply) {
    return reply.address ? "ok" : reply.address.error().code;
  }
  // `count` addresses with handles prefix0, prefix1, ...
  void Fill(const std::string& host, const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) MustAssign(host, prefix + std::to_string(i));
  }

  std::unique_ptr<BlockStore> store_;
  std::unique_ptr<CalicoIpam> ipam_;
  TimePoint now_ = kTimeZero + seconds(1000);
  bool expect_violations_ = false;
};

const CalicoIpamConfig kStrict{.strict_affinity = true, .reclaim_empty_blocks = false};

TEST_F(CalicoIpamTest, S3_PoolsNeitherOverlapNorChange) {
  Start({Pool("p", "10.0.0.0/24", 26)});
  EXPECT_EQ(store_->AddPool(Pool("q", "10.0.0.128/25", 28)).error().code,
            calico_error::kInvalidPool);
  EXPECT_EQ(store_->AddPool(Pool("p", "10.1.0.0/24", 26)).error().code, calico_error::kInvalidPool);
  EXPECT_TRUE(store_->AddPool(Pool("q", "10.0.1.0/24", 28)));
}

TEST_F(CalicoIpamTest, S6_TunnelAddressLeaves63PodsInTheFirstBlock) {
  Start({Pool("p", "10.0.0.0/16", 26, CalicoTunnel::kVxlan)});
  const AssignReply tunnel = ipam_->AssignTunnelAddress("n", CalicoTunnel::kVxlan, now_);
  ASSERT_TRUE(tunnel.address);
  Fill("n", "pod", 63);
  EXPECT_THAT(store_->BlocksOf("n"), SizeIs(1));
  Fill("n", "more", 110 - 63);
  EXPECT_THAT(store_->BlocksOf("n"), SizeIs(2));
}

TEST_F(CalicoIpamTest, S6_OneTunnelAddressForEveryModeAndNodeAndTheSameWhenAskedAgain) {
  Start({Pool("a", "10.0.0.0/24", 26, CalicoTunnel::kVxlan),
         Pool("b", "10.0.1.0/24", 26, CalicoTunnel::kIpip)});
  std::set<Ipv4Address> addresses;
  for (const char* node : {"n1", "n2"}) {
    for (const CalicoTunnel tunnel : kCalicoTunnels) {
      const AssignReply first = ipam_->AssignTunnelAddress(node, tunnel, now_);
      ASSERT_TRUE(first.address);
      addresses.insert(first.address->address);
      EXPECT_EQ(ipam_->AssignTunnelAddress(node, tunnel, now_).address->address,
                first.address->address);
      EXPECT_THAT(store_->AddressesOf(TunnelHandle(tunnel, node)),
                  ElementsAre(first.address->address));
      if (tunnel == CalicoTunnel::kIpip) {
        EXPECT_TRUE(Cidr("10.0.1.0/24").Contains(first.address->address));
      } else if (tunnel == CalicoTunnel::kVxlan) {
        EXPECT_TRUE(Cidr("10.0.0.0/24").Contains(first.address->address));
      }
    }
  }
  EXPECT_THAT(addresses, SizeIs(6));
  EXPECT_EQ(store_->statistics().allocated, 6);
}

TEST_F(CalicoIpamTest, S6_NoTunnelAddressWithoutAPoolOfTheMode) {
  Start({Pool("p", "10.0.0.0/24", 26)});
  EXPECT_EQ(Code(ipam_->AssignTunnelAddress("n", CalicoTunnel::kVxlan, now_)),
            calico_error::kNoPools);
}

TEST_F(CalicoIpamTest, S7_TwentyBlocksOf64BoundANode) {
  Start({Pool("p", "10.0.0.0/16", 26)});
  Fill("n", "pod", 1280);
  EXPECT_THAT(store_->BlocksOf("n"), SizeIs(20));
  EXPECT_EQ(Code(Assign("n", "late")), calico_error::kBlockLimit);
}

TEST_F(CalicoIpamTest, P1_NamedPoolsAreUsedInTheOrderGiven) {
  Start({Pool("a", "10.0.0.0/30", 31), Pool("b", "10.0.1.0/30", 31)});
  EXPECT_TRUE(Cidr("10.0.1.0/30").Contains(Assign("n", "x", {"b", "a"}).address->address));
  EXPECT_EQ(Code(Assign("n", "y", {"b", "c"})), calico_error::kUnknownPool);
  ASSERT_TRUE(store_->SetPoolEnabled("a", false));
  EXPECT_EQ(Code(Assign("n", "y", {"a"})), calico_error::kUnknownPool);
}

TEST_F(CalicoIpamTest, P2_EnabledPoolsInOrderOfName) {
  Start({Pool("b", "10.0.0.0/31", 31), Pool("a", "10.0.1.0/31", 31)});
  for (const char* handle : {"1", "2"}) {
    EXPECT_TRUE(Cidr("10.0.1.0/31").Contains(MustAssign("n", handle).address));
  }
  EXPECT_TRUE(Cidr("10.0.0.0/31").Contains(MustAssign("n", "3").address));
  ASSERT_TRUE(store_->SetPoolEnabled("b", false));
  EXPECT_EQ(Code(Assign("n", "4")), calico_error::kPoolsExhausted);
  EXPECT_FALSE(store_->SetPoolEnabled("c", false));
}

TEST_F(CalicoIpamTest, P4_NoPoolsIsAnError) {
  Start({});
  EXPECT_EQ(Code(Assign("n", "x")), calico_error::kNoPools);
}

TEST_F(CalicoIpamTest, RequestsNeedAHostAndAHandle) {
  Start({Pool("p", "10.0.0.0/24", 26)});
  EXPECT_EQ(Code(Assign("", "x")), calico_error::kInvalidRequest);
  EXPECT_EQ(Code(Assign("n", "")), calico_error::kInvalidRequest);
}

TEST_F(CalicoIpamTest, A1_AffineBlocksAreTriedInOrderOfObjectName) {
  // As text 10-0-0-128-26 sorts before 10-0-0-64-26.
  Start({Pool("p", "10.0.0.0/24", 26)});
  ASSERT_TRUE(ipam_->ClaimBlock("n", Cidr("10.0.0.64/26"), now_));
  ASSERT_TRUE(ipam_->ClaimBlock("n", Cidr("10.0.0.128/26"), now_));
  EXPECT_EQ(MustAssign("n", "x").address, Ip("10.0.0.128"));
  Fill("n", "pod", 63);
  EXPECT_EQ(MustAssign("n", "y").address, Ip("10.0.0.64"));
  ipam_->Release("x", now_);
  EXPECT_EQ(MustAssign("n", "z").address, Ip("10.0.0.128"));
}

TEST_F(CalicoIpamTest, A1_BlocksOutsideTheAllowedPoolsAreNotUsedAndDoNotCount) {
  Start({Pool("a", "10.0.0.0/24", 26), Pool("b", "10.0.1.0/24", 26)});
  ASSERT_TRUE(ipam_->ClaimBlock("n", Cidr("10.0.0.0/26"), now_));
  const AssignReply reply = Assign("n", "x", {"b"}, 1);
  ASSERT_TRUE(reply.address) << reply.address.error().message;
  EXPECT_TRUE(Cidr("10.0.1.0/24").Contains(reply.address->address));
}

TEST_F(CalicoIpamTest, A2_TheLowerOfTwoLimitsOrTheOneThatIsSet) {
  CalicoIpamConfig config = kStrict;
  config.max_blocks_per_host = 2;
  for (const auto& [request, expected] : {std::pair{0, 2}, {1, 1}, {2, 2}, {3, 2}}) {
    Start({Pool("p", "10.0.0.0/26", 32)}, config);
    int got = 0;
    while (Assign("n", "h" + std::to_string(got), {}, request).address) ++got;
    EXPECT_EQ(got, expected);
  }
  Start({Pool("p", "10.0.0.0/26", 32)}, kStrict);
  int got = 0;
  while (Assign("n", "h" + std::to_string(got), {}, 3).address) ++got;
  EXPECT_EQ(got, 3);
}

TEST_F(CalicoIpamTest, A3_AnAffinityWithoutABlockGetsOne) {
  Start({Pool("p", "10.0.0.0/24", 26)});
  store_->WriteAffinity("n", Cidr("10.0.0.64/26"), AffinityState::kPending);
  EXPECT_THAT(store_->ConfirmedBlocksOf("n"), IsEmpty());  // C8
  const AssignedAddress got = MustAssign("n", "x");
  EXPECT_EQ(got.address, Ip("10.0.0.64"));
  EXPECT_FALSE(got.borrowed);
  EXPECT_THAT(store_->ConfirmedBlocksOf("n"), ElementsAre(Cidr("10.0.0.64/26")));
}

TEST_F(CalicoIpamTest, A3_AStaleAffinityIsDeletedAndTheWalkGoesOn) {
  Start({Pool("p", "10.0.0.0/24", 26)});
  ASSERT_TRUE(ipam_->ClaimBlock("m", Cidr("10.0.0.0/26"), now_));
  ASSERT_TRUE(ipam_->ClaimBlock("n", Cidr("10.0.0.64/26"), now_));
  store_->WriteAffinity("n", Cidr("10.0.0.0/26"), AffinityState::kConfirmed);
  EXPECT_THAT(store_->CheckInvariants(), SizeIs(1));  // two hosts think they own the block
  EXPECT_EQ(MustAssign("n", "x").address, Ip("10.0.0.64"));
  EXPECT_THAT(store_->AffinitiesOf("n"), SizeIs(1));
  EXPECT_TRUE(store_->PeekBlock(Cidr("10.0.0.0/26"))->BelongsTo("m"));
}

TEST_F(CalicoIpamTest, A4_AtTheLimitNothingIsBorrowed) {
  Start({Pool("p", "10.0.0.0/28", 30)});
  MustAssign("m", "m0");
  Fill("n", "pod", 4);
  EXPECT_EQ(Code(Assign("n", "late", {}, 1)), calico_error::kBlockLimit);
  // The affine walk still runs.
  ipam_->Release("pod2", now_);
  EXPECT_EQ(Code(Assign("n", "late", {}, 1)), "ok");
}

TEST_F(CalicoIpamTest, A6_BorrowsOnlyWhenNoBlockIsFree) {
  Start({Pool("p", "10.0.0.0/29", 30)});
  MustAssign("a", "a0");
  Fill("b", "b", 4);
  EXPECT_EQ(store_->statistics().borrowed, 0);
  const AssignedAddress got = MustAssign("b", "b4");
  EXPECT_TRUE(got.borrowed);
  EXPECT_TRUE(store_->PeekBlock(got.block)->BelongsTo("a"));
  EXPECT_EQ(store_->statistics().borrowed, 1);
  EXPECT_EQ(store_->PeekBlock(got.block)->OwnerOf(1)->node, "b");  // B2
}

TEST_F(CalicoIpamTest, A10_ReleaseChecksTheSequenceNumberOfTheAllocation) {
  Start({Pool("p", "10.0.0.0/30", 30)});
  const AssignedAddress x = MustAssign("n", "x");
  const AllocationBlock* block = store_->PeekBlock(x.block);
  const uint64_t first = block->SequenceOf(0);
  EXPECT_EQ(first, static_cast<uint64_t>(now_.time_since_epoch().count()));
  EXPECT_EQ(block->sequence(), first + 1);
  Fill("n", "fill", 3);
  ipam_->Release("x", now_);
  EXPECT_EQ(MustAssign("n", "x").address, x.address);
  EXPECT_EQ(ipam_->ReleaseAddresses({{x.address, "x", first}}, now_).errors.at(0).code,
            calico_error::kReleaseMismatch);
  EXPECT_THAT(ipam_->ReleaseAddresses({{x.address, "x", block->SequenceOf(0)}}, now_).released,
              ElementsAre(x.address));
}

TEST_F(CalicoIpamTest, A14_ConfigurationsThatExcludeEachOther) {
  EXPECT_TRUE(ValidateConfig({}));
  EXPECT_FALSE(ValidateConfig({.auto_allocate_blocks = false}));
  EXPECT_TRUE(ValidateConfig({.strict_affinity = true, .auto_allocate_blocks = false}));
  EXPECT_FALSE(ValidateConfig({.max_blocks_per_host = 3}));
  EXPECT_TRUE(ValidateConfig({.strict_affinity = true, .max_blocks_per_host = 3}));
  EXPECT_FALSE(ValidateConfig({.strict_affinity = true, .max_blocks_per_host = -1}));
  EXPECT_TRUE(ValidateConfig({.ip_cooldown = seconds(1200)}));
  EXPECT_FALSE(ValidateConfig({.ip_cooldown = seconds(1201)}));
  EXPECT_FALSE(ValidateConfig({.ip_cooldown = seconds(-1)}));
}

TEST_F(CalicoIpamTest, A14_WithoutAutoAllocationOnlyExistingBlocksServe) {
  Start({Pool("p", "10.0.0.0/24", 26)}, {.strict_affinity = true, .auto_allocate_blocks = false});
  EXPECT_EQ(Code(Assign("n", "x")), calico_error::kAutoAllocateOff);
  ASSERT_TRUE(ipam_->ClaimBlock("n", Cidr("10.0.0.0/26"), now_));
  EXPECT_EQ(MustAssign("n", "x").address, Ip("10.0.0.0"));
}

TEST_F(CalicoIpamTest, C1_Fnv1IsTheHashOfTheHostName) {
  EXPECT_EQ(Fnv1("node-a"), 568266999u);
  EXPECT_EQ(Fnv1("node-b"), 568266996u);
  EXPECT_EQ(Fnv1("node-c"), 568266997u);
}

TEST_F(CalicoIpamTest, C1_AHostWalksAllBlocksOnceFromItsOwnStart) {
  const IpPool pool = Pool("p", "10.0.0.0/26", 30);
  std::set<uint32_t> starts;
  for (int h = 0; h < 8; ++h) {
    const std::string host = "node-" + std::to_string(h);
    Start({pool});
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
  const IpPool pool = Pool("p", "10.0.0.0/24", 32);
  EXPECT_EQ(CalicoIpam::WalkStart(pool, "a", now_), CalicoIpam::WalkStart(pool, "b", now_));
  std::set<uint32_t> starts;
  for (int i = 0; i < 20; ++i) starts.insert(CalicoIpam::WalkStart(pool, "a", now_ + seconds(i)));
  EXPECT_GE(starts.size(), 10u);
}

TEST_F(CalicoIpamTest, C2_AnOwnBlockWithoutItsAffinityIsTakenUpAgain) {
  Start({Pool("p", "10.0.0.0/26", 26)}, kStrict);
  ASSERT_TRUE(store_->CreateBlock(Cidr("10.0.0.0/26"), "n", now_));
  EXPECT_THAT(store_->CheckInvariants(), SizeIs(1));
  EXPECT_EQ(MustAssign("n", "x").address, Ip("10.0.0.0"));
  EXPECT_THAT(store_->ConfirmedBlocksOf("n"), SizeIs(1));
}

TEST_F(CalicoIpamTest, C3_AnEmptyBlockOfAnotherHostIsTakenOverAfter60Seconds) {
  Start({Pool("p", "10.0.0.0/30", 30)}, {.strict_affinity = true});
  const Ipv4Cidr block = MustAssign("a", "x").block;
  now_ += seconds(30);
  ipam_->Release("x", now_);
  now_ += seconds(30) - Duration(1);
  EXPECT_EQ(Code(Assign("b", "y")), calico_error::kPoolsExhausted);
  now_ += Duration(1);
  const AssignedAddress got = MustAssign("b", "y");
  EXPECT_EQ(got.block, block);
  EXPECT_EQ(got.reclaimed_from, "a");
  EXPECT_TRUE(got.block_claimed);
  EXPECT_THAT(store_->AffinitiesOf("a"), IsEmpty());
  EXPECT_EQ(store_->PeekBlock(block)->claimed_at(), now_);
  // In use, it stays.
  now_ += seconds(600);
  EXPECT_EQ(Code(Assign("a", "z")), calico_error::kPoolsExhausted);
}

TEST_F(CalicoIpamTest, C3_CanBeTurnedOff) {
  Start({Pool("p", "10.0.0.0/30", 30)}, {.strict_affinity = true, .reclaim_empty_blocks = false});
  MustAssign("a", "x");
  ipam_->Release("x", now_);
  now_ += seconds(600);
  EXPECT_EQ(Code(Assign("b", "y")), calico_error::kPoolsExhausted);
}

TEST_F(CalicoIpamTest, C6_AClaimedBlockIsConfirmedForItsHostAndRefusedToOthers) {
  Start({Pool("p", "10.0.0.0/24", 26)});
  const Ipv4Cidr block = Cidr("10.0.0.64/26");
  EXPECT_TRUE(ipam_->ClaimBlock("a", block, now_));
  EXPECT_TRUE(ipam_->ClaimBlock("a", block, now_));
  EXPECT_EQ(ipam_->ClaimBlock("b", block, now_).error().code, calico_error::kBlockClaimed);
  EXPECT_THAT(store_->AffinitiesOf("b"), IsEmpty());
  EXPECT_THAT(store_->AffinitiesOf("a"),
              ElementsAre(BlockAffinity{block, AffinityState::kConfirmed}));
  for (const char* wrong : {"10.0.0.64/27", "10.0.0.0/24", "10.9.0.0/26"}) {
    EXPECT_EQ(ipam_->ClaimBlock("b", Cidr(wrong), now_).error().code, calico_error::kInvalidPool);
  }
}

TEST_F(CalicoIpamTest, C7_AnAffinityInDoubtIsConfirmedWithAFencingWrite) {
  for (const AffinityState state : {AffinityState::kPending, AffinityState::kPendingDeletion}) {
    Start({Pool("p", "10.0.0.0/26", 26)});
    const Ipv4Cidr block = Cidr("10.0.0.0/26");
    ASSERT_TRUE(ipam_->ClaimBlock("n", block, now_));
    store_->WriteAffinity("n", block, state);
    EXPECT_THAT(store_->ConfirmedBlocksOf("n"), IsEmpty());  // C8
    const uint64_t sequence = store_->PeekBlock(block)->sequence();
    MustAssign("n", "x");
    EXPECT_EQ(store_->PeekBlock(block)->sequence(), sequence + 2);
    EXPECT_THAT(store_->ConfirmedBlocksOf("n"), ElementsAre(block));
  }
}

TEST_F(CalicoIpamTest, B3_StrictAffinityNeverBorrows) {
  Start({Pool("p", "10.0.0.0/29", 30)}, kStrict);
  MustAssign("a", "a0");
  Fill("b", "b", 4);
  EXPECT_EQ(Code(Assign("b", "b4")), calico_error::kPoolsExhausted);
  EXPECT_EQ(store_->statistics().borrowed, 0);
}

TEST_F(CalicoIpamTest, B4_ExhaustedWhenTheWholeWalkYieldsNothing) {
  Start({Pool("p", "10.0.0.0/29", 30)});
  Fill("a", "a", 8);
  EXPECT_EQ(Code(Assign("b", "b")), calico_error::kPoolsExhausted);
}

TEST_F(CalicoIpamTest, B5_BorrowingReadsEveryBlockOnTheWay) {
  const IpPool pool = Pool("p", "10.0.0.0/20", 26);
  Start({pool});
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
  ASSERT_TRUE(got.address);
  EXPECT_EQ(got.address->address, pool.BlockAt(free).network().Offset(5));
  EXPECT_EQ(got.cost, (DatastoreCost{2 + 41 + 1, 2, 4, 1 + 64}));
}

TEST_F(CalicoIpamTest, B6_BlocksThatLostTheirHostServeByBorrowingOnly) {
  Start({Pool("p", "10.0.0.0/30", 30)});
  MustAssign("a", "x");
  ipam_->ReleaseHostAffinities("a", now_);
  now_ += seconds(600);
  const AssignedAddress got = MustAssign("b", "y");
  EXPECT_TRUE(got.borrowed);
  EXPECT_EQ(store_->statistics().affine_blocks, 0);
  EXPECT_EQ(store_->statistics().borrowed, 2);
}

TEST_F(CalicoIpamTest, CostOfTheOrdinaryCases) {
  Start({Pool("p", "10.0.0.0/24", 26)});
  // Prologue 2 reads and 3 lists; claim: list of blocks, 3 writes; assign: handle and block.
  EXPECT_EQ(Assign("n", "x").cost, (DatastoreCost{3, 5, 4, 1}));
  // Affine block: its affinity and itself.
  EXPECT_EQ(Assign("n", "y").cost, (DatastoreCost{5, 2, 3, 2}));
  // Handle, block, handle again; block and handle written.
  EXPECT_EQ(ipam_->Release("y", now_).cost, (DatastoreCost{3, 2, 0, 0}));
  EXPECT_EQ(ipam_->Release("y", now_).cost, (DatastoreCost{1, 0, 0, 0}));
  // List; affinity and block read; affinity, block, affinity written.
  EXPECT_EQ(ipam_->ReleaseHostAffinities("n", now_).cost, (DatastoreCost{2, 3, 1, 1}));
}

TEST_F(CalicoIpamTest, R1_OneMismatchFailsTheWholeBlock) {
  Start({Pool("p", "10.0.0.0/29", 30)});
  Fill("n", "h", 5);
  const Ipv4Address a = store_->AddressesOf("h0").at(0);
  const Ipv4Address b = store_->AddressesOf("h1").at(0);
  const Ipv4Address other_block = store_->AddressesOf("h4").at(0);
  const ReleaseReply reply = ipam_->ReleaseAddresses(
      {{a, "h0", std::nullopt}, {b, "wrong", std::nullopt}, {other_block, "h4", std::nullopt}},
      now_);
  EXPECT_THAT(reply.errors, SizeIs(1));
  EXPECT_THAT(reply.released, ElementsAre(other_block));
  EXPECT_EQ(store_->statistics().allocated, 4);
}

TEST_F(CalicoIpamTest, R2_ReleasingWhatIsNotAllocatedIsNoError) {
  Start({Pool("p", "10.0.0.0/29", 30)}, {.ip_cooldown = seconds(10)});
  const Ipv4Address x = MustAssign("n", "x").address;
  ipam_->Release("x", now_);  // now cooling
  const ReleaseReply reply = ipam_->ReleaseAddresses(
      {{x, {}, {}}, {Ip("10.0.0.7"), {}, {}}, {Ip("10.9.9.9"), {}, {}}}, now_);
  EXPECT_THAT(reply.unallocated, UnorderedElementsAre(x, Ip("10.0.0.7"), Ip("10.9.9.9")));
  EXPECT_THAT(reply.released, IsEmpty());
  EXPECT_THAT(reply.errors, IsEmpty());
}

TEST_F(CalicoIpamTest, R3_CooldownHoldsAnAddressBackForExactlyItsTime) {
  Start({Pool("p", "10.0.0.0/32", 32)}, {.strict_affinity = true, .ip_cooldown = seconds(30)});
  MustAssign("n", "x");
  ipam_->Release("x", now_);
  EXPECT_EQ(store_->statistics().cooling, 1);
  EXPECT_EQ(store_->handle_count(), 0);
  now_ += seconds(30) - Duration(1);
  EXPECT_EQ(Code(Assign("n", "y")), calico_error::kPoolsExhausted);
  now_ += Duration(1);
  EXPECT_EQ(Code(Assign("n", "y")), "ok");
}

TEST_F(CalicoIpamTest, R4_AnEmptyBlockStaysWithItsHostAndIsDeletedWithoutOne) {
  Start({Pool("p", "10.0.0.0/29", 30)});
  const Ipv4Cidr block = MustAssign("n", "x").block;
  ipam_->Release("x", now_);
  EXPECT_TRUE(store_->PeekBlock(block)->BelongsTo("n"));
  MustAssign("n", "y");
  EXPECT_THAT(ipam_->ReleaseHostAffinities("n", now_).orphaned, ElementsAre(block));
  EXPECT_FALSE(store_->PeekBlock(block)->host());
  ipam_->Release("y", now_);
  EXPECT_EQ(store_->PeekBlock(block), nullptr);
}

TEST_F(CalicoIpamTest, R4_WithACooldownABlockWithoutHostGoesWhenItsLastAddressIsCool) {
  Start({Pool("p", "10.0.0.0/29", 30)}, {.ip_cooldown = seconds(30)});
  const Ipv4Cidr block = MustAssign("n", "x").block;
  ipam_->Release("x", now_);
  EXPECT_THAT(ipam_->ReleaseHostAffinities("n", now_).orphaned, ElementsAre(block));
  store_->Advance(now_ + seconds(29));
  EXPECT_NE(store_->PeekBlock(block), nullptr);
  store_->Advance(now_ + seconds(30));
  EXPECT_EQ(store_->PeekBlock(block), nullptr);
}

TEST_F(CalicoIpamTest, R5_AHandleHoldsAddressesOfSeveralBlocksAndGoesWithTheLast) {
  Start({Pool("p", "10.0.0.0/29", 31)});
  std::vector<Ipv4Address> addresses;
  for (int i = 0; i < 3; ++i) addresses.push_back(MustAssign("n", "x").address);
  std::sort(addresses.begin(), addresses.end());
  EXPECT_EQ(store_->AddressesOf("x"), addresses);
  ipam_->ReleaseAddresses({{addresses[0], {}, {}}}, now_);
  EXPECT_EQ(store_->handle_count(), 1);
  EXPECT_THAT(ipam_->Release("x", now_).released, ElementsAre(addresses[1], addresses[2]));
  EXPECT_EQ(store_->handle_count(), 0);
}

TEST_F(CalicoIpamTest, R7_DeletingAHostDeletesEmptyBlocksAndOrphansTheOthers) {
  const IpPool pool = Pool("p", "10.0.0.0/28", 30);
  Start({pool});
  ASSERT_TRUE(ipam_->ClaimBlock("n", pool.BlockAt(0), now_));
  ASSERT_TRUE(ipam_->ClaimBlock("n", pool.BlockAt(3), now_));
  MustAssign("n", "x");
  store_->WriteAffinity("n", pool.BlockAt(1), AffinityState::kPending);  // a claim cut short
  const AffinityReleaseReply reply = ipam_->ReleaseHostAffinities("n", now_);
  EXPECT_TRUE(reply.status);
  EXPECT_THAT(reply.orphaned, ElementsAre(pool.BlockAt(0)));
  EXPECT_THAT(reply.deleted, ElementsAre(pool.BlockAt(3)));
  EXPECT_THAT(store_->Hosts(), IsEmpty());
}

TEST_F(CalicoIpamTest, R7_OneBlockOnlyIfItIsEmptyWhenThatIsAsked) {
  Start({Pool("p", "10.0.0.0/29", 30)});
  const Ipv4Cidr block = MustAssign("n", "x").block;
  EXPECT_EQ(ipam_->ReleaseAffinity("n", block, true, now_).status.error().code,
            calico_error::kBlockNotEmpty);
  EXPECT_EQ(ipam_->ReleaseAffinity("m", block, true, now_).status.error().code,
            calico_error::kNoAffinity);
  EXPECT_TRUE(store_->PeekBlock(block)->BelongsTo("n"));
  EXPECT_THAT(store_->ConfirmedBlocksOf("n"), ElementsAre(block));
  ipam_->Release("x", now_);
  EXPECT_THAT(ipam_->ReleaseAffinity("n", block, true, now_).deleted, ElementsAre(block));
}

TEST_F(CalicoIpamTest, R8_CniDelReleasesBothHandles) {
  Start({Pool("p", "10.0.0.0/28", 30)});
  EXPECT_EQ(SandboxHandle("c0ffee"), "k8s-pod-network.c0ffee");
  const Ipv4Address a = MustAssign("n", SandboxHandle("c0ffee")).address;
  const Ipv4Address b = MustAssign("n", WorkloadHandle("shop", "cart-0")).address;
  EXPECT_THAT(ipam_->ReleasePod("c0ffee", "shop", "cart-0", now_).released, ElementsAre(a, b));
  const ReleaseReply again = ipam_->ReleasePod("c0ffee", "shop", "cart-0", now_);
  EXPECT_THAT(again.released, IsEmpty());
  EXPECT_THAT(again.errors, IsEmpty());
}

TEST_F(CalicoIpamTest, Reservations_AreSkippedAndFullyCoveredBlocksNeverClaimed) {
  const IpPool pool = Pool("p", "10.0.0.0/28", 30);
  Start({pool}, {}, {Cidr("10.0.0.0/29"), Cidr("10.0.0.8/32"), Cidr("10.0.0.14/31")});
  std::set<Ipv4Address> got;
  for (int i = 0;; ++i) {
    const AssignReply reply = Assign("n", "h" + std::to_string(i));
    if (!reply.address) {
      EXPECT_EQ(Code(reply), calico_error::kPoolsExhausted);
      // Two affine blocks at two reads each, and a walk over the two blocks not wholly reserved.
      EXPECT_EQ(reply.cost.reads, 2 + 4 + 2);
      break;
    }
    got.insert(reply.address->address);
  }
  EXPECT_THAT(got, ElementsAre(Ip("10.0.0.9"), Ip("10.0.0.10"), Ip("10.0.0.11"), Ip("10.0.0.12"),
                               Ip("10.0.0.13")));
  EXPECT_EQ(store_->statistics().blocks, 2);
}

TEST_F(CalicoIpamTest, Reservations_AreNoReadsOnABorrowersWalk) {
  const IpPool pool = Pool("p", "10.0.0.0/27", 31);
  Start({pool}, {}, {Cidr("10.0.0.0/31"), Cidr("10.0.0.8/30"), Cidr("10.0.0.30/31")});
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
      EXPECT_EQ(reply.address.has_value(), free >= 0);
      EXPECT_EQ(reply.cost.reads, 2 + visits + (free >= 0 ? 1 : 0));
      if (free < 0) continue;
      ipam_->Release("guest", now_);
      MustAssign("owner" + std::to_string(free), "owner" + std::to_string(free) + "-0");
    }
  }
}

TEST_F(CalicoIpamTest, Reservations_ThatTogetherFillABlockCostABlock) {
  const IpPool pool = Pool("p", "10.0.0.0/30", 31);
  for (const uint32_t reserved : {0u, 1u}) {
    const Ipv4Cidr block = pool.BlockAt(reserved);
    Start({pool}, {}, {Ipv4Cidr(block.network()), Ipv4Cidr(block.last())});
    const AssignedAddress got = MustAssign("n", "x");
    EXPECT_EQ(got.block, pool.BlockAt(1 - reserved));
    const bool met = CalicoIpam::WalkStart(pool, "n", now_) == reserved;
    EXPECT_THAT(store_->BlocksOf("n"), SizeIs(met ? 2 : 1));
  }
}

TEST_F(CalicoIpamTest, Reservations_OfAWholePoolLeaveNothing) {
  Start({Pool("p", "10.0.0.0/28", 30)}, {}, {Cidr("10.0.0.0/8")});
  const AssignReply reply = Assign("n", "x");
  EXPECT_EQ(Code(reply), calico_error::kPoolsExhausted);
  EXPECT_EQ(reply.cost.reads, 2);
  // A block claimed by hand and given back does not make it claimable.
  ASSERT_TRUE(ipam_->ClaimBlock("n", Cidr("10.0.0.0/30"), now_));
  EXPECT_EQ(Code(Assign("n", "x")), calico_error::kPoolsExhausted);
  ipam_->ReleaseHostAffinities("n", now_);
  EXPECT_EQ(Code(Assign("n", "x")), calico_error::kPoolsExhausted);
  EXPECT_EQ(store_->statistics().blocks, 0);
}

// --- Failure modes.

TEST_F(CalicoIpamTest, Failure_BlockExhaustionMakesNewNodesBorrowOrFail) {
  for (const bool strict : {false, true}) {
    Start({Pool("p", "10.0.0.0/24", 28)}, strict ? kStrict : CalicoIpamConfig{});
    int served = 0;
    for (int n = 0; n < 24; ++n) {
      const std::string host = "n" + std::to_string(n);
      if (Assign(host, host).address) ++served;
    }
    EXPECT_EQ(served, strict ? 16 : 24);
    EXPECT_EQ(store_->statistics().borrowed, strict ? 0 : 8);
  }
}

TEST_F(CalicoIpamTest, Failure_PerHostLimitWithLeakedAddressesThoughThePoolHasSpace) {
  Start({Pool("p", "10.0.0.0/16", 28)});
  Fill("n", "leaked", 20 * 16);
  EXPECT_EQ(Code(Assign("n", "pod")), calico_error::kBlockLimit);
  EXPECT_EQ(Code(Assign("m", "pod")), "ok");
}

TEST_F(CalicoIpamTest, Failure_BlocksStrandedOnDeadNodesExhaustThePool) {
  Start({Pool("p", "10.0.0.0/24", 26)}, kStrict);
  for (int n = 0; n < 4; ++n) {
    const std::string host = "dead" + std::to_string(n);
    MustAssign(host, host);
    ipam_->Release(host, now_);
  }
  EXPECT_EQ(Code(Assign("new", "x")), calico_error::kPoolsExhausted);
  ipam_->ReleaseHostAffinities("dead2", now_);
  EXPECT_EQ(Code(Assign("new", "x")), "ok");
}

TEST_F(CalicoIpamTest, Failure_SlowClaimListsAllBlocksOfTheCluster) {
  const IpPool pool = Pool("p", "10.0.0.0/16", 26);
  Start({pool});
  for (int n = 0; n < 500; ++n) {
    const std::string host = "n" + std::to_string(n);
    const AssignReply reply = Assign(host, host);
    EXPECT_EQ(reply.cost.listed_items, 1 + n);  // the pool and the blocks
    EXPECT_EQ(reply.cost.calls(), 12);
  }
}

TEST_F(CalicoIpamTest, CheckInvariantsSeesHandlesThatDisagree) {
  expect_violations_ = true;
  Start({Pool("p", "10.0.0.0/29", 30)});
  const Ipv4Cidr block = MustAssign("n", "x").block;
  ASSERT_THAT(store_->CheckInvariants(), IsEmpty());
  store_->IncrementHandle("x", block);
  EXPECT_THAT(store_->CheckInvariants(), SizeIs(1));
  store_->DecrementHandle("x", block, 2, false);
  EXPECT_THAT(store_->CheckInvariants(), SizeIs(1));
  store_->IncrementHandle("ghost", block);
  EXPECT_THAT(store_->CheckInvariants(), SizeIs(2));
}

}  // namespace
}  // namespace cnisim
