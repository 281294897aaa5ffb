#include "sim/dataplane/fabric_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace cnisim {
namespace {

TEST(FabricGraph, WaysAreAsFastAndAsNarrowAsTheirEdges) {
  FabricGraph graph;
  const auto a = graph.AddPlace("a");
  const auto b = graph.AddPlace("b");
  const auto c = graph.AddPlace("c");
  const auto alone = graph.AddPlace("alone");
  graph.Connect(a, b, {100, 10e9, 9001});
  graph.Connect(b, c, {200, 0, 8500});
  EXPECT_EQ(graph.Way(a, c)->latency, 300);
  EXPECT_EQ(graph.Way(a, c)->bits_per_second, 10e9);
  EXPECT_EQ(graph.Way(a, c)->mtu, 8500);
  EXPECT_EQ(graph.Way(a, a)->latency, 0);
  EXPECT_FALSE(graph.Way(a, alone));
  // A change is seen.
  graph.Connect(a, c, {50, 5e9, 1500});
  EXPECT_EQ(graph.Way(c, a)->mtu, 1500);
  EXPECT_EQ(graph.Way(b, c)->latency, 150);
}

TEST(FabricGraph, AgreesWithFloydAndWarshall) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    const auto places = static_cast<FabricGraph::Place>(2 + random() % 12);
    FabricGraph graph;
    std::vector<std::vector<double>> latency(places, std::vector<double>(places, 1e18));
    for (FabricGraph::Place p = 0; p < places; ++p) {
      graph.AddPlace(std::to_string(p));
      latency[p][p] = 0;
    }
    for (size_t e = random() % (2 * places); e > 0; --e) {
      const auto a = static_cast<FabricGraph::Place>(random() % places);
      const auto b = static_cast<FabricGraph::Place>(random() % places);
      const auto cost = static_cast<double>(random() % 1000);
      graph.Connect(a, b, {cost, 0, kVpcMtu});
      latency[a][b] = latency[b][a] = std::min(latency[a][b], cost);
    }
    for (size_t k = 0; k < places; ++k) {
      for (size_t i = 0; i < places; ++i) {
        for (size_t j = 0; j < places; ++j) {
          latency[i][j] = std::min(latency[i][j], latency[i][k] + latency[k][j]);
        }
      }
    }
    for (FabricGraph::Place i = 0; i < places; ++i) {
      for (FabricGraph::Place j = 0; j < places; ++j) {
        const auto way = graph.Way(i, j);
        ASSERT_EQ(way.has_value(), latency[i][j] < 1e18);
        if (way) {
          EXPECT_EQ(way->latency, latency[i][j]);
        }
      }
    }
  }
}

TEST(VpcGraph, ZonesAreAsFarAsWasMeasured) {
  const FabricGraph graph = VpcGraph({"us-east-1a", "us-east-1a", "us-east-1b", "moon-1a"});
  EXPECT_EQ(graph.Way(0, 1)->latency, 0);
  // 0.807 ms against 0.090 ms within a zone.
  EXPECT_NEAR(graph.Way(0, 2)->latency, 358'500, 1);
  EXPECT_NEAR(graph.Way(0, 3)->latency, 450'000, 50'000);
  EXPECT_EQ(graph.Way(3, 2)->mtu, kVpcMtu);
  EXPECT_EQ(ZoneLatency("us-east-1b", "us-east-1a"), ZoneLatency("us-east-1a", "us-east-1b"));
}

}  // namespace
}  // namespace cnisim
