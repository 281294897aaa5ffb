#include "sim/import/import.h"

#include <fmt/format.h>

#include <utility>

#include "sim/import/cluster_facts.h"
#include "sim/import/cluster_files.h"
#include "sim/import/imported_groups.h"
#include "sim/import/imported_nodes.h"
#include "sim/import/imported_vpc.h"
#include "sim/import/imported_workloads.h"
#include "sim/scenario/loader.h"

namespace cnisim {

ImportResult ImportCluster(std::vector<ImportFile> files, const WriteOptions& options) {
  ClusterFacts facts;
  Diagnostics diagnostics(files.empty() ? "" : files.front().name);
  ClusterFileReader reader(facts, diagnostics);
  int source = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    if (i > 0) source = diagnostics.AddSource(files[i].name);
    reader.Read(files[i].text, files[i].name, source);
    files[i].text = {};
  }
  if (diagnostics.has_errors()) return tl::unexpected(diagnostics.Errors());

  ImportedScenario imported;
  Notes& notes = imported.notes;
  for (const std::string& answer : facts.incomplete) {
    notes.Unknown(
        fmt::format("what else {} would have told: its answer says that there is more", answer),
        "nothing");
  }
  ImportedNodes nodes = JoinNodes(facts, notes);
  const ImportedVpc vpc = JoinVpc(facts, nodes, notes);
  const ImportedWorkloads workloads = JoinWorkloads(facts, nodes, notes);
  const ImportedGroups groups = MakeGroups(nodes, vpc, workloads);
  imported.yaml = WriteScenario({facts, nodes, vpc, workloads, groups}, options, notes);
  imported.nodes = nodes.nodes.size();
  imported.groups = groups.groups.size();
  imported.subnets = vpc.subnets.size();
  imported.workloads = workloads.workloads.size();

  // A scenario that does not load would be a half answer.
  LoadResult loaded = LoadScenarioText(imported.yaml, "the scenario of these files", "");
  if (!loaded) return tl::unexpected(std::move(loaded.error()));
  return imported;
}

}  // namespace cnisim
