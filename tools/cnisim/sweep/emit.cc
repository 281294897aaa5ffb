#include "tools/cnisim/sweep/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "sim/scenario/file_reader.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/table.h"
#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargestConfigMap = size_t{1} << 20;  // etcd's limit for an object
constexpr std::string_view kInput = "/sweep";
constexpr std::string_view kOutput = "/results";

// The command's options that make it this sweep.
std::vector<std::string> Arguments(const EmitOptions& options, const std::string& file) {
  std::vector<std::string> arguments{"sweep", file};
  for (const std::string& set : options.sets) arguments.insert(arguments.end(), {"--set", set});
  for (const std::string& vary : options.vary) arguments.insert(arguments.end(), {"--vary", vary});
  if (!options.seeds.empty()) arguments.insert(arguments.end(), {"--seeds", options.seeds});
  arguments.insert(arguments.end(), {"--resume", "--no-progress"});
  return arguments;
}

std::string Joined(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) line += " " + ShellQuoted(argument);
  return line;
}

// The folder that all files are below.
fs::path CommonFolder(const std::vector<fs::path>& files) {
  fs::path common = files.front().parent_path();
  for (const fs::path& file : files) {
    while (std::mismatch(common.begin(), common.end(), file.begin(), file.end()).first !=
           common.end()) {
      common = common.parent_path();
    }
  }
  return common;
}

}  // namespace

std::string SlurmScript(const EmitOptions& options, const LoadedSweep& sweep, int shards) {
  const std::string& name = sweep.spec.name;
  const std::string file = fs::absolute(sweep.files.front()).lexically_normal().string();
  std::string parts;
  for (int i = 1; i <= shards; ++i) {
    parts += " " + ShardFile(name, {static_cast<size_t>(i), static_cast<size_t>(shards)});
  }
  return fmt::format(R"(#!/bin/bash
# Sweep {0} on Slurm: an array job of {1} parts, then their merge into {0}.db.
# Run it with bash in a folder that all nodes share; options go to sbatch. Run it again after a
# failure: what is done is not done again.
set -eu
export CNISIM="${{CNISIM:-cnisim}}"
array=$(sbatch --parsable --requeue --job-name={0} --array=1-{1} --output={0}-%a.log "$@" <<'END'
#!/bin/bash
"$CNISIM"{2} --shard "$SLURM_ARRAY_TASK_ID/{1}" -j "${{SLURM_CPUS_ON_NODE:-1}}"
code=$?
[ $code -eq 3 ] && exit 0  # an expectation failed: a result
exit $code
END
)
merge=$(sbatch --parsable --job-name={0}-merge --dependency="afterok:${{array%%;*}}" \
  --output={0}-merge.log "$@" <<'END'
#!/bin/bash
exec "$CNISIM" merge{3} --db {0}.db --overwrite
END
)
echo "array job $array, merge job $merge"
)",
                     name, shards, Joined(Arguments(options, file)), parts);
}

Result<std::string> KubernetesManifest(const EmitOptions& options, const LoadedSweep& sweep,
                                       int shards) {
  const std::string& name = sweep.spec.name;
  std::vector<fs::path> files;
  for (const fs::path& file : sweep.files) {
    files.push_back(fs::absolute(file).lexically_normal());
  }
  const fs::path common = CommonFolder(files);
  Json data = Json::object();
  Json items = Json::array();
  size_t bytes = 0;
  for (const fs::path& file : files) {
    const Result<std::string> text = ReadFile(file);
    if (!text) return tl::unexpected(text.error());
    bytes += text->size();
    const std::string key = fmt::format("file-{}", items.size());
    data[key] = *text;
    items.push_back({{"key", key}, {"path", file.lexically_relative(common).string()}});
  }
  if (bytes > kLargestConfigMap) {
    return Fail("usage",
                fmt::format("sweep: its files are {} bytes, more than the {} of a ConfigMap", bytes,
                            kLargestConfigMap));
  }
  const auto metadata = [&name] { return Json{{"name", name}}; };
  const fs::path file = kInput / files.front().lexically_relative(common);
  std::string parts;
  for (int i = 1; i <= shards; ++i) {
    parts += fmt::format(" {}/{}", kOutput,
                         ShardFile(name, {static_cast<size_t>(i), static_cast<size_t>(shards)}));
  }
  // The index counts from 0. Whichever part ends last finds the others and merges them.
  const std::string script = fmt::format(
      "cd {0}\n"
      "part=$((JOB_COMPLETION_INDEX + 1))\n"
      "cnisim{1} --shard \"$part/{2}\"\n"
      "code=$?\n"
      "# 3: an expectation failed, which is a result\n"
      "[ $code -eq 0 ] || [ $code -eq 3 ] || exit $code\n"
      "for file in{3}; do [ -e \"$file\" ] || exit 0; done\n"
      "cnisim merge{3} --db {0}/{4}.db --overwrite\n"
      "code=$?\n"
      "[ $code -eq 3 ] || exit $code\n",
      kOutput, Joined(Arguments(options, file.string())), shards, parts, name);
  const Json container{{"name", "cnisim"},
                       {"image", options.image.empty() ? "cnisim:" CNISIM_VERSION : options.image},
                       {"command", {"/bin/sh", "-c", script}},
                       {"volumeMounts",
                        {{{"name", "sweep"}, {"mountPath", kInput}, {"readOnly", true}},
                         {{"name", "results"}, {"mountPath", kOutput}}}}};
  const Json pod{{"restartPolicy", "OnFailure"},
                 {"containers", Json::array({container})},
                 {"volumes",
                  {{{"name", "sweep"}, {"configMap", {{"name", name}, {"items", items}}}},
                   {{"name", "results"}, {"persistentVolumeClaim", {{"claimName", name}}}}}}};
  const Json documents[] = {
      {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", metadata()}, {"data", data}},
      {{"apiVersion", "v1"},
       {"kind", "PersistentVolumeClaim"},
       {"metadata", metadata()},
       {"spec",
        {{"accessModes", Json::array({"ReadWriteMany"})},
         {"resources", {{"requests", {{"storage", "10Gi"}}}}}}}},
      {{"apiVersion", "batch/v1"},
       {"kind", "Job"},
       {"metadata", metadata()},
       {"spec",
        {{"completionMode", "Indexed"},
         {"completions", shards},
         {"parallelism", shards},
         {"backoffLimit", 6},
         {"template", {{"spec", pod}}}}}}};
  std::string manifest;
  for (const Json& document : documents) {
    if (!manifest.empty()) manifest += "---\n";
    manifest += FormatDocument(document, OutputFormat::kYaml);
  }
  return manifest;
}

ExitCode Emit(const EmitOptions& options, const LoadedSweep& sweep, size_t jobs) {
  const int wanted = options.shards > 0 ? options.shards : static_cast<int>(sweep.cells.size());
  const int shards = std::min(wanted, static_cast<int>(jobs));
  if (options.engine == "slurm") {
    fmt::print("{}", SlurmScript(options, sweep, shards));
    return ExitCode::kOk;
  }
  const Result<std::string> manifest = KubernetesManifest(options, sweep, shards);
  if (!manifest) return ErrorOf("sweep", manifest.error());
  fmt::print("{}", *manifest);
  return ExitCode::kOk;
}

}  // namespace cnisim
