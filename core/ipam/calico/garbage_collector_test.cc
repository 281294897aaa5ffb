#include "core/ipam/calico/garbage_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cnisim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FakeCluster : public CalicoClusterView {
 public:
  bool NodeExists(std::string_view node) const override {
    return nodes.contains(std::string(node));
  }
  bool PodHasAddress(std::string_view, std::string_view pod, Ipv4Address address) const override {
    const auto it = pods.find(std::string(pod));
    return it != pods.end() && it->second == address;
  }

  std::set<std::string> nodes{"a", "b"};
  std::map<std::string, Ipv4Address> pods;
};

class GarbageCollectorTest : public testing::Test {
 protected:
  GarbageCollectorTest() {
    IpPool pool{"p", *Ipv4Cidr::Parse("10.0.0.0/24"), 28, true, CalicoTunnel::kVxlan};
    EXPECT_TRUE(store_.AddPool(pool));
  }
  ~GarbageCollectorTest() override { EXPECT_THAT(store_.CheckInvariants(), IsEmpty()); }

  // A pod of the same name runs with the address.
  Ipv4Address AddPod(const std::string& host, const std::string& name) {
    const Ipv4Address address = AddLeak(host, name, name);
    cluster_.pods[name] = address;
    return address;
  }
  // An address for a pod that does not run.
  Ipv4Address AddLeak(const std::string& host, const std::string& handle, const std::string& pod) {
    const AssignRequest request{host, handle, "default", pod, std::nullopt, {}, 0};
    return ipam_.AutoAssign(request, now_).address->address;
  }
  GcReport SyncAfter(Duration d) {
    now_ += d;
    return gc_.Sync(now_, cluster_);
  }

  BlockStore store_;
  CalicoIpam ipam_{store_, {}};
  CalicoGarbageCollector gc_{ipam_};
  FakeCluster cluster_;
  TimePoint now_ = kTimeZero;
};

TEST_F(GarbageCollectorTest, G1_SyncsTwiceAGracePeriod) {
  EXPECT_EQ(gc_.sync_period(), seconds(450));
  EXPECT_EQ(CalicoGarbageCollector(ipam_, Duration(0)).sync_period(), minutes(5));
}

TEST_F(GarbageCollectorTest, G1_AGraceOfZeroReleasesNoLeakOfALivingNode) {
  CalicoGarbageCollector gc(ipam_, Duration(0));
  AddLeak("a", "x", "gone");
  AddLeak("b", "y", "gone");
  cluster_.nodes.erase("b");
  for (int i = 0; i < 10; ++i) {
    now_ += minutes(60);
    EXPECT_THAT(gc.Sync(now_, cluster_).released, SizeIs(i == 0 ? 1 : 0));
  }
  EXPECT_EQ(store_.handle_count(), 1);
}

TEST_F(GarbageCollectorTest, G2_ALeakIsReleasedAfterTheGracePeriod) {
  AddPod("a", "lives");
  const Ipv4Address leak = AddLeak("a", "x", "gone");
  EXPECT_THAT(SyncAfter(seconds(0)).released, IsEmpty());
  EXPECT_THAT(SyncAfter(seconds(450)).released, IsEmpty());
  EXPECT_THAT(SyncAfter(seconds(450)).released, ElementsAre(leak));
  EXPECT_EQ(store_.statistics().allocated, 1);
}

TEST_F(GarbageCollectorTest, G2_APodWithAnotherAddressDoesNotKeepTheOldOne) {
  AddPod("a", "pod");
  cluster_.pods["pod"] = Ipv4Address(10, 9, 9, 9);
  SyncAfter(seconds(0));
  EXPECT_THAT(SyncAfter(minutes(15)).released, SizeIs(1));
}

TEST_F(GarbageCollectorTest, G2_ACandidateThatTurnsOutToBeUsedStartsAfresh) {
  const Ipv4Address address = AddLeak("a", "x", "late");
  SyncAfter(seconds(0));
  cluster_.pods["late"] = address;
  SyncAfter(minutes(10));
  cluster_.pods.erase("late");
  EXPECT_THAT(SyncAfter(minutes(10)).released, IsEmpty());
  EXPECT_THAT(SyncAfter(minutes(14)).released, IsEmpty());
  EXPECT_THAT(SyncAfter(minutes(1)).released, ElementsAre(address));
}

TEST_F(GarbageCollectorTest, G2_AnAddressGivenOutAnewStartsAfresh) {
  const Ipv4Address first = AddLeak("a", "x", "gone");
  SyncAfter(seconds(0));
  ipam_.Release("x", now_);
  for (int i = 0; i < 15; ++i) AddPod("a", "fill" + std::to_string(i));
  ASSERT_EQ(AddLeak("a", "y", "gone"), first);
  EXPECT_THAT(SyncAfter(minutes(15)).released, IsEmpty());
  EXPECT_THAT(SyncAfter(minutes(15)).released, ElementsAre(first));
}

