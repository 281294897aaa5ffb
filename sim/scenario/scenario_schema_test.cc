#include "sim/scenario/scenario_schema.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "sim/scenario/loader_testing.h"
#include "sim/scenario/yaml_tree.h"

namespace cnisim {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

const SchemaNote* Resolved(const SchemaNote* note) {
  if (note == nullptr || note->shared.empty()) return note;
  return TheScenarioSchema().shared->at(note->shared).get();
}

// By keys; "[]" is a list's item.
const SchemaNote* At(std::initializer_list<const char*> path) {
  const SchemaNote* note = TheScenarioSchema().root;
  for (const std::string_view step : path) {
    note = Resolved(note);
    if (note == nullptr) return nullptr;
    note = step == "[]" ? note->items.get() : note->Find(step);
  }
  return note;
}

TEST(ScenarioSchema, HasTypesRangesAndWords) {
  const SchemaNote* replicas = At({"spec", "workloads", "[]", "replicas"});
  ASSERT_NE(replicas, nullptr);
  ASSERT_EQ(replicas->reads.size(), 1u);
  EXPECT_EQ(replicas->reads[0].type, SchemaRead::Type::kInteger);
  EXPECT_EQ(replicas->reads[0].high, 1e6);
  const SchemaNote* kind = At({"spec", "workloads", "[]", "kind"});
  ASSERT_NE(kind, nullptr);
  ASSERT_EQ(kind->reads.size(), 1u);
  EXPECT_THAT(kind->reads[0].words, ElementsAre("Deployment", "CronJob", "DaemonSet", "Trace"));
  const SchemaNote* max_pods = At({"spec", "nodeGroups", "[]", "maxPods"});
  ASSERT_NE(max_pods, nullptr);
  EXPECT_EQ(max_pods->reads.size(), 2u);  // a number or auto
}

TEST(ScenarioSchema, KnowsWhatIsRequired) {
  const SchemaNote* group = At({"spec", "nodeGroups", "[]"});
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->Find("name")->required, group->visits);
  // Not with a node list.
  EXPECT_LT(group->Find("instanceType")->required, group->visits);
  EXPECT_EQ(group->Find("maxSize")->required, 0);
}

TEST(ScenarioSchema, FindsKeysThatOnlySomeWaysReach) {
  for (const auto& path : std::initializer_list<std::initializer_list<const char*>>{
           {"spec", "workloads", "[]", "arrivals", "poisson", "rate"},
           {"spec", "workloads", "[]", "securityGroups", "groupIds", "[]"},
           {"spec", "workloads", "[]", "contentHash"},
           {"spec", "network", "calico", "ipPools", "[]", "natOutgoing"},
           {"spec", "network", "env", "WARM_IP_TARGET"},
           {"spec", "events", "[]", "scale", "desiredCapacity"},
           {"spec", "events", "[]", "setEnv", "MAX_ENI"},
           {"spec", "traffic", "[]", "thinkTime", "lognormal", "p99"},
           {"spec", "traffic", "[]", "streams"},
           {"spec", "dataPlane", "profile", "nic", "flowGbps"},
           {"spec", "nodeGroups", "[]", "nodeList", "file"},
           {"spec", "constants", "node.boot", "empirical", "[]", "weight"}}) {
    EXPECT_NE(At(path), nullptr) << *(path.end() - 1);
  }
}

TEST(ScenarioSchema, TakesDefaultsFromTheResolvedScenario) {
  EXPECT_EQ(At({"spec", "initialState"})->default_text, "settled");
  EXPECT_EQ(At({"spec", "repetitions"})->default_text, "1");
  EXPECT_EQ(At({"spec", "network", "calico", "ipPools", "[]", "blockSize"})->default_text, "26");
  // These follow from other values.
  EXPECT_EQ(At({"spec", "nodeGroups", "[]", "maxSize"})->default_text, "");
  EXPECT_EQ(At({"spec", "services", "[]", "targetPort"})->default_text, "");
}

TEST(ScenarioSchema, EveryKeyHasHelpAndEveryHelpAKey) {
  const std::vector<std::string> paths = SchemaPaths();
  std::set<std::string> with_help;
  for (const SchemaHelp& line : AllSchemaHelp()) {
    EXPECT_TRUE(with_help.insert(std::string(line.path)).second) << line.path << " is there twice";
    EXPECT_THAT(paths, Contains(std::string(line.path)));
    EXPECT_LE(line.help.size(), 110u) << line.path;
    EXPECT_TRUE(!line.help.ends_with('.') || line.help.ends_with("...")) << line.path;
  }
  for (const std::string& path : paths) {
    // Explained by their own catalogues.
    if (path.starts_with("spec.constants.") || path.starts_with("spec.network.quirks.") ||
        path.starts_with("spec.network.env.") || path.starts_with("spec.events[].setEnv.") ||
        path.starts_with("spec.ec2.throttles.") || path.starts_with("spec.ec2.latency.") ||
        path.starts_with("spec.dataPlane.costs.") ||
        path.starts_with("spec.dataPlane.profile.costs.")) {
      continue;
    }
    EXPECT_TRUE(with_help.contains(path)) << path << " has no help";
  }
}

// What a tree has that a note has not, by path.
void Unknown(const YamlNode& node, const SchemaNote* note, const std::string& path,
             std::vector<std::string>& unknown) {
  note = Resolved(note);
  if (note == nullptr) {
    unknown.push_back(path);
    return;
  }
  for (const YamlEntry& entry : node.entries) {
    const SchemaNote* child = note->Find(entry.key);
    if (child == nullptr && note->any_key) child = note->Find("*");
    Unknown(entry.value, child, path + "." + entry.key, unknown);
  }
  for (const YamlNode& item : node.items) Unknown(item, note->items.get(), path + "[]", unknown);
}

// Resolved scenarios have every key that there is a default for.
TEST(ScenarioSchema, HasEveryKeyThatScenariosUse) {
  int documents = 0;
  const std::filesystem::path source(CNISIM_SOURCE_DIR);
  for (const auto& folder : {source / "scenarios", kDirectory}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".yaml") continue;
      SCOPED_TRACE(entry.path());
      const LoadResult loaded = LoadScenario(entry.path());
      ASSERT_TRUE(loaded) << Told(loaded.error());
      Diagnostics diagnostics("");
      const std::optional<YamlNode> tree = ParseYaml(loaded->resolved_yaml, 0, diagnostics);
      ASSERT_TRUE(tree);
      std::vector<std::string> unknown;
      Unknown(*tree, TheScenarioSchema().root, "", unknown);
      EXPECT_THAT(unknown, IsEmpty());
      ++documents;
    }
  }
  EXPECT_GE(documents, 40);
}

TEST(ScenarioSchema, HasNoKeyThatLoadingRefuses) {
  // Each key in the place where the schema has it, through --set: never an unknown one.
  int tried = 0;
  for (const std::string& path : SchemaPaths()) {
    if (!path.starts_with("spec.") || path.find('*') != std::string::npos || path.ends_with("[]") ||
        path.find("nodeSelector.") != std::string::npos) {
      continue;
    }
    std::string set = path.substr(5);
    for (size_t at; (at = set.find("[]")) != std::string::npos;) set.replace(at, 2, "[0]");
    const LoadResult result = LoadScenario(kDirectory / "everything.yaml", {{set + "=?"}});
    if (result) continue;  // any text will do
    for (const Diagnostic& error : result.error()) {
      EXPECT_NE(error.code, "unknown-key") << set << ": " << error.ToString();
    }
    ++tried;
  }
  EXPECT_GE(tried, 100);
}

}  // namespace
}  // namespace cnisim
