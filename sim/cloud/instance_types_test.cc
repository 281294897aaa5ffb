#include "sim/cloud/instance_types.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>

namespace cnisim {
namespace {

TEST(InstanceTypes, CountsOfTheUpstreamTable) {
  std::map<Hypervisor, int> hypervisors;
  std::map<int, int> cards;
  int bare_metal = 0;
  int prefixes = 0;
  int derived = 0;
  std::map<int, int> trunks;  // 1: can have one
  for (const InstanceType& type : AllInstanceTypes()) {
    ++hypervisors[type.hypervisor];
    ++cards[type.network_cards];
    bare_metal += type.bare_metal ? 1 : 0;
    prefixes += PrefixDelegationSupported(type) ? 1 : 0;
    derived += type.derived ? 1 : 0;
    ++trunks[std::min(type.branch_enis, 1)];
  }
  EXPECT_EQ(AllInstanceTypes().size(), 1391u);
  EXPECT_EQ(hypervisors[Hypervisor::kNitro], 1150);
  EXPECT_EQ(hypervisors[Hypervisor::kUnknown], 161);
  EXPECT_EQ(hypervisors[Hypervisor::kXen], 80);
  EXPECT_EQ(bare_metal, 160);
  EXPECT_EQ(prefixes, 1309);
  EXPECT_EQ(derived, 283);
  EXPECT_EQ(std::ranges::count(AllInstanceTypes(), 0, &InstanceType::baseline_mbps), 52);
  EXPECT_EQ(FindInstanceType("c5.4xlarge")->baseline_mbps, 5000);
  EXPECT_EQ(FindInstanceType("m5.24xlarge")->baseline_mbps, 25000);
  EXPECT_EQ(trunks[1], 1059);
  EXPECT_EQ(trunks[0], 104);
  EXPECT_EQ(trunks[-1], 228);
  const std::map<int, int> expected{{1, 1324}, {2, 54}, {4, 5}, {8, 2}, {16, 3}, {17, 1}, {32, 2}};
  EXPECT_EQ(cards, expected);
}

TEST(InstanceTypes, EveryTypeIsFoundAndPlausible) {
  std::string_view before;
  for (const InstanceType& type : AllInstanceTypes()) {
    EXPECT_EQ(FindInstanceType(type.name), &type);
    EXPECT_LT(before, type.name);
    before = type.name;
    EXPECT_GE(type.eni_limit, 1);
    EXPECT_LE(type.eni_limit, 24);
    EXPECT_GE(type.ipv4_per_eni, 2);
    EXPECT_LE(type.ipv4_per_eni, 64);
    EXPECT_LE(type.branch_enis, 120);
    EXPECT_GE(type.vcpu, 1);
    EXPECT_GE(type.memory_mib, 500);
  }
  for (const std::string_view name : {"", "m5", "m5.larg", "m5.largee", "zz.large", "M5.large"}) {
    EXPECT_EQ(FindInstanceType(name), nullptr) << name;
  }
}

TEST(InstanceTypes, BranchEnis) {
  const std::map<std::string, int> expected{
      {"m5.large", 9}, {"m5.xlarge", 18}, {"c5.4xlarge", 54}, {"t3.medium", 0}, {"m4.large", 0}};
  for (const auto& [name, branches] : expected) {
    EXPECT_EQ(FindInstanceType(name)->branch_enis, branches) << name;
    EXPECT_EQ(CountsAsTrunkCompatible(*FindInstanceType(name)), branches > 0) << name;
  }
  EXPECT_TRUE(CountsAsTrunkCompatible(*FindInstanceType("bmn-sf1.metal")));  // not listed
}

TEST(InstanceTypes, PublishedMaxPods) {
  const std::map<std::string, int> expected{
      {"t3.small", 11},    {"t3.medium", 17},   {"m5.large", 29},
      {"m5.xlarge", 58},   {"c5.4xlarge", 234}, {"m5.24xlarge", 737},
      {"m4.4xlarge", 234}, {"t2.micro", 4},     {"p5.48xlarge", 100}};
  for (const auto& [name, pods] : expected) {
    const InstanceType* type = FindInstanceType(name);
    ASSERT_NE(type, nullptr) << name;
    EXPECT_EQ(MaxPods(*type, false), pods) << name;
  }
}

TEST(InstanceTypes, MaxPodsOfPrefixModeAndCustomNetworking) {
  const auto pods = [](std::string_view name, bool prefix, bool custom) {
    return MaxPods(*FindInstanceType(name), prefix, custom);
  };
  EXPECT_EQ(pods("m5.large", true, false), 110);
  EXPECT_EQ(pods("m5.24xlarge", true, false), 250);
  EXPECT_EQ(pods("t3.nano", true, false), 2 * 1 * 16 + 2);
  EXPECT_EQ(pods("m4.4xlarge", true, false), 234);  // xen has no prefixes
  EXPECT_EQ(pods("m5.large", false, true), 20);
  EXPECT_EQ(pods("t3.nano", true, true), 18);
}

// The rule for types that no listing has.
TEST(InstanceTypes, DerivedSizesFollowTheirSuffix) {
  int checked = 0;
  for (const InstanceType& type : AllInstanceTypes()) {
    if (!type.derived || type.name.starts_with("hpc")) continue;
    const std::string_view size = type.name.substr(type.name.find('.') + 1);
    int n = 0;
    if (size.ends_with("xlarge") || size.starts_with("metal-")) {
      const std::string_view digits = size.starts_with("metal-") ? size.substr(6) : size;
      if (std::from_chars(digits.data(), digits.data() + digits.size(), n).ec != std::errc()) n = 1;
      n *= 4;
    } else if (size == "large") {
      n = 2;
    } else if (size == "medium") {
      n = 1;
    }
    if (n == 0 || type.name == "hs1.8xlarge") continue;
    ++checked;
    EXPECT_EQ(type.vcpu, n) << type.name;
    if (type.name.starts_with("m8i")) {
      EXPECT_EQ(type.memory_mib, n * 4096) << type.name;
    }
  }
  EXPECT_GT(checked, 250);
}

}  // namespace
}  // namespace cnisim
