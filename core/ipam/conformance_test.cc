// Every case of core/ipam/vectors/*.txt as a test of its own, named by its id.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/ipam/testing/conformance_script.h"
#include "core/ipam/testing/vector_suite.h"

namespace cnisim {
namespace {

const Vectors& AllVectors() {
  static const Vectors all = ReadVectors(CNISIM_SOURCE_DIR, "core/ipam/vectors");
  return all;
}

class Conformance : public testing::TestWithParam<std::string> {};

TEST_P(Conformance, Holds) {
  const VectorCase& played = *AllVectors().Find(GetParam());
  ConformanceScript script;
  EXPECT_FALSE(played.lines.empty());
  EXPECT_TRUE(Play(AllVectors(), played, script)) << played.id << ": " << played.title;
}

INSTANTIATE_TEST_SUITE_P(Vectors, Conformance, testing::ValuesIn(IdsOf(AllVectors())),
                         [](const auto& info) { return info.param; });

TEST(ConformanceFiles, AreWellFormed) {
  for (const std::string& problem : AllVectors().problems) ADD_FAILURE() << problem;
  EXPECT_GT(AllVectors().cases.size(), 100u);
}

TEST(ConformanceFiles, ShowEveryQuirk) {
  for (const QuirkInfo& quirk : AllQuirks()) {
    const VectorCase* shown = AllVectors().Find(std::string(quirk.name));
    ASSERT_NE(shown, nullptr) << quirk.name;
    const std::string off = fmt::format("quirk {} off", quirk.name);
    EXPECT_TRUE(std::ranges::any_of(shown->lines, [&](const VectorLine& line) {
      return line.command.find(off) != std::string::npos;
    })) << quirk.name;
  }
}

std::string ParseError(const std::string& text) {
  const Result<std::vector<VectorCase>> cases = ParseVectors("f.txt", text);
  return cases ? "" : cases.error().message;
}

TEST(ConformanceFiles, MalformedOnesAreRefused) {
  EXPECT_EQ(ParseError("\n# nothing\ncase A1 \"a\"\n  wait 1s\n"), "");
  EXPECT_TRUE(ParseError("wait 1s\n").starts_with("f.txt:1: "));
  EXPECT_TRUE(ParseError("\ncase A1 no title\n").starts_with("f.txt:2: "));
  EXPECT_TRUE(ParseError("case A1 \"a\" before A0\n").starts_with("f.txt:1: "));
  EXPECT_TRUE(ParseError("case A1 \"a\"\n  enis ->\n").starts_with("f.txt:2: "));
}

TEST(ConformanceFiles, BadLinesFail) {
  const auto wrong = [](std::string command, std::optional<std::string> expected) {
    ConformanceScript script;
    EXPECT_EQ(script.Run({1, "datastore secondary", std::nullopt}), "");
    EXPECT_EQ(script.Run({2, "eni e1 device=0 primary", "ok"}), "");
    return script.Run({3, std::move(command), std::move(expected)});
  };
  EXPECT_EQ(wrong("enis", "1"), "");
  EXPECT_NE(wrong("enis", "2"), "");
  EXPECT_EQ(wrong("frobnicate", std::nullopt), "unknown command");
  EXPECT_TRUE(wrong("cidr e1", std::nullopt).starts_with("malformed"));
  EXPECT_TRUE(wrong("cidr e1 1.1.1.1/33", std::nullopt).starts_with("malformed"));
  EXPECT_TRUE(wrong("enis please", "1").starts_with("malformed"));
  EXPECT_NE(wrong("cidr e2 1.1.1.1/32", std::nullopt), "");
  EXPECT_EQ(wrong("cidr e2 1.1.1.1/32", "error"), "");
  EXPECT_EQ(wrong("stats", "assigned=0 total=0"), "");
  EXPECT_NE(wrong("stats", "assigned=0 total=1"), "");
}

}  // namespace
}  // namespace cnisim
