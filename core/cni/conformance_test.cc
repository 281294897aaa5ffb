// Plays core/cni/vectors; each case is a test of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/cni/testing/rpc_script.h"

namespace cnisim {
namespace {

struct Vectors {
  std::vector<VectorCase> cases;
  std::vector<std::string> problems;
};

const Vectors& AllVectors() {
  static const Vectors all = [] {
    Vectors read;
    for (const char* name : {"core/cni/vectors/backend.txt", "core/cni/vectors/plugin.txt"}) {
      std::ostringstream text;
      text << std::ifstream(std::filesystem::path(CNISIM_SOURCE_DIR) / name).rdbuf();
      Result<std::vector<VectorCase>> cases = ParseVectors(name, text.str());
      if (cases) {
        read.cases.insert(read.cases.end(), cases->begin(), cases->end());
      } else {
        read.problems.push_back(cases.error().message);
      }
    }
    std::set<std::string> ids;
    for (const VectorCase& each : read.cases) {
      if (!ids.insert(each.id).second) read.problems.push_back(each.id + " is there twice");
      if (!each.after.empty() && !ids.contains(each.after)) {
        read.problems.push_back(each.id + " follows no earlier case");
      }
    }
    return read;
  }();
  return all;
}

const VectorCase& CaseNamed(const std::string& id) {
  return *std::ranges::find(AllVectors().cases, id, &VectorCase::id);
}

// The lines of the case, after those of the cases that it follows.
void Play(const VectorCase& played, RpcScript& script) {
  if (!played.after.empty()) Play(CaseNamed(played.after), script);
  for (const VectorLine& line : played.lines) {
    const std::string wrong = script.Run(line);
    EXPECT_EQ(wrong, "") << played.file << ":" << line.number << ": " << line.command;
  }
}

class CniConformance : public testing::TestWithParam<std::string> {};

TEST_P(CniConformance, Holds) {
  const VectorCase& played = CaseNamed(GetParam());
  EXPECT_FALSE(played.lines.empty());
  RpcScript script;
  Play(played, script);
}

std::vector<std::string> Ids() {
  std::vector<std::string> ids;
  if (!AllVectors().problems.empty()) return ids;
  for (const VectorCase& each : AllVectors().cases) ids.push_back(each.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Vectors, CniConformance, testing::ValuesIn(Ids()),
                         [](const auto& info) { return info.param; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CniConformance);

TEST(CniConformanceFiles, AreWellFormed) {
  for (const std::string& problem : AllVectors().problems) ADD_FAILURE() << problem;
  EXPECT_GT(AllVectors().cases.size(), 70u);
}

TEST(CniConformanceFiles, BadLinesFail) {
  const auto wrong = [](std::string command, std::optional<std::string> expected) {
    RpcScript script;
    EXPECT_EQ(script.Run({1, "backend", "ok"}), "");
    EXPECT_EQ(script.Run({2, "card 0", "ok"}), "");
    return script.Run({3, std::move(command), std::move(expected)});
  };
  EXPECT_EQ(wrong("add default/p", "Success=false ips=none"), "");
  EXPECT_NE(wrong("add default/p", "Success=true"), "");
  EXPECT_NE(wrong("del default/p", std::nullopt), "");
  EXPECT_EQ(wrong("del default/p", "error"), "");
  EXPECT_EQ(wrong("frobnicate", std::nullopt), "unknown command");
  EXPECT_TRUE(wrong("add p", std::nullopt).starts_with("malformed"));
  EXPECT_TRUE(wrong("add default/p please", std::nullopt).starts_with("malformed"));
  EXPECT_TRUE(wrong("address 10.0.0.1 card=1 device=0 table=2", "ok").starts_with("malformed"));
  EXPECT_TRUE(wrong("vpc 10.0.0.0/33", "ok").starts_with("malformed"));
}

}  // namespace
}  // namespace cnisim
