// Rules of the collector that speak of times and great numbers; the others are in vectors/.
#include "core/ipam/calico/garbage_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cnisim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::SizeIs;

class NothingLives : public CalicoClusterView {
 public:
  bool NodeExists(std::string_view) const override { return false; }
  bool PodHasAddress(std::string_view, std::string_view, Ipv4Address) const override {
    return false;
  }
};

class GarbageCollectorTest : public testing::Test {
 protected:
  BlockStore store_;
  CalicoIpam ipam_{store_, {}};
};

TEST_F(GarbageCollectorTest, G1_SyncsTwiceAGracePeriod) {
  EXPECT_EQ(CalicoGarbageCollector(ipam_).sync_period(), seconds(450));
  EXPECT_EQ(CalicoGarbageCollector(ipam_, Duration(0)).sync_period(), minutes(5));
}

TEST_F(GarbageCollectorTest, G7_AtMostTenThousandReleasesInASync) {
  IpPool pool;
  pool.name = "p";
  pool.cidr = *Ipv4Cidr::Parse("10.0.0.0/17");
  ASSERT_TRUE(store_.AddPool(pool));
  CalicoGarbageCollector collector(ipam_);
  for (int i = 0; i < 10500; ++i) {
    AssignRequest request;
    request.host = "n" + std::to_string(i / 600);
    request.handle = "h" + std::to_string(i);
    request.pod_namespace = "default";
    request.pod = "gone";
    ASSERT_TRUE(ipam_.AutoAssign(request, kTimeZero).status);
  }
  const GcReport first = collector.Sync(kTimeZero, NothingLives());
  EXPECT_THAT(first.released, SizeIs(10000));
  EXPECT_GT(first.cost.writes, 10000);
  EXPECT_THAT(collector.Sync(kTimeZero + seconds(1), NothingLives()).released, SizeIs(500));
  EXPECT_EQ(store_.statistics(), IpamStatistics{});
}

}  // namespace
}  // namespace cnisim
