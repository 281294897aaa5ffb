#include "sim/import/cluster_export.h"

#include "sim/import/export_json.h"

namespace cnisim {

std::vector<ExportedFile> ExportCluster(WorldView& world) {
  constexpr int kIndent = 4;  // of both tools
  std::vector<ExportedFile> files;
  const auto add = [&](const std::string& name, const ExportJson& json) {
    files.push_back(
        {name, json.dump(kIndent, ' ', false, ExportJson::error_handler_t::replace) + "\n"});
  };
  for (const auto& [name, json] : ExportAws(world)) add(name, json);
  for (const auto& [name, json] : ExportKubernetes(world)) add(name, json);
  for (const std::string& node : world.NodeNames()) {
    NodeNetwork* network = world.NetworkOf(node);
    const std::string page = network == nullptr ? "" : network->AgentPage(NodeLogFile::kEnis);
    if (!page.empty()) files.push_back({"enis-" + node + ".json", page + "\n"});
  }
  return files;
}

}  // namespace cnisim
