#include "sim/dataplane/micro_benchmark.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

// Ends on two nodes: all costs but waiting are paid once each way, at 100 ns.
class MicroBenchmarkTest : public testing::Test {
 protected:
  MicroBenchmarkTest() {
    for (PacketWay* way : {&path_.request, &path_.reply}) {
      way->crosses = true;
      way->send[Cost::kSocketSend] = 1;
      way->receive[Cost::kSocketReceive] = 1;
      way->receive[Cost::kWakeup] = 1;
    }
    path_.mtu = 1500;
    for (const Cost cost : {Cost::kSocketSend, Cost::kSocketReceive, Cost::kWakeup}) {
      profile_.costs[cost] = 100;
    }
    profile_.costs[Cost::kWakeupDelay] = 5000;
    profile_.costs[Cost::kNicDelay] = 1000;
  }

  double Get(MicroBenchmark benchmark) const { return Predict(benchmark, path_, setup_, profile_); }

  PairPath path_;
  CostProfile profile_;
  MicroBenchmarkSetup setup_;
};

TEST_F(MicroBenchmarkTest, APingWakesNobodyAtTheServer) {
  EXPECT_DOUBLE_EQ(Get(MicroBenchmark::kUdpRr), 2 * (0.3 + 5 + 1));
  EXPECT_DOUBLE_EQ(Get(MicroBenchmark::kPing), 2 * (0.2 + 1) + 0.1 + 5);
  setup_.same_cpu = true;
  EXPECT_DOUBLE_EQ(Get(MicroBenchmark::kPing), 5 * 0.1);
}

TEST_F(MicroBenchmarkTest, OneCpuPaysForAConnectionsEndToo) {
  // Two round trips; on one CPU without delays, but with four more packets, which wake nobody.
  EXPECT_DOUBLE_EQ(Get(MicroBenchmark::kTcpCrr), 2 * Get(MicroBenchmark::kTcpRr));
  setup_.same_cpu = true;
  EXPECT_DOUBLE_EQ(Get(MicroBenchmark::kTcpCrr), 2 * Get(MicroBenchmark::kTcpRr) + 4 * 0.2);
}

TEST_F(MicroBenchmarkTest, AFloodsReceiverTakesTimeFromASenderOnTheSameCpu) {
  EXPECT_DOUBLE_EQ(Get(MicroBenchmark::kUdpFlood), 1e9 / 100);
  setup_.same_cpu = true;
  EXPECT_DOUBLE_EQ(Get(MicroBenchmark::kUdpFlood), 1e9 / 300);
}

TEST(MicroBenchmark, HasNames) {
  EXPECT_EQ(FindMicroBenchmark("ping"), MicroBenchmark::kPing);
  EXPECT_EQ(FindMicroBenchmark("pong"), std::nullopt);
}

}  // namespace
}  // namespace cnisim
