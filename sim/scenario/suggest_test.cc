#include "sim/scenario/suggest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace cnisim {
namespace {

// Every string over {a, b, c} up to a length.
std::vector<std::string> Strings(size_t max_length) {
  std::vector<std::string> all{""};
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].size() == max_length) break;
    for (const char c : {'a', 'b', 'c'}) all.push_back(all[i] + c);
  }
  return all;
}

// The recursive definition.
int NaiveDistance(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return static_cast<int>(a.size() + b.size());
  const std::string a1 = a.substr(1), b1 = b.substr(1);
  int best = std::min({NaiveDistance(a1, b) + 1, NaiveDistance(a, b1) + 1,
                       NaiveDistance(a1, b1) + (a[0] == b[0] ? 0 : 1)});
  if (a.size() > 1 && b.size() > 1 && a[0] == b[1] && a[1] == b[0]) {
    best = std::min(best, NaiveDistance(a.substr(2), b.substr(2)) + 1);
  }
  return best;
}

TEST(EditDistance, EqualsItsDefinitionOnAllShortStrings) {
  const std::vector<std::string> strings = Strings(4);
  ASSERT_EQ(strings.size(), 121u);
  for (const std::string& a : strings) {
    for (const std::string& b : strings) EXPECT_EQ(EditDistance(a, b), NaiveDistance(a, b));
  }
}

TEST(Nearest, IgnoresCaseAndRefusesStrangers) {
  const std::string_view words[] = {"replicas", "podLifetime", "VXLAN", "name"};
  EXPECT_EQ(Nearest("replica", words), "replicas");
  EXPECT_EQ(Nearest("erplicas", words), "replicas");
  EXPECT_EQ(Nearest("podlifetime", words), "podLifetime");
  EXPECT_EQ(Nearest("vxlan", words), "VXLAN");
  EXPECT_EQ(Nearest("file", words), std::nullopt);
  EXPECT_EQ(Nearest("", words), std::nullopt);
  EXPECT_EQ(Nearest(std::string(100'000, 'r'), words), std::nullopt);
}

TEST(DidYouMean, ListsTheChoiceWhenNothingIsNear) {
  const std::string_view words[] = {"spread", "pack"};
  EXPECT_EQ(DidYouMean("sprad", words), "did you mean 'spread'?");
  EXPECT_EQ(DidYouMean("random", words), "expected one of spread, pack");
  EXPECT_EQ(DidYouMean("random", {}), "");
}

}  // namespace
}  // namespace cnisim
