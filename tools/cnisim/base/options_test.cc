#include "tools/cnisim/base/options.h"

#include <gtest/gtest.h>

#include "tools/cnisim/base/exit_code.h"

namespace cnisim {
namespace {

TEST(ParseSeeds, RangesAndLists) {
  using Seeds = std::vector<uint64_t>;
  EXPECT_EQ(*ParseSeeds("1..4"), (Seeds{1, 2, 3, 4}));
  EXPECT_EQ(*ParseSeeds("7"), Seeds{7});
  EXPECT_EQ(*ParseSeeds("5,1..2,9"), (Seeds{5, 1, 2, 9}));
  EXPECT_EQ(*ParseSeeds("18446744073709551614..18446744073709551615"),
            (Seeds{UINT64_MAX - 1, UINT64_MAX}));
  EXPECT_EQ(ParseSeeds("1..10000")->size(), 10'000u);
}

TEST(ParseSeeds, RefusesNonsense) {
  for (const char* text :
       {"", "a", "1..", "..3", "3..1", "1,,2", "1,", "-1", "1...3", "1,1", "1..5,3", "1..10001",
        "20001..30000,1", "0..18446744073709551615", "18446744073709551616", " 1"}) {
    const auto seeds = ParseSeeds(text);
    ASSERT_FALSE(seeds) << text;
    EXPECT_NE(seeds.error().message.find("write 1..32"), std::string::npos);
  }
}

// Exhaustive over pairs: the order of precedence is 2, 130, 5, 4, 1, 6, 3, 0.
TEST(ExitCode, TheWorseOneCounts) {
  const int order[] = {2, 130, 5, 4, 1, 6, 3, 0};
  for (int i = 0; i < 8; ++i) {
    for (int j = i; j < 8; ++j) {
      const auto a = static_cast<ExitCode>(order[i]);
      const auto b = static_cast<ExitCode>(order[j]);
      EXPECT_EQ(Worse(a, b), a);
      EXPECT_EQ(Worse(b, a), a);
    }
  }
}

}  // namespace
}  // namespace cnisim
