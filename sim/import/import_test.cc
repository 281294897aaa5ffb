// Files of the real tools' shapes, written by hand, against the scenarios that become of them:
// testdata/NAME/* against testdata/NAME.yaml and what is told, testdata/NAME.txt. UPDATE_GOLDEN=1
// rewrites both; read them before committing.
#include "sim/import/import.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/cluster/world.h"
#include "sim/scenario/file_reader.h"
#include "sim/scenario/loader.h"

namespace cnisim {
namespace {

namespace fs = std::filesystem;

const fs::path kDirectory = fs::path(CNISIM_SOURCE_DIR) / "sim/import/testdata";

std::vector<ImportFile> FilesOf(const std::string& name) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(kDirectory / name)) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<ImportFile> files;
  for (const fs::path& path : paths) {
    files.push_back({path.filename().string(), ReadFile(path).value()});
  }
  return files;
}

std::string Told(const Notes& notes) {
  std::string text;
  for (const std::string& line : notes.contradictions()) text += "contradiction: " + line + "\n";
  for (const std::string& line : notes.unknown()) text += "not known: " + line + "\n";
  for (const std::string& line : notes.left_out()) text += "left out: " + line + "\n";
  return text;
}

std::string Errors(const ImportResult& result) {
  if (result) return "";
  std::string text;
  for (const Diagnostic& diagnostic : result.error()) text += diagnostic.ToString() + "\n";
  return text;
}

ImportResult ImportText(const std::string& text) { return ImportCluster({{"it.json", text}}); }

void ExpectGolden(const fs::path& path, const std::string& text) {
  const char* update = std::getenv("UPDATE_GOLDEN");
  if (update != nullptr && std::string_view(update) == "1") {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  const Result<std::string> expected = ReadFile(path);
  ASSERT_TRUE(expected) << path;
  EXPECT_EQ(text, *expected) << path;
}

class ImportGolden : public testing::TestWithParam<const char*> {};

TEST_P(ImportGolden, GivesItsScenarioAndTellsWhatItDoesNotKnow) {
  const std::string name = GetParam();
  const ImportResult imported = ImportCluster(FilesOf(name));
  ASSERT_TRUE(imported) << Errors(imported);
  ExpectGolden(kDirectory / (name + ".yaml"), imported->yaml);
  ExpectGolden(kDirectory / (name + ".txt"), Told(imported->notes));
  // It runs, too.
  const LoadResult loaded = LoadScenarioText(imported->yaml, name, "");
  ASSERT_TRUE(loaded);
  size_t nodes = 0;
  LookAtWorld(loaded->scenario, 1, kTimeZero,
              [&](WorldView& world) { nodes = world.Nodes().size(); });
  EXPECT_EQ(nodes, imported->nodes);
}

INSTANTIATE_TEST_SUITE_P(Folders, ImportGolden,
                         testing::Values("shop", "kubectl-only", "eksctl-only", "calico",
                                         "contradictions"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

// Every unknown is marked where it stands, or is about something that has no line of its own.
TEST(Import, UnknownsAreMarkedAtTheirPlace) {
  for (const char* name : {"shop", "kubectl-only", "eksctl-only", "calico"}) {
    const ImportResult imported = ImportCluster(FilesOf(name));
    ASSERT_TRUE(imported);
    for (const std::string& unknown : imported->notes.unknown()) {
      const bool of_many =
          unknown.starts_with("which nodes of") || unknown.starts_with("in which subnet of zone");
      EXPECT_TRUE(of_many || imported->yaml.find("# not known from these files: " + unknown) !=
                                 std::string::npos)
          << unknown;
    }
  }
}

TEST(Import, TheOrderAndNamesOfFilesDoNotMatter) {
  std::vector<ImportFile> files = FilesOf("shop");
  const ImportResult in_order = ImportCluster(files);
  std::ranges::reverse(files);
  for (size_t i = 0; i < files.size(); ++i) files[i].name = fmt::format("file-{}", i);
  const ImportResult reversed = ImportCluster(files);
  ASSERT_TRUE(in_order && reversed);
  // Workloads come in the order of the files, everything else in one of its own.
  const auto sorted_lines = [](const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    std::ranges::sort(lines);
    return lines;
  };
  EXPECT_EQ(sorted_lines(in_order->yaml), sorted_lines(reversed->yaml));
  EXPECT_EQ(in_order->notes.contradictions(), reversed->notes.contradictions());
}

TEST(Import, WhatIsThereTwiceCountsOnce) {
  std::vector<ImportFile> files = FilesOf("shop");
  const ImportResult once = ImportCluster(files);
  for (const ImportFile& file : FilesOf("shop")) files.push_back({"again-" + file.name, file.text});
  const ImportResult twice = ImportCluster(files);
  ASSERT_TRUE(once && twice);
  EXPECT_EQ(once->yaml, twice->yaml);
  EXPECT_EQ(Told(once->notes), Told(twice->notes));
}

TEST(Import, PagesAppendedToOneFileAreOne) {
  const std::string first =
      R"({"Subnets": [{"SubnetId": "subnet-1", "AvailabilityZone": "us-east-1a",
    "CidrBlock": "10.0.0.0/24", "AvailableIpAddressCount": 251}]})";
  const std::string second =
      R"({"Subnets": [{"SubnetId": "subnet-2", "AvailabilityZone": "us-east-1b",
    "CidrBlock": "10.0.1.0/24", "AvailableIpAddressCount": 251}]})";
  const ImportResult imported = ImportText(first + "\n" + second);
  ASSERT_TRUE(imported) << Errors(imported);
  EXPECT_EQ(imported->subnets, 2u);
}

