#include "sim/scenario/yaml_tree.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

// JSON-like, with quotes only where the tree says that a scalar was quoted.
std::string Shown(const YamlNode& node) {
  std::string text;
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kScalar:
      return node.quoted ? '"' + node.text + '"' : node.text;
    case YamlNode::Kind::kList:
      for (const YamlNode& item : node.items) text += (text.empty() ? "" : ",") + Shown(item);
      return "[" + text + "]";
    case YamlNode::Kind::kMapping:
      for (const YamlEntry& entry : node.entries) {
        text += (text.empty() ? "" : ",") + entry.key + ":" + Shown(entry.value);
      }
      return "{" + text + "}";
  }
  return text;
}

std::string Parsed(std::string_view text) {
  Diagnostics diagnostics("t");
  const std::optional<YamlNode> node = ParseYaml(text, 0, diagnostics);
  if (diagnostics.has_errors()) return diagnostics.Errors()[0].ToString();
  return node ? Shown(*node) : "no tree and no error";
}

TEST(ParseYaml, BuildsPlainTrees) {
  EXPECT_EQ(Parsed("a: 1\nb: [x, 'y', ~, null, \"\"]\nc: {d: }\n"),
            "{a:1,b:[x,\"y\",null,null,\"\"],c:{d:null}}");
  EXPECT_EQ(Parsed("a: !!str 1\nb: |\n  t\n"), "{a:\"1\",b:\"t\n\"}");
  EXPECT_EQ(Parsed(""), "null");
  EXPECT_EQ(Parsed("# nothing\n"), "null");
}

TEST(ParseYaml, ResolvesAliases) {
  EXPECT_EQ(Parsed("a: &x {p: 1}\nb: *x\nc: [*x, *x]\n"), "{a:{p:1},b:{p:1},c:[{p:1},{p:1}]}");
  EXPECT_EQ(Parsed("a: &x [*x]\n"), "t:1:8: error: an alias inside its own anchor [yaml-alias]");
}

TEST(ParseYaml, MergesAsTheMergeKeySays) {
  EXPECT_EQ(Parsed("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n"), "{a:{p:1,q:2},b:{q:3,p:1}}");
  EXPECT_EQ(Parsed("- &x {p: 1}\n- &y {p: 2, q: 2}\n- {<<: [*x, *y]}\n"),
            "[{p:1},{p:2,q:2},{p:1,q:2}]");
  EXPECT_EQ(Parsed("- &x {p: 1}\n- &y {<<: *x, q: 2}\n- {<<: *y}\n"),
            "[{p:1},{q:2,p:1},{q:2,p:1}]");
}

TEST(ParseYaml, LocatesValues) {
  Diagnostics diagnostics("t");
  const auto node = ParseYaml("a:\n  - b: 1\n    c:\n", 0, diagnostics);
  ASSERT_TRUE(node);
  const YamlNode& item = node->Find("a")->items[0];
  EXPECT_EQ(item.Find("b")->where, (Location{0, 2, 8}));
  EXPECT_EQ(item.Find("c")->where, (Location{0, 3, 5}));  // absent: its key
}

// A quote without its end is found wherever the text breaks off inside a quoted scalar.
TEST(ParseYaml, FindsUnclosedQuotes) {
  for (const char quote : {'"', '\''}) {
    const std::string q(1, quote);
    for (const std::string& before :
         {std::string("a: "), std::string("- "), std::string("[x, "), std::string("{a: "),
          std::string("a: &n "), std::string("a: !!str &n\n  ")}) {
      const std::string open = before + q + "text " + (quote == '"' ? "\\\" " : "'' ");
      const std::string told = Parsed(open);
      EXPECT_NE(told.find("never closed"), std::string::npos) << open << " gives " << told;
    }
  }
  EXPECT_EQ(Parsed("a: 'it''s'\nb: \"\\\"\"\n"), "{a:\"it's\",b:\"\"\"}");
}

TEST(ParseYaml, LimitsWhatASmallFileCanBecome) {
  const auto code = [](const std::string& text) {
    Diagnostics diagnostics("t");
    ParseYaml(text, 0, diagnostics);
    return diagnostics.has_errors() ? diagnostics.Errors()[0].code : "";
  };
  for (const int depth : {60, 63}) {
    EXPECT_EQ(code(std::string(static_cast<size_t>(depth), '[') +
                   std::string(static_cast<size_t>(depth), ']')),
              "");
  }
  for (const size_t depth : {65u, 1000u, 100'000u}) {
    EXPECT_EQ(code(std::string(depth, '[')), "yaml-too-deep");
    std::string indented;
    for (size_t i = 0; i < std::min<size_t>(depth, 1000); ++i) {
      indented += std::string(i, ' ') + "a:\n";
    }
    EXPECT_EQ(code(indented), "yaml-too-deep");
  }
  // Depth through aliases.
  std::string chain = "- &a0 [x]\n";
  for (int i = 1; i < 80; ++i) {
    chain += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_EQ(code(chain), "yaml-too-deep");
  // Nested anchors, each of which must be remembered.
  std::string nested;
  for (int i = 0; i < 60; ++i) nested += "&n" + std::to_string(i) + " [";
  nested += "x";
  for (int i = 0; i < 20'000; ++i) nested += ",x";
  EXPECT_EQ(code(nested + std::string(60, ']')), "yaml-too-large");
  EXPECT_EQ(code("a: " + std::string(kMaxYamlBytes, 'x')), "yaml-too-large");
}

TEST(ParseYaml, RefusesEveryMalformedUtf8Sequence) {
  const auto accepted = [](const std::string& bytes) {
    Diagnostics diagnostics("t");
    return ParseYaml("# " + bytes + "\na: 1\n", 0, diagnostics).has_value();
  };
  for (const char* good : {"\u00e9", "\u20ac", "\U0001f600", "\ud7ff", "\ue000", "\U0010ffff"}) {
    EXPECT_TRUE(accepted(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe"}) {
    EXPECT_FALSE(accepted(bad));
  }
}

}  // namespace
}  // namespace cnisim
