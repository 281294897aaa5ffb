// cnisim import FILE...: files of a real cluster to a scenario.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "sim/import/import.h"
#include "sim/scenario/file_reader.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/base/text.h"
#include "tools/cnisim/base/whole_file.h"

namespace cnisim {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string output;
  bool overwrite = false;
  WriteOptions write;
  bool no_placement = false;
};

// Folders give the .json, .yaml and .yml files in them, by name.
Result<std::vector<std::string>> ExpandInputs(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-" || !std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
         it.increment(error)) {
      const std::string extension = it->path().extension();
      if (extension == ".json" || extension == ".yaml" || extension == ".yml") {
        inside.push_back(it->path());
      }
    }
    if (error) return Fail("cannot-read", fmt::format("{}: {}", path, error.message()));
    if (inside.empty()) {
      return Fail("usage", fmt::format("{}: no .json or .yaml file in the folder", path));
    }
    std::ranges::sort(inside);
    std::ranges::move(inside, std::back_inserter(files));
  }
  return files;
}

void SayList(std::string_view heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  Say("{}:\n", heading);
  for (const std::string& line : lines) Say("  {}\n", Escaped(line));
}

Status CheckOutput(const Options& options) {
  if (options.output.empty()) return {};
  std::error_code error;
  if (!options.overwrite && std::filesystem::is_regular_file(options.output, error)) {
    return Fail("usage", fmt::format("{} is there; --overwrite replaces it", options.output));
  }
  return CheckWritable(options.output);
}

ExitCode Import(Options options) {
  if (options.files.empty()) {
    return UsageError(
        "import: no file; give some of aws ec2 describe-*, kubectl get -o json, "
        "eksctl's ClusterConfig, the agents' /v1/enis");
  }
  options.write.placement = !options.no_placement;
  const Result<std::vector<std::string>> names = ExpandInputs(options.files);
  if (!names) return UsageError("import: " + names.error().message);
  if (const Status writable = CheckOutput(options); !writable) {
    return ErrorOf("import", writable.error());
  }
  std::vector<ImportFile> files;
  for (const std::string& name : *names) {
    const bool standard_input = name == "-";
    Result<std::string> text = ReadFile(standard_input ? "/dev/stdin" : name);
    if (!text) return UsageError(fmt::format("import: {}: {}", name, text.error().message));
    files.push_back({standard_input ? std::string(kStandardInput) : name, *std::move(text)});
  }
  ImportResult imported = ImportCluster(std::move(files), options.write);
  if (!imported) {
    for (const Diagnostic& diagnostic : imported.error()) Say("{}\n", diagnostic.ToString());
    return ExitCode::kUsage;
  }
  if (options.output.empty()) {
    fmt::print("{}", imported->yaml);
  } else if (const Status written = WriteWholeFile(options.output, imported->yaml); !written) {
    return RuntimeError(fmt::format("import: {}", written.error().message));
  }
  Say("imported: {} in {}, {}, {}\n", Counted(static_cast<int64_t>(imported->nodes), "node"),
      Counted(static_cast<int64_t>(imported->groups), "node group"),
      Counted(static_cast<int64_t>(imported->subnets), "subnet"),
      Counted(static_cast<int64_t>(imported->workloads), "workload"));
  SayList("contradictions between the files", imported->notes.contradictions());
  SayList("not known from these files", imported->notes.unknown());
  SayList("left out", imported->notes.left_out());
  return ExitCode::kOk;
}

}  // namespace

Command AddImport(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->files, "Files, or folders of them; \"-\" is standard input")
      ->type_name("");
  app.add_option("-o,--output", options->output,
                 "Where the scenario goes (default: standard output)")
      ->type_name("FILE");
  app.add_flag("--overwrite", options->overwrite, "Replace that file if it is there");
  app.add_option("--name", options->write.name, "The scenario's name (default: the cluster's)")
      ->type_name("NAME");
  app.add_flag("--no-placement", options->no_placement,
               "Leave it to the scheduler on which nodes pods are");
  app.footer(
      "Any of these, each known by what is in it:\n"
      "  aws ec2 describe-vpcs, describe-subnets, describe-instances, describe-network-interfaces\n"
      "  kubectl get nodes,pods,deployments,statefulsets,daemonsets,replicasets -A -o json\n"
      "  kubectl get eniconfigs,securitygrouppolicies,ippools,services -A -o json\n"
      "  eksctl's ClusterConfig; the agents' curl http://localhost:61679/v1/enis\n\n"
      "What they do not say is assumed, marked where it stands and listed on standard error.\n\n"
      "  cnisim import subnets.json instances.json enis.json cluster.json -o shop.yaml\n"
      "  kubectl get nodes,pods -A -o json | cnisim import - subnets.json > shop.yaml");
  return [options] { return Import(*options); };
}

}  // namespace cnisim
