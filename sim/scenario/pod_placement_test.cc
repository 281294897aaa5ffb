#include "sim/scenario/pod_placement.h"

#include <gtest/gtest.h>

#include "sim/scenario/loader_testing.h"

namespace cnisim {
namespace {

using Groups = std::optional<std::vector<int>>;

TEST(PodPlacement, SelectorsAndTaintsLeaveGroups) {
  const Scenario scenario = Load("placement").scenario;
  ASSERT_EQ(scenario.workloads.size(), 6u);
  EXPECT_EQ(scenario.workloads[0].pod.node_groups, Groups());                     // tolerates all
  EXPECT_EQ(scenario.workloads[1].pod.node_groups, Groups(std::vector<int>{0}));  // untainted
  EXPECT_EQ(scenario.workloads[2].pod.node_groups, Groups(std::vector<int>{1, 2}));  // disk: ssd
  // Both groups are called batch, but only one has no second taint.
  EXPECT_EQ(scenario.workloads[3].pod.node_groups, Groups(std::vector<int>{1}));
  EXPECT_EQ(scenario.workloads[4].pod.node_groups, Groups(std::vector<int>{2}));  // zone and type
}

TEST(PodPlacement, PlacedOnNamesNodesOfGroups) {
  const Scenario scenario = Load("placement").scenario;
  const auto& placed = std::get<DeploymentSpec>(scenario.workloads[2].kind).placed_on;
  ASSERT_EQ(placed.size(), 2u);
  EXPECT_EQ(placed[0].node_group, 1);
  EXPECT_EQ(placed[0].number, 2);
  EXPECT_EQ(placed[0].pods, 4);
  EXPECT_EQ(placed[1].node_group, 2);  // batch-b-1: the name of the group has a dash, too
  EXPECT_EQ(placed[1].number, 1);
}

// Kubernetes documentation, "Taints and Tolerations".
TEST(PodPlacement, TolerationsMatchAsKubernetesMatchesThem) {
  const Taint taint{"dedicated", "batch", "NoSchedule"};
  EXPECT_TRUE(Tolerates(Toleration{"dedicated", false, "batch", "NoSchedule"}, taint));
  EXPECT_TRUE(Tolerates(Toleration{"dedicated", false, "batch", ""}, taint));
  EXPECT_TRUE(Tolerates(Toleration{"dedicated", true, "", ""}, taint));
  EXPECT_TRUE(Tolerates(Toleration{"", true, "", ""}, taint));
  EXPECT_TRUE(Tolerates(Toleration{"", true, "", "NoSchedule"}, taint));
  EXPECT_FALSE(Tolerates(Toleration{"", true, "", "NoExecute"}, taint));
  EXPECT_FALSE(Tolerates(Toleration{"dedicated", false, "web", ""}, taint));
  EXPECT_FALSE(Tolerates(Toleration{"dedicated", false, "", ""}, taint));
  EXPECT_FALSE(Tolerates(Toleration{"other", true, "", ""}, taint));
  EXPECT_TRUE(Tolerates(std::vector<Toleration>{}, {}));
  EXPECT_FALSE(
      Tolerates({Toleration{"dedicated", true, "", ""}}, {taint, Taint{"spot", "", "NoExecute"}}));
}

}  // namespace
}  // namespace cnisim
