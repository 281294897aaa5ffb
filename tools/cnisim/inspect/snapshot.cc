#include "tools/cnisim/inspect/snapshot.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "results/database.h"
#include "sim/cluster/world.h"
#include "sim/scenario/quantities.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"

namespace cnisim {
namespace {

// SQLite's file format, section 1.3.
constexpr std::string_view kSqliteHeader("SQLite format 3\0", 16);

bool IsDatabase(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string header(kSqliteHeader.size(), '\0');
  return file.read(header.data(), static_cast<std::streamsize>(header.size())) &&
         header == kSqliteHeader;
}

struct StoredRun {
  std::string version;
  std::string resolved_yaml;
  uint64_t seed = 0;
};

Result<StoredRun> ReadRun(const SnapshotOptions& options) {
  Result<Database> db = Database::OpenReadOnly(options.source);
  if (!db) return tl::unexpected(db.error());
  const Result<int64_t> run = ChooseRun(*db, options.run);
  if (!run) return tl::unexpected(run.error());
  Result<Statement> query =
      db->Prepare("SELECT version, resolved_yaml, seed FROM run WHERE run_id = ?");
  if (!query) return tl::unexpected(query.error());
  query->BindInt(0, *run);
  if (const Result<bool> row = query->Step(); !row) return tl::unexpected(row.error());
  return StoredRun{std::string(query->Text(0)), std::string(query->Text(1)),
                   static_cast<uint64_t>(query->Int(2))};
}

std::optional<LoadedScenario> Loaded(LoadResult result, ExitCode& code) {
  if (!result) {
    for (const Diagnostic& d : result.error()) Say("{}\n", d.ToString());
    code = ExitCode::kUsage;
    return std::nullopt;
  }
  return *std::move(result);
}

}  // namespace

std::optional<SnapshotSource> LoadSnapshotSource(const SnapshotOptions& options, ExitCode& code) {
  if (!IsDatabase(options.source)) {
    if (options.run != 0) {
      code = UsageError("inspect: --run is for results files");
      return std::nullopt;
    }
    auto loaded = Loaded(LoadFile(options.source, {options.sets}), code);
    if (!loaded) return std::nullopt;
    const uint64_t seed = options.seed.value_or(loaded->scenario.seed);
    return SnapshotSource{*std::move(loaded), seed};
  }
  if (!options.sets.empty() || options.seed) {
    code = UsageError(
        "inspect: --set and --seed are for scenario files; a results file is "
        "inspected as it was run");
    return std::nullopt;
  }
  const Result<StoredRun> run = ReadRun(options);
  if (!run) {
    code = ErrorOf("inspect", run.error());
    return std::nullopt;
  }
  if (run->version != CNISIM_VERSION) {
    code = UsageError(fmt::format(
        "inspect: {} was written by cnisim {}, and this is {}, which may simulate it differently; "
        "run the scenario again, or inspect it with that version",
        options.source, run->version, CNISIM_VERSION));
    return std::nullopt;
  }
  // Paths of traces are relative to where the scenario was, which is most often where one still is.
  auto loaded = Loaded(LoadScenarioText(run->resolved_yaml, options.source + " (resolved_yaml)",
                                        std::filesystem::current_path()),
                       code);
  if (!loaded) return std::nullopt;
  return SnapshotSource{*std::move(loaded), run->seed};
}

Status Look(const SnapshotSource& source, const SnapshotOptions& options,
            const std::function<void(WorldView&)>& look) {
  const Scenario& scenario = source.loaded.scenario;
  const TimePoint end = kTimeZero + scenario.duration;
  if (options.at && *options.at > end) {
    return Fail("usage", fmt::format("the run ends at {}", FormatDuration(scenario.duration)));
  }
  LookAtWorld(scenario, source.seed, options.at.value_or(end), look);
  return {};
}

}  // namespace cnisim
