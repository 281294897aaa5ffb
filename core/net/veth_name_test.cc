#include "core/net/veth_name.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

// E6 of amazon-vpc-cni-k8s v1.23.1 (pkg/networkutils).
TEST(VethSuffix, IsWhatTheRealPluginNames) {
  EXPECT_EQ(VethSuffix("kube-system", "coredns-57ff979f67-qqbdh"), "b5faff8a083");
  EXPECT_EQ(VethSuffix("kube-system", "coredns-57ff979f67-8ns9b"), "9571956a6cc");
  EXPECT_EQ(VethSuffix("default", "sample-pod"), "cc21c2d7785");
}

// The dot belongs to the text: only its place tells namespace and name apart.
TEST(VethSuffix, DependsOnTheJoinedTextAlone) {
  EXPECT_EQ(VethSuffix("a", "b.c"), VethSuffix("a.b", "c"));
  EXPECT_NE(VethSuffix("a", "bc"), VethSuffix("ab", "c"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(VethSuffix("", std::to_string(i)).size(), 11u);
}

}  // namespace
}  // namespace cnisim
