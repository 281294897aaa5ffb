#include "sim/scenario/codes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "core/ipam/quirks.h"
#include "sim/scenario/file_reader.h"

namespace cnisim {
namespace {

// Every source but tests and the table itself.
std::string AllSources() {
  std::string all;
  for (const char* folder : {"core", "sim", "tools", "results"}) {
    const std::filesystem::path root = std::filesystem::path(CNISIM_SOURCE_DIR) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string name = entry.path().filename();
      if (name.ends_with("_test.cc") || !(name.ends_with(".cc") || name.ends_with(".h"))) continue;
      all += ReadFile(entry.path()).value();
    }
  }
  return all;
}

TEST(Codes, AreSortedAndExplained) {
  std::string_view before;
  for (const CodeInfo& info : AllCodes()) {
    SCOPED_TRACE(info.code);
    EXPECT_LT(before, info.code);
    before = info.code;
    EXPECT_FALSE(info.summary.empty());
    EXPECT_LE(info.summary.size(), 100u);
    EXPECT_FALSE(info.summary.ends_with('.'));
    EXPECT_TRUE(info.explanation.ends_with('.') || info.explanation.ends_with(')'));
    EXPECT_EQ(info.explanation.find("  "), std::string_view::npos);
  }
}

// What is told of a scenario does not compile without an explanation; what a run finds is checked
// here.
TEST(Codes, ExplainEveryFindingOfARun) {
  const std::string sources = AllSources();
  const std::regex told(R"re((?:TellFinding\(\s*|finding\.code = )"([a-z-]+)")re");
  std::set<std::string> found;
  for (std::sregex_iterator it(sources.begin(), sources.end(), told), end; it != end; ++it) {
    found.insert((*it)[1]);
  }
  EXPECT_GE(found.size(), 9u);
  for (const std::string& code : found) {
    EXPECT_TRUE(code == "quirk-" || FindCode(code) != nullptr) << code;
  }
  for (const QuirkInfo& quirk : AllQuirks()) {
    EXPECT_NE(FindCode("quirk-" + std::string(quirk.name)), nullptr);
  }
}

TEST(Codes, ExplainNothingThatIsNeverTold) {
  const std::string sources = AllSources();
  for (const CodeInfo& info : AllCodes()) {
    if (info.code == "quirk-NAME") continue;
    EXPECT_NE(sources.find('"' + std::string(info.code) + '"'), std::string::npos) << info.code;
  }
}

TEST(Codes, OfOtherTextsAreRefused) {
  EXPECT_EQ(Code::Of("cannot-read").text(), "cannot-read");
  EXPECT_THROW(Code::Of("no-such-code"), std::logic_error);
  EXPECT_EQ(FindCode("no-such-code"), nullptr);
}

}  // namespace
}  // namespace cnisim
