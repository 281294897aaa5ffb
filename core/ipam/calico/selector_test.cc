#include "core/ipam/calico/selector.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "core/ipam/calico/errors.h"
#include "core/net/hash.h"

namespace cnisim {
namespace {

const Labels kEast = {{"zone", "east-1"}, {"topology.kubernetes.io/rack", "r7"}};
const Labels kNone;

TEST(Selector, Comparisons) {
  struct Row {
    const char* text;
    bool east, none;  // whether it selects those labels
  };
  for (const Row& row : std::initializer_list<Row>{
           {"", true, true},
           {"  ", true, true},
           {"all()", true, true},
           {"has(zone)", true, false},
           {"!has(zone)", false, true},
           {"zone == 'east-1'", true, false},
           {"zone==\"west\"", false, false},
           {"zone != 'west'", true, true},
           {"zone != 'east-1'", false, true},
           {"zone in {'west', 'east-1'}", true, false},
           {"zone in {}", false, false},
           {"zone not in {'east-1'}", false, true},
           {"zone not in {'west'}", true, true},
           {"zone contains 'st-'", true, false},
           {"zone starts with 'east'", true, false},
           {"zone starts with '1'", false, false},
           {"zone ends with '-1'", true, false},
           {"topology.kubernetes.io/rack == 'r7'", true, false},
           {"has(zone) && zone != 'west'", true, false},
           {"zone == 'west' || !has(zone)", false, true},
           {"has(zone) || has(zone) && zone == 'west'", true, false},
           {"(has(zone) || has(zone)) && zone == 'west'", false, false},
           {"!(zone == 'east-1' || zone == 'west')", false, true},
           {"! !has(zone)", true, false},
       }) {
    const auto selector = Selector::Parse(row.text);
    ASSERT_TRUE(selector) << row.text << ": " << selector.error().message;
    EXPECT_EQ(selector->Matches(kEast), row.east) << row.text;
    EXPECT_EQ(selector->Matches(kNone), row.none) << row.text;
    EXPECT_EQ(selector->text(), row.text);
  }
  EXPECT_TRUE(Selector().Matches(kNone));
}

TEST(Selector, NonsenseIsRefused) {
  for (const char* text : {"zone",
                           "zone =",
                           "zone == east",
                           "zone == 'east",
                           "has(",
                           "has()",
                           "all",
                           "all(x)",
                           "who()",
                           "zone in 'a'",
                           "zone in {'a'",
                           "zone in {'a',}",
                           "zone not 'a'",
                           "zone starts 'a'",
                           "(all()",
                           "all())",
                           "all() &&",
                           "|| all()",
                           "all() all()",
                           "!",
                           "zone == 'a' & all()"}) {
    const auto selector = Selector::Parse(text);
    ASSERT_FALSE(selector) << text;
    EXPECT_EQ(selector.error().code, calico_error::kInvalidSelector);
  }
}

// Random expressions, written out as text, against the value they were made to have.
TEST(Selector, ExpressionsMeanWhatTheyWereBuiltFrom) {
  uint64_t state = 1;
  const auto draw = [&state](uint64_t n) { return HashMix(++state) % n; };
  using Made = std::pair<std::string, std::function<bool(const Labels&)>>;
  std::function<Made(int)> make = [&](int depth) -> Made {
    const uint64_t kind = depth == 0 ? 0 : draw(4);
    if (kind == 0) {
      const std::string label(1, static_cast<char>('a' + draw(3)));
      return {fmt::format("has({})", label),
              [label](const Labels& l) { return l.contains(label); }};
    }
    const Made x = make(depth - 1);
    if (kind == 1) return {"!(" + x.first + ")", [x](const Labels& l) { return !x.second(l); }};
    const Made y = make(depth - 1);
    if (kind == 2) {
      return {fmt::format("({}) && ({})", x.first, y.first),
              [x, y](const Labels& l) { return x.second(l) && y.second(l); }};
    }
    return {fmt::format("{} || {}", x.first, y.first),
            [x, y](const Labels& l) { return x.second(l) || y.second(l); }};
  };
  for (int i = 0; i < 500; ++i) {
    const auto [text, meaning] = make(4);
    const auto selector = Selector::Parse(text);
    ASSERT_TRUE(selector) << text;
    for (int bits = 0; bits < 8; ++bits) {
      Labels labels;
      for (int b = 0; b < 3; ++b) {
        if (bits >> b & 1) labels[std::string(1, static_cast<char>('a' + b))] = "";
      }
      ASSERT_EQ(selector->Matches(labels), meaning(labels)) << text << " of " << bits;
    }
  }
}

}  // namespace
}  // namespace cnisim