TEST(Import, EmptyListsAreNoMistake) {
  EXPECT_TRUE(ImportText(R"({"Reservations": []})"));
  EXPECT_TRUE(ImportText(R"({"kind": "List", "apiVersion": "v1", "items": []})"));
}

TEST(Import, MistakesHaveTheirPlace) {
  EXPECT_EQ(Errors(ImportText("{\"Subnets\": [\n  {\"SubnetId\": \"subnet-1\",,}\n]}")),
            "it.json:2:27: error: syntax error while parsing "
            "object key - unexpected ','; expected string literal [bad-json]\n");
  EXPECT_EQ(Errors(ImportText("{\"Subnets\": [\n  {\"SubnetId\": \"subnet-1\", "
                              "\"AvailabilityZone\": \"a\",\n   \"CidrBlock\": \"10.0.0.0\"}]}")),
            "it.json:3:17: error: 'CidrBlock' of subnet subnet-1 must be an IPv4 block such as "
            "10.0.0.0/16, not the string \"10.0.0.0\" [bad-cidr]\n");
  EXPECT_EQ(Errors(ImportText("{\"Subnets\": {}}")),
            "it.json:1:13: error: 'Subnets' of the document must be a list, not a mapping "
            "[wrong-type]\n");
  EXPECT_NE(Errors(ImportText("{\"Reservations\": [{\"Instances\": [{\"InstanceId\": 7}]}]}"))
                .find("error: 'InstanceType' of instance 7 is missing [missing-key]"),
            std::string::npos);
  EXPECT_EQ(Errors(ImportText(" \n")), "it.json: error: the file is empty [empty-file]\n");
  EXPECT_NE(Errors(ImportText("[{\"SubnetId\": \"subnet-1\"}]")).find("--query"),
            std::string::npos);
  EXPECT_NE(Errors(ImportText("\xff\xfe{")).find("UTF-16"), std::string::npos);
  EXPECT_NE(Errors(ImportText("{\"a\": 1}")).find("[unknown-document]"), std::string::npos);
  EXPECT_NE(Errors(ImportText("{\"Subnets\": [")).find("[bad-json]"), std::string::npos);
  EXPECT_NE(Errors(ImportText(std::string(100'000, '['))).find("nested"), std::string::npos);
}

// Whatever an interrupted download leaves, there is a scenario or an error with a place.
TEST(Import, EveryBeginningOfAFileIsAnErrorAndNoCrash) {
  const std::string text = ReadFile(kDirectory / "contradictions/workloads.json").value();
  for (size_t n = 1; n + 2 < text.size(); n += 7) {
    const ImportResult result = ImportText(text.substr(0, n));
    ASSERT_FALSE(result) << n;
    EXPECT_GT(result.error().front().line, 0) << n;
  }
}

}  // namespace
}  // namespace cnisim
