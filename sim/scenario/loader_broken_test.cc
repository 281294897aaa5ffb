// What users are told about broken files: testdata/broken/NAME.yaml against NAME.txt beside it.
// UPDATE_GOLDEN=1 rewrites the texts; read them before committing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>

#include "sim/scenario/file_reader.h"
#include "sim/scenario/loader.h"

namespace cnisim {
namespace {

const std::filesystem::path kDirectory =
    std::filesystem::path(CNISIM_SOURCE_DIR) / "sim/scenario/testdata/broken";

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

// Messages as somebody sees them who stands in the directory.
std::string Told(const std::string& name) {
  const LoadResult result =
      LoadScenarioText(ReadFile(kDirectory / (name + ".yaml")).value(), name + ".yaml", kDirectory);
  if (result) return "loads without an error\n";
  std::string told;
  for (const Diagnostic& diagnostic : result.error()) told += diagnostic.ToString() + "\n";
  const std::string prefix = kDirectory.string() + "/";
  for (size_t at; (at = told.find(prefix)) != std::string::npos;) told.erase(at, prefix.size());
  return told;
}

class BrokenScenario : public testing::TestWithParam<std::string> {};

TEST_P(BrokenScenario, IsRefusedWithItsGoldenText) {
  const std::filesystem::path golden = kDirectory / (GetParam() + ".txt");
  const std::string told = Told(GetParam());
  EXPECT_NE(told, "loads without an error\n");
  const char* update = std::getenv("UPDATE_GOLDEN");
  if (update != nullptr && std::string_view(update) == "1") {
    std::ofstream(golden, std::ios::binary) << told;
    return;
  }
  const Result<std::string> expected = ReadFile(golden);
  ASSERT_TRUE(expected) << golden << " " << expected.error().message;
  EXPECT_EQ(told, *expected);
}

INSTANTIATE_TEST_SUITE_P(Directory, BrokenScenario, testing::ValuesIn(Names()),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return std::regex_replace(info.param, std::regex("[^a-zA-Z0-9]"), "_");
                         });

// One line a mistake, from its place to its code.
TEST(BrokenScenarios, EveryTextHasAPlaceAndACode) {
  const std::regex form(R"([^ ]+(:\d+(:\d+)?)?: error: .+ \[[a-z0-9-]+\])");
  for (const std::string& name : Names()) {
    std::istringstream lines(Told(name));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_TRUE(std::regex_match(line, form)) << name << ": " << line;
    }
  }
  EXPECT_GE(Names().size(), 48u);
}

TEST(BrokenScenarios, GoldenTextsHaveTheirFiles) {
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    if (entry.path().extension() != ".txt") continue;
    EXPECT_TRUE(
        std::filesystem::exists(std::filesystem::path(entry.path()).replace_extension(".yaml")))
        << entry.path();
  }
}

}  // namespace
}  // namespace cnisim
