#include "tools/cnisim/sweep/sweep_spec.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cnisim {
namespace {

constexpr std::string_view kHead =
    "apiVersion: cnisim.dev/v1alpha1\nkind: Sweep\nmetadata: {name: s}\nspec:\n  base: b.yaml\n";

std::vector<std::string> Texts(const std::vector<SweepCell>& cells) {
  std::vector<std::string> texts;
  for (const SweepCell& cell : cells) texts.push_back(CellText(cell));
  return texts;
}

SweepSpec Read(const std::string& rest, std::string& errors) {
  Diagnostics diagnostics("s.yaml");
  SweepSpec spec = ReadSweep(std::string(kHead) + rest, "/folder", diagnostics);
  for (const Diagnostic& d : diagnostics.Errors()) errors += d.ToString() + '\n';
  return spec;
}

TEST(SweepSpec, CellsAreEveryCombinationWithoutSomeAndWithOthers) {
  std::string errors;
  const SweepSpec spec = Read(
      "  seeds: 1..4\n"
      "  matrix:\n"
      "    network.env.WARM_IP_TARGET: [2, '5', null]\n"
      "    nodeGroups[workers].instanceType: [m5.large, m5.xlarge]\n"
      "    exclude: [{network.env.WARM_IP_TARGET: 2, 'nodeGroups[workers].instanceType': "
      "m5.xlarge}]\n"
      "    include: [{network.env.WARM_ENI_TARGET: 2}]\n",
      errors);
  EXPECT_EQ(errors, "");
  EXPECT_EQ(spec.name, "s");
  EXPECT_EQ(spec.base, "/folder/b.yaml");
  EXPECT_EQ(spec.seeds, "1..4");
  EXPECT_EQ(
      Texts(*CellsOf(spec)),
      (std::vector<std::string>{
          "WARM_IP_TARGET=2, instanceType=m5.large", "WARM_IP_TARGET=5, instanceType=m5.large",
          "WARM_IP_TARGET=5, instanceType=m5.xlarge", "WARM_IP_TARGET=null, instanceType=m5.large",
          "WARM_IP_TARGET=null, instanceType=m5.xlarge", "WARM_ENI_TARGET=2"}));
}

TEST(SweepSpec, MistakesAreToldWithTheirPlaces) {
  const std::pair<std::string, std::string> kCases[] = {
      {"", "'matrix' of spec is missing"},
      {"  matrix: {}\n", "s.yaml:6:11: error: the matrix varies nothing"},
      {"  matrix: {a: []}\n", "has no values"},
      {"  matrix: {a: [1, 1]}\n", "s.yaml:6:19: error: '1' is there twice"},
      {"  matrix: {a: [[1]]}\n", "wrong-type"},
      {"  matrix: {a: [1], exclude: [{a: 2}]}\n", "no cell of the matrix has a=2"},
      {"  matrix: {a: [1], include: [{}]}\n", "is empty"},
      {"  seeds: 4..1\n  matrix: {a: [1]}\n", "a range runs upwards"},
      {"  matrix: {a: [1]}\n  seed: 1\n", "did you mean 'seeds'?"},
  };
  for (const auto& [text, wanted] : kCases) {
    std::string errors;
    Read(text, errors);
    EXPECT_NE(errors.find(wanted), std::string::npos) << text << errors;
  }
}

TEST(SweepSpec, CellsThatCannotBeAreRefused) {
  SweepSpec spec;
  EXPECT_EQ(CellsOf(spec).error().message, "the sweep has no cells: nothing is varied");
  spec.include = {{{"a", "1"}, {"b", "2"}}, {{"b", "2"}, {"a", "1"}}};
  EXPECT_EQ(CellsOf(spec).error().message, "the cell a=1, b=2 is there twice");
  spec.include.clear();
  std::vector<std::string> many;
  for (int i = 0; i < 101; ++i) many.push_back(std::to_string(i));
  spec.axes = {{"a", many}, {"b", many}, {"c", many}};
  EXPECT_EQ(CellsOf(spec).error().message, "the sweep has more than 10000 cells");
}

TEST(SweepSpec, VaryIsAnAxis) {
  const Result<SweepAxis> axis = ParseVary("network.env.WARM_IP_TARGET=2,5");
  ASSERT_TRUE(axis);
  EXPECT_EQ(axis->setting, "network.env.WARM_IP_TARGET");
  EXPECT_EQ(axis->values, (std::vector<std::string>{"2", "5"}));
  for (const char* wrong : {"", "a", "=1", "a=", "a=1,", "a=1,1"}) {
    EXPECT_FALSE(ParseVary(wrong)) << wrong;
  }
}

TEST(SweepSpec, OnlySweepsAreSweeps) {
  EXPECT_TRUE(IsSweep("kind: Sweep"));
  EXPECT_FALSE(IsSweep("kind: Scenario"));
  EXPECT_FALSE(IsSweep("[1]"));
  EXPECT_FALSE(IsSweep("{"));
  EXPECT_FALSE(IsSweep(""));
}

}  // namespace
}  // namespace cnisim
