#include "sim/scenario/loader.h"

#include "sim/scenario/file_reader.h"
#include "sim/scenario/network_choice.h"
#include "sim/scenario/overrides.h"
#include "sim/scenario/resolved_yaml.h"
#include "sim/scenario/spec_reader.h"
#include "sim/scenario/yaml_tree.h"

namespace cnisim {
namespace {

// The document as it is read, overrides and all. Empty after an error.
std::optional<YamlNode> ReadDocument(std::string_view text, const LoadOptions& options,
                                     SpecReader& reader, Diagnostics& diagnostics) {
  std::optional<YamlNode> document = ParseYaml(text, 0, diagnostics);
  if (!document) return std::nullopt;
  if (document->is_null()) {
    diagnostics.Error({}, "empty-file", "the file is empty; a scenario is expected");
    return std::nullopt;
  }
  if (document->kind != YamlNode::Kind::kMapping) {
    diagnostics.Error(document->where, "wrong-type",
                      "a scenario must be a mapping, not " + Describe(*document));
    return std::nullopt;
  }
  for (const std::string& set : options.sets) ApplyOverride(set, *document, diagnostics);
  if (!options.network.empty()) ApplyNetworkChoice(options.network, *document, diagnostics);
  reader.Read(*document);
  if (diagnostics.has_errors()) return std::nullopt;
  return document;
}

}  // namespace

LoadResult LoadScenario(const std::filesystem::path& path, const LoadOptions& options) {
  const Result<std::string> text = ReadFile(path);
  if (!text) {
    Diagnostics diagnostics(path.string());
    diagnostics.Error({}, Code::Of(text.error().code), text.error().message);
    return tl::unexpected(diagnostics.Errors());
  }
  return LoadScenarioText(*text, path.string(), path.parent_path(), options);
}

LoadResult LoadScenarioText(std::string_view text, std::string name,
                            const std::filesystem::path& directory, const LoadOptions& options) {
  Diagnostics diagnostics(std::move(name));
  SpecReader reader(directory, diagnostics);
  std::optional<YamlNode> document = ReadDocument(text, options, reader, diagnostics);
  if (!document) return tl::unexpected(diagnostics.Errors());
  LoadedScenario loaded;
  loaded.resolved_yaml = ResolvedYaml(reader.scenario, reader.files);
  for (const auto& [workload, file] : reader.files.traces) {
    loaded.files.push_back(directory / file.path);
  }
  for (const auto& [group, file] : reader.files.node_lists) {
    loaded.files.push_back(directory / file.path);
  }
  if (reader.files.cost_profile) loaded.files.push_back(directory / *reader.files.cost_profile);
  loaded.scenario = std::move(reader.scenario);
  loaded.warnings = diagnostics.Warnings();
  loaded.places = Places(*std::move(document), diagnostics.sources());
  return loaded;
}

}  // namespace cnisim
