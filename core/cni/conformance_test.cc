// Plays core/cni/vectors; each case is a test of its own.
#include <gtest/gtest.h>

#include "core/cni/testing/rpc_script.h"
#include "core/ipam/testing/vector_suite.h"

namespace cnisim {
namespace {

const Vectors& AllVectors() {
  static const Vectors all = ReadVectors(CNISIM_SOURCE_DIR, "core/cni/vectors");
  return all;
}

class CniConformance : public testing::TestWithParam<std::string> {};

TEST_P(CniConformance, Holds) {
  const VectorCase& played = *AllVectors().Find(GetParam());
  RpcScript script;
  EXPECT_FALSE(played.lines.empty());
  EXPECT_TRUE(Play(AllVectors(), played, script)) << played.id << ": " << played.title;
}

INSTANTIATE_TEST_SUITE_P(Vectors, CniConformance, testing::ValuesIn(IdsOf(AllVectors())),
                         [](const auto& info) { return info.param; });

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
