#include "core/ipam/subnet_choice.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

const Tags kUsable{{"kubernetes.io/role/cni", "1"}};
const Tags kExcluded{{"kubernetes.io/role/cni", "0"}};

std::string Order(std::vector<Subnet> subnets) {
  std::string order;
  for (const Subnet& subnet : SubnetsForNewEni(std::move(subnets), "p", "")) order += subnet.id;
  return order;
}

TEST(SubnetsForNewEni, MostFreeAddressesFirst) {
  EXPECT_EQ(Order({{"p", "z", 5, {}}, {"a", "z", 9, kUsable}, {"b", "z", 7, kUsable}}), "abp");
}

TEST(SubnetsForNewEni, EqualOnesKeepTheirOrder) {
  EXPECT_EQ(Order({{"b", "z", 5, kUsable}, {"p", "z", 5, {}}, {"a", "z", 5, kUsable}}), "bpa");
}

TEST(SubnetsForNewEni, OnlyUsableOnes) {
  EXPECT_EQ(Order({{"p", "z", 5, kExcluded}, {"a", "z", 9, {}}, {"b", "z", 0, kUsable}}), "b");
  EXPECT_EQ(Order({{"p", "z", 5, kExcluded}}), "");
}

}  // namespace
}  // namespace cnisim
