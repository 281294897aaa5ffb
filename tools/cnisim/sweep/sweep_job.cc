#include "tools/cnisim/sweep/sweep_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/net/hash.h"
#include "sim/scenario/file_reader.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/say.h"

namespace cnisim {
namespace {

namespace fs = std::filesystem;

// The setting that is given as --network rather than as --set.
constexpr std::string_view kNetworkSetting = "network";

Status AddVary(const std::vector<std::string>& vary, SweepSpec& spec) {
  for (const std::string& text : vary) {
    Result<SweepAxis> axis = ParseVary(text);
    if (!axis) return tl::unexpected(axis.error());
    if (std::ranges::find(spec.axes, axis->setting, &SweepAxis::setting) != spec.axes.end()) {
      return Fail("usage", fmt::format("--vary {}: it is varied twice", axis->setting));
    }
    spec.axes.push_back(std::move(*axis));
  }
  return {};
}

// The sweep that the text is, or that varies it.
std::optional<SweepSpec> SpecOf(const std::string& path, const std::string& text,
                                const std::vector<std::string>& vary) {
  SweepSpec spec;
  if (IsSweep(text)) {
    if (!vary.empty()) {
      UsageError(fmt::format("sweep: --vary is for scenarios; {} says itself what varies", path));
      return std::nullopt;
    }
    Diagnostics diagnostics(path);
    spec = ReadSweep(text, fs::path(path).parent_path(), diagnostics);
    if (!diagnostics.has_errors()) return spec;
    for (const Diagnostic& d : diagnostics.Errors()) Say("{}\n", d.ToString());
    return std::nullopt;
  }
  spec.base = path;
  if (const Status added = AddVary(vary, spec); !added) {
    ErrorOf("sweep", added.error());
    return std::nullopt;
  }
  return spec;
}

// Says what is wrong with a cell; several cells often have the same mistake.
void TellCell(const SweepCell& cell, const std::vector<Diagnostic>& told,
              std::set<std::string>& seen) {
  for (const Diagnostic& d : told) {
    const std::string text = d.ToString();
    if (seen.insert(text).second) Say("{} (cell {})\n", text, CellText(cell));
  }
}

}  // namespace

std::optional<LoadedSweep> LoadSweep(const std::string& path, const std::vector<std::string>& sets,
                                     const std::vector<std::string>& vary) {
  const Result<std::string> text = ReadFile(path);
  if (!text) {
    ErrorOf("sweep", Error{"usage", fmt::format("{}: {}", path, text.error().message)});
    return std::nullopt;
  }
  std::optional<SweepSpec> spec = SpecOf(path, *text, vary);
  if (!spec) return std::nullopt;
  const Result<std::vector<SweepCell>> cells = CellsOf(*spec);
  if (!cells) {
    ErrorOf("sweep", cells.error());
    return std::nullopt;
  }
  LoadedSweep sweep;
  sweep.files.emplace_back(path);
  if (spec->base != path) sweep.files.push_back(spec->base);
  std::set<std::string> seen;
  bool valid = true;
  for (const SweepCell& cell : *cells) {
    ScenarioFile file{spec->base.string(), "", sets, cell, {}};
    LoadOptions load{sets};
    for (const auto& [setting, value] : cell) {
      if (setting == kNetworkSetting) {
        load.network = value;
      } else {
        load.sets.push_back(fmt::format("{}={}", setting, value));
      }
    }
    LoadResult loaded = LoadScenario(spec->base, load);
    TellCell(cell, loaded ? loaded->warnings : loaded.error(), seen);
    valid = valid && loaded;
    if (!loaded) continue;
    for (const fs::path& read : loaded->files) {
      if (std::ranges::find(sweep.files, read) == sweep.files.end()) sweep.files.push_back(read);
    }
    file.network = load.network;
    file.sets = std::move(load.sets);
    file.loaded = std::move(*loaded);
    sweep.cells.push_back(std::move(file));
  }
  if (!valid) return std::nullopt;
  if (spec->name.empty()) spec->name = sweep.cells.front().loaded.scenario.name + "-sweep";
  sweep.spec = std::move(*spec);
  return sweep;
}

Result<Shard> ParseShard(std::string_view text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, shard.index);
  const bool slash = index.ec == std::errc() && index.ptr != end && *index.ptr == '/';
  const auto count = slash ? std::from_chars(index.ptr + 1, end, shard.count) : index;
  const bool good = slash && count.ec == std::errc() && count.ptr == end && shard.index >= 1 &&
                    shard.index <= shard.count && shard.count <= kMaxCells;
  if (good) return shard;
  return Fail("usage", fmt::format("--shard {}: write 1/4 for the first of four parts", text));
}

std::string ShardFile(const std::string& name, const Shard& shard) {
  if (shard.count == 1) return name + ".db";
  return fmt::format("{}-{}of{}.db", name, shard.index, shard.count);
}

SweepRecord RecordOf(const LoadedSweep& sweep, std::span<const Job> jobs) {
  uint64_t hash = HashName(CNISIM_VERSION);
  const auto add = [&hash](std::string_view text) { hash = HashMix(hash ^ HashName(text)); };
  for (const ScenarioFile& cell : sweep.cells) {
    add(cell.loaded.resolved_yaml);
    add(cell.network);
    add(CellText(cell.params));
    for (const fs::path& read : cell.loaded.files) add(ReadFile(read).value_or(""));
  }
  for (const Job& job : jobs) add(fmt::format("{} {}", job.seed, job.repetition));
  return {sweep.spec.name, fmt::format("{:016x}", hash), std::ssize(sweep.cells), std::ssize(jobs),
          0};
}

Status WriteRecord(const SweepRecord& record, Database& db) {
  Result<Statement> insert = db.Prepare(
      "INSERT INTO sweep(name, definition, cells, jobs, first_job) VALUES(?, ?, ?, ?, ?)");
  if (!insert) return tl::unexpected(insert.error());
  insert->BindText(0, record.name);
  insert->BindText(1, record.definition);
  insert->BindInt(2, record.cells);
  insert->BindInt(3, record.jobs);
  insert->BindInt(4, record.first_job);
  const Result<bool> done = insert->Step();
  return done ? Status() : Status(tl::unexpected(done.error()));
}

Result<std::optional<SweepRecord>> ReadRecord(Database& db) {
  Result<Statement> select =
      db.Prepare("SELECT name, definition, cells, jobs, first_job FROM sweep");
  if (!select) return tl::unexpected(select.error());
  const Result<bool> row = select->Step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::nullopt;
  return SweepRecord{std::string(select->Text(0)), std::string(select->Text(1)), select->Int(2),
                     select->Int(3), select->Int(4)};
}

}  // namespace cnisim
