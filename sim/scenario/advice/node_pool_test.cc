// Against the documentation's tables (docs/eni-and-ip-target.md, docs/prefix-and-ip-target.md of
// amazon-vpc-cni-k8s v1.23.1) where the code agrees with them, and the code's own figures.
#include "sim/scenario/advice/node_pool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace cnisim {
namespace {

struct Row {
  const char* type;
  int warm_eni;
  int warm_ip;
  int minimum_ip;
  int warm_prefix;  // -1: no prefix delegation
  int max_eni;      // 0: the type's
  int max_pods;
  int pods;
  int primary_slots;
  int other_enis;
  int other_slots;
};

constexpr Row kRows[] = {
    {"t3.small", 1, 0, 0, -1, 0, 11, 0, 3, 0, 0},           // F1
    {"t3.small", 1, 0, 0, -1, 0, 11, 5, 3, 2, 6},           // F2
    {"t3.small", 1, 0, 0, -1, 0, 11, 9, 3, 2, 6},           // F3
    {"t3.small", 1, 1, 1, -1, 0, 11, 0, 1, 0, 0},           // F4
    {"t3.small", 1, 1, 1, -1, 0, 11, 5, 3, 1, 3},           // F5
    {"t3.small", 1, 2, 5, -1, 0, 11, 0, 3, 1, 2},           // F7
    {"t3.small", 1, 2, 5, -1, 0, 11, 5, 3, 2, 4},           // F8
    {"p3dn.24xlarge", 1, 0, 0, -1, 0, 737, 0, 49, 0, 0},    // F10
    {"p3dn.24xlarge", 1, 0, 0, -1, 0, 737, 3, 49, 1, 49},   // F11
    {"p3dn.24xlarge", 1, 0, 0, -1, 0, 737, 95, 49, 2, 98},  // F12
    {"p3dn.24xlarge", 1, 5, 10, -1, 0, 737, 7, 12, 0, 0},   // F14
    {"p3dn.24xlarge", 1, 5, 10, -1, 0, 737, 45, 49, 1, 1},  // F16
    {"t3.small", 1, 0, 0, 1, 0, 110, 0, 1, 0, 0},           // F17
    {"t3.small", 1, 0, 0, 1, 0, 110, 16, 2, 0, 0},          // F19
    {"t3.small", 1, 0, 0, 1, 0, 110, 58, 3, 1, 2},          // F21
    {"t3.small", 1, 1, 1, 1, 0, 110, 58, 3, 1, 1},          // F25
    {"t3.small", 1, 7, 20, 1, 0, 110, 0, 2, 0, 0},          // F26
    {"t3.small", 1, 7, 20, 1, 0, 110, 58, 3, 1, 2},         // F29
    {"p3dn.24xlarge", 1, 5, 10, 1, 0, 250, 45, 4, 0, 0},    // F36
    {"m5.large", 1, 0, 0, -1, 0, 29, 1, 9, 1, 9},           // G1
    {"m5.large", 1, 0, 0, -1, 0, 29, 10, 9, 2, 18},
    {"m5.large", 1, 0, 0, -1, 0, 29, 29, 9, 2, 18},
    {"m5.xlarge", 1, 0, 0, -1, 0, 58, 29, 14, 3, 42},  // G2
    {"m5.large", 2, 0, 0, -1, 0, 29, 0, 9, 1, 9},      // G4
    {"m5.large", 1, 0, 0, -1, 2, 29, 20, 9, 1, 9},     // G5
    {"m5.xlarge", 1, 0, 12, -1, 0, 58, 13, 12, 0, 0},  // G8
    {"m5.large", 1, 0, 0, 1, 0, 110, 17, 3, 0, 0},     // G11
    {"m5.large", 1, 0, 0, 1, 0, 110, 110, 7, 0, 0},
    {"m5.large", 1, 16, 0, 1, 0, 110, 17, 3, 0, 0},  // G13
};

NodePool PoolOfRow(const Row& row) {
  NodePool node;
  node.type = FindInstanceType(row.type);
  node.settings.enable_ipv4 = true;
  node.settings.warm_eni_target = row.warm_eni;
  node.settings.warm_ip_target = row.warm_ip;
  node.settings.minimum_ip_target = row.minimum_ip;
  node.settings.prefix_delegation = row.warm_prefix >= 0;
  node.settings.warm_prefix_target = std::max(row.warm_prefix, 0);
  if (row.max_eni > 0) node.settings.max_eni = row.max_eni;
  node.max_pods = row.max_pods;
  return node;
}

TEST(HoldingOf, IsWhatTheAgentSettlesAt) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(fmt::format("{} W={} M={} X={}, {} pods", row.type, row.warm_ip, row.minimum_ip,
                             row.warm_prefix, row.pods));
    const Holding holding = HoldingOf(PoolOfRow(row), row.pods);
    EXPECT_EQ(holding.primary_slots, row.primary_slots);
    EXPECT_EQ(holding.other_enis, row.other_enis);
    EXPECT_EQ(holding.other_slots, row.other_slots);
  }
}

TEST(HoldingOf, LeavesAPrimaryEniEmptyThatServesNoPods) {
  NodePool node = PoolOfRow({"m5.large", 1, 0, 0, -1, 0, 20, 0, 0, 0, 0});
  node.primary_serves_pods = false;
  const Holding holding = HoldingOf(node, 0);
  EXPECT_EQ(holding.primary_slots, 0);
  EXPECT_EQ(holding.other_enis, 1);
  EXPECT_EQ(holding.other_slots, 9);
  EXPECT_EQ(node.most_addresses(), 18);
}

TEST(NodePool, LimitsAreTheTypesMaxEnisAndTheTrunks) {
  NodePool node = PoolOfRow({"m5.large", 1, 0, 0, -1, 0, 29, 0, 0, 0, 0});
  EXPECT_EQ(node.most_addresses(), 27);
  node.settings.max_eni = 2;
  EXPECT_EQ(node.most_addresses(), 18);
  node.settings.max_eni = 9;  // above the type's limit: the limit counts
  EXPECT_EQ(node.most_addresses(), 27);
  node.settings.enable_pod_eni = true;
  EXPECT_EQ(node.most_addresses(), 18);
  node.settings.prefix_delegation = true;
  EXPECT_EQ(node.most_addresses(), 18 * 16);
  node.settings.disable_network_provisioning = true;
  EXPECT_EQ(node.most_addresses(), 0);
  EXPECT_EQ(HoldingOf(node, 5).slots(), 0);
}

}  // namespace
}  // namespace cnisim