TEST_F(GarbageCollectorTest, G3_AHandleIsReleasedWholeOrNotAtAll) {
  const Ipv4Address used = AddLeak("a", "x", "pod");
  const Ipv4Address leaked = AddLeak("a", "x", "pod");
  cluster_.pods["pod"] = used;
  SyncAfter(seconds(0));
  EXPECT_THAT(SyncAfter(minutes(60)).released, IsEmpty());
  cluster_.pods.clear();
  EXPECT_THAT(SyncAfter(minutes(1)).released, IsEmpty());
  EXPECT_THAT(SyncAfter(minutes(15)).released, ElementsAre(used, leaked));
}

TEST_F(GarbageCollectorTest, G4_ATunnelAddressLivesAsLongAsItsNode) {
  const Ipv4Address address =
      ipam_.AssignTunnelAddress("a", CalicoTunnel::kVxlan, now_).address->address;
  SyncAfter(seconds(0));
  EXPECT_THAT(SyncAfter(minutes(60)).released, IsEmpty());
  cluster_.nodes.erase("a");
  const GcReport report = SyncAfter(seconds(1));
  EXPECT_THAT(report.released, ElementsAre(address));
  EXPECT_THAT(report.hosts_released, ElementsAre("a"));
  EXPECT_EQ(store_.statistics().blocks, 0);
}

TEST_F(GarbageCollectorTest, G5_EmptyBlocksGoButNeverTheLast) {
  for (int i = 0; i < 33; ++i) AddPod("a", "pod" + std::to_string(i));
  ASSERT_THAT(store_.BlocksOf("a"), SizeIs(3));
  for (int i = 0; i < 33; ++i) ipam_.Release("pod" + std::to_string(i), now_);
  EXPECT_THAT(SyncAfter(seconds(0)).blocks_released, IsEmpty());
  EXPECT_THAT(SyncAfter(minutes(15)).blocks_released, IsEmpty());  // not more than the grace
  EXPECT_THAT(SyncAfter(Duration(1)).blocks_released, SizeIs(2));
  EXPECT_THAT(SyncAfter(minutes(60)).blocks_released, IsEmpty());
  EXPECT_THAT(store_.BlocksOf("a"), SizeIs(1));
}

TEST_F(GarbageCollectorTest, G5_ABlockInUseAtASyncCountsAnew) {
  for (int i = 0; i < 17; ++i) AddPod("a", "pod" + std::to_string(i));
  const Ipv4Cidr second = store_.PeekBlockOf(cluster_.pods["pod16"])->cidr();
  ipam_.Release("pod16", now_);
  SyncAfter(seconds(0));
  cluster_.pods["pod16"] = AddLeak("a", "pod16", "pod16");
  SyncAfter(minutes(10));
  ipam_.Release("pod16", now_);
  EXPECT_THAT(SyncAfter(minutes(10)).blocks_released, IsEmpty());
  EXPECT_THAT(SyncAfter(minutes(16)).blocks_released, ElementsAre(second));
}

TEST_F(GarbageCollectorTest, G6_ADeletedNodesBlocksGoOnceNoValidAddressIsLeft) {
  AddPod("a", "x");
  AddPod("b", "y");
  cluster_.nodes.erase("a");
  EXPECT_THAT(SyncAfter(seconds(1)).hosts_released, IsEmpty());
  cluster_.pods.erase("x");
  const GcReport report = SyncAfter(seconds(1));
  EXPECT_THAT(report.released, SizeIs(1));
  EXPECT_THAT(report.hosts_released, ElementsAre("a"));
  EXPECT_GT(report.cost.writes, 0);
  EXPECT_THAT(store_.Hosts(), ElementsAre("b"));
}

TEST_F(GarbageCollectorTest, G7_AtMostTenThousandReleasesInASync) {
  BlockStore store;
  ASSERT_TRUE(store.AddPool(IpPool{"p", *Ipv4Cidr::Parse("10.0.0.0/17"), 26, true, {}}));
  CalicoIpam ipam(store, {});
  CalicoGarbageCollector gc(ipam);
  for (int i = 0; i < 10500; ++i) {
    const AssignRequest request{"n" + std::to_string(i / 600),
                                "h" + std::to_string(i),
                                "default",
                                "gone",
                                std::nullopt,
                                {},
                                0};
    ASSERT_TRUE(ipam.AutoAssign(request, now_).address);
  }
  EXPECT_THAT(gc.Sync(now_, cluster_).released, SizeIs(10000));  // none of the nodes exists
  EXPECT_THAT(gc.Sync(now_ + seconds(1), cluster_).released, SizeIs(500));
  EXPECT_EQ(store.statistics(), IpamStatistics{});
}

TEST_F(GarbageCollectorTest, G8_AllocationsWithoutAPodAreLeftAlone) {
  AddLeak("a", "x", "");
  cluster_.nodes.erase("a");
  SyncAfter(seconds(0));
  EXPECT_THAT(SyncAfter(minutes(60)).released, IsEmpty());
  EXPECT_THAT(store_.Hosts(), ElementsAre("a"));
}

}  // namespace
}  // namespace cnisim
