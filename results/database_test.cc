#include "results/database.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "results/embedded_sql.h"
#include "results/fan_out.h"
#include "results/record_stream_testing.h"
#include "results/recorder.h"
#include "results/results_file.h"
#include "results/temporary_folder_testing.h"

namespace cnisim {
namespace {

void RecordRun(const std::string& path, uint64_t seed, int records) {
  auto db = Database::Create(path);
  ASSERT_TRUE(db);
  RunInfo info;
  info.scenario = "s";
  info.seed = seed;
  Recorder recorder(*db, info, {});
  Summary summary(At(0));
  FanOut both({&recorder, &summary});
  RecordStream(seed, records, 1'000'000).PlayAll(both);
  RunOutcome outcome;
  outcome.fingerprint = "f";
  const Status status = recorder.Finish(outcome, summary, {});
  ASSERT_TRUE(status) << status.error().message;
}

std::vector<std::string> Tables(Database& db) {
  return Rows(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid");
}

TEST(Database, MergedRunsKeepTheirRowsAndOrder) {
  const TemporaryFolder folder;
  const std::vector<std::string> files{folder / "it's 1.db", folder / "2.db", folder / "3.db"};
  for (size_t i = 0; i < files.size(); ++i) RecordRun(files[i], i + 1, 500);
  auto merged = Database::Create(folder / "all.db");
  const Status status = MergeInto(*merged, files);
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_TRUE(merged->Execute(IndexesSql()));
  EXPECT_EQ(Rows(*merged, "SELECT run_id, seed FROM run"),
            (std::vector<std::string>{"1|1", "2|2", "3|3"}));
  for (const std::string& table : Tables(*merged)) {
    if (table == "metric" || table == "sweep") continue;
    size_t rows = 0;
    for (size_t i = 0; i < files.size(); ++i) {
      auto source = Database::OpenReadOnly(files[i]);
      ASSERT_TRUE(source);
      // Columns in the order of the schema; run_id is the only one that may change.
      std::string columns;
      for (const std::string& column :
           Rows(*source, fmt::format("SELECT name FROM pragma_table_info('{}')", table))) {
        if (column != "run_id") columns += (columns.empty() ? "" : ", ") + column;
      }
      const auto expected =
          Rows(*source, fmt::format("SELECT {} FROM {} ORDER BY rowid", columns, table));
      EXPECT_EQ(Rows(*merged, fmt::format("SELECT {} FROM {} WHERE run_id = {} ORDER BY rowid",
                                          columns, table, i + 1)),
                expected)
          << table;
      rows += expected.size();
    }
    EXPECT_EQ(merged->QueryInt("SELECT count(*) FROM " + table), static_cast<int64_t>(rows));
  }
}

TEST(Database, MergeMatchesMetricsByName) {
  const TemporaryFolder folder;
  RecordRun(folder / "1.db", 1, 500);
  RecordRun(folder / "2.db", 2, 500);
  {
    // As another version of cnisim may have numbered them.
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((folder / "2.db").c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db,
                           "UPDATE metric SET metric_id = metric_id + 1000;"
                           "UPDATE scalar SET metric_id = metric_id + 1000;"
                           "UPDATE histogram SET metric_id = metric_id + 1000;"
                           "UPDATE series SET metric_id = metric_id + 1000;"
                           "INSERT INTO metric VALUES(5, 'new_metric', 'gauge', 'x', 'x');",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(db);
  }
  auto merged = Database::Create(folder / "all.db");
  ASSERT_TRUE(MergeInto(*merged, std::vector{folder / "1.db", folder / "2.db"}));
  auto second = Database::OpenReadOnly(folder / "2.db");
  const std::string query =
      "SELECT metric, kind, entity, statistic, value FROM scalar_named WHERE run_id = {} "
      "ORDER BY 1, 2, 3, 4, 5";
  EXPECT_EQ(Rows(*merged, fmt::format(fmt::runtime(query), 2)),
            Rows(*second, fmt::format(fmt::runtime(query), 1)));
  EXPECT_EQ(Rows(*merged, "SELECT count(*) FROM metric WHERE name = 'new_metric'"),
            std::vector<std::string>{"1"});
}

TEST(Database, RefusesWhatIsNoResultsFile) {
  const TemporaryFolder folder;
  const auto error = [&](std::string_view name) {
    const auto db = Database::OpenReadOnly(folder / name);
    return db ? "opened" : db.error().message.substr((folder / "").size());
  };
  EXPECT_EQ(error("missing.db"), "missing.db: no such file");
  std::ofstream(folder / "text.db") << std::string(5000, 'x');
  EXPECT_EQ(error("text.db"), "text.db: it is not a cnisim results file");
  std::ofstream(folder / "empty.db").close();
  EXPECT_EQ(error("empty.db"), "empty.db: it is not a cnisim results file");
  const auto change = [&](const char* name, const char* sql) {
    RecordRun(folder / name, 1, 10);
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((folder / name).c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  };
  change("other.db", "PRAGMA application_id = 1");
  EXPECT_EQ(error("other.db"), "other.db: it is not a cnisim results file");
  const int newer = kSchemaVersion + 1;
  change("newer.db", fmt::format("PRAGMA user_version = {}", newer).c_str());
  EXPECT_EQ(error("newer.db"),
            fmt::format("newer.db: its format is version {}, this cnisim reads version {}; use a "
                        "newer cnisim",
                        newer, kSchemaVersion));
  change("fine.db", "SELECT 1");
  EXPECT_EQ(error("fine.db"), "opened");
  sqlite3* locker = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "fine.db").c_str(), &locker), SQLITE_OK);
  sqlite3_exec(locker, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr);
  EXPECT_EQ(error("fine.db"), "fine.db: another process has it locked; try again when it is done");
  sqlite3_close(locker);

  auto merged = Database::Create(folder / "all.db");
  EXPECT_FALSE(MergeInto(*merged, std::vector{folder / "text.db"}));
}

TEST(ResultsFile, AppearsOnlyWhenPublished) {
  const TemporaryFolder folder;
  {
    auto file = ResultsFile::Create(folder / "a.db", false);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(folder.Files(), std::vector<std::string>{"a.db.partial"});
  }
  EXPECT_TRUE(folder.Files().empty());
  {
    auto file = ResultsFile::Create(folder / "a.db", false);
    const Result<std::string> name = file->Publish(true);
    ASSERT_TRUE(name) << name.error().message;
    EXPECT_EQ(*name, folder / "a.db");
  }
  EXPECT_EQ(folder.Files(), std::vector<std::string>{"a.db"});
  EXPECT_TRUE(Database::OpenReadOnly(folder / "a.db"));
}

TEST(ResultsFile, ReplacesNothingUnasked) {
  const TemporaryFolder folder;
  RecordRun(folder / "a.db", 1, 10);
  const auto refused = ResultsFile::Create(folder / "a.db", false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            folder / "a.db" + ": it exists; --overwrite replaces it, another --db leaves it");
  EXPECT_EQ(folder.Files(), std::vector<std::string>{"a.db"});
  const auto runs = [&] {
    auto db = Database::OpenReadOnly(folder / "a.db");
    return db ? db->QueryInt("SELECT count(*) FROM run").value_or(-1) : -1;
  };
  { auto abandoned = ResultsFile::Create(folder / "a.db", true); }
  EXPECT_EQ(runs(), 1);
  // What an interrupted run leaves is no match for it.
  EXPECT_EQ(ResultsFile::Create(folder / "a.db", true)->Publish(false), folder / "a-2.db");
  EXPECT_EQ(runs(), 1);
  EXPECT_EQ(ResultsFile::Create(folder / "a.db", true)->Publish(true), folder / "a.db");
  EXPECT_EQ(runs(), 0);
  EXPECT_EQ(folder.Files(), (std::vector<std::string>{"a-2.db", "a.db"}));
}

TEST(ResultsFile, KeepsResultsWhoseNameWasTakenMeanwhile) {
  const TemporaryFolder folder;
  for (const bool overwrite : {false, true}) {
    auto late = ResultsFile::Create(folder / "b.db", overwrite);
    ASSERT_TRUE(late);
    std::ofstream(folder / "b.db") << "precious";
    const Result<std::string> name = late->Publish(true);
    ASSERT_TRUE(name) << name.error().message;
    EXPECT_EQ(*name, folder / (overwrite ? "b-3.db" : "b-2.db"));
    EXPECT_TRUE(Database::OpenReadOnly(*name));
    std::string text;
    std::ifstream(folder / "b.db") >> text;
    EXPECT_EQ(text, "precious");
    std::filesystem::remove(folder / "b.db");
  }
}

// Everything that can stand under a name, and whether cnisim may write there.
struct Standing {
  const char* name;
  bool replaceable;  // by --overwrite
  bool reusable;     // as a .partial
  std::function<void(const std::string& path)> make;
};

const std::vector<Standing>& AllStanding() {
  static const std::vector<Standing> kAll{
      {"nothing", true, true, [](const std::string&) {}},
      {"empty", true, true, [](const std::string& p) { std::ofstream(p).close(); }},
      {"results", true, true, [](const std::string& p) { RecordRun(p, 1, 10); }},
      {"older results", true, true,
       [](const std::string& p) {
         RecordRun(p, 1, 10);
         sqlite3* db = nullptr;
         sqlite3_open(p.c_str(), &db);
         sqlite3_exec(db, "PRAGMA user_version = 0", nullptr, nullptr, nullptr);
         sqlite3_close(db);
       }},
      {"text", false, false, [](const std::string& p) { std::ofstream(p) << "precious"; }},
      {"long text", false, false,
       [](const std::string& p) { std::ofstream(p) << std::string(10'000, 'x'); }},
      {"other database", false, false,
       [](const std::string& p) {
         sqlite3* db = nullptr;
         sqlite3_open(p.c_str(), &db);
         sqlite3_exec(db, "CREATE TABLE t(x)", nullptr, nullptr, nullptr);
         sqlite3_close(db);
       }},
      {"pipe", false, false, [](const std::string& p) { ::mkfifo(p.c_str(), 0666); }},
      {"folder", false, false, [](const std::string& p) { std::filesystem::create_directory(p); }},
      {"link to nothing", false, false,
       [](const std::string& p) { std::filesystem::create_symlink(p + ".gone", p); }},
      {"link to text", false, false,
       [](const std::string& p) {
         std::ofstream(p + ".to") << "precious";
         std::filesystem::create_symlink(p + ".to", p);
       }},
      {"link to results", true, false,
       [](const std::string& p) {
         RecordRun(p + ".to", 1, 10);
         std::filesystem::create_symlink(p + ".to", p);
       }},
      {"second name of results", true, false,
       [](const std::string& p) {
         RecordRun(p + ".to", 1, 10);
         std::filesystem::create_hard_link(p + ".to", p);
       }},
  };
  return kAll;
}

// Names, kinds, link targets and sizes of what is in the folder.
std::string Picture(const TemporaryFolder& folder) {
  std::string picture;
  for (const std::string& name : folder.Files()) {
    const std::filesystem::path path = folder / name;
    const auto status = std::filesystem::symlink_status(path);
    picture += fmt::format(
        "{} {} {}\n", name, static_cast<int>(status.type()),
        std::filesystem::is_regular_file(status) ? std::filesystem::file_size(path) : 0);
  }
  return picture;
}

TEST(ResultsFile, OverwritesResultsOnly) {
  for (const Standing& standing : AllStanding()) {
    SCOPED_TRACE(standing.name);
    const TemporaryFolder folder;
    standing.make(folder / "a.db");
    const std::string before = Picture(folder);
    auto file = ResultsFile::Create(folder / "a.db", true);
    ASSERT_EQ(file.has_value(), standing.replaceable);
    if (!file) {
      EXPECT_EQ(Picture(folder), before);
      continue;
    }
    EXPECT_EQ(file->Publish(true), folder / "a.db");
    auto db = Database::OpenReadOnly(folder / "a.db");
    ASSERT_TRUE(db) << db.error().message;
    EXPECT_EQ(db->QueryInt("SELECT count(*) FROM run"), 0);
    const bool link = std::string_view(standing.name) == "link to results";
    EXPECT_EQ(std::filesystem::is_symlink(folder / "a.db"), link);
  }
}

TEST(ResultsFile, TakesOverOnlyWhatAKilledProcessLeft) {
  for (const Standing& standing : AllStanding()) {
    SCOPED_TRACE(standing.name);
    const TemporaryFolder folder;
    standing.make(folder / "a.db.partial");
    const std::string before = Picture(folder);
    auto file = ResultsFile::Create(folder / "a.db", false);
    ASSERT_EQ(file.has_value(), standing.reusable);
    if (file) {
      EXPECT_TRUE(file->Publish(true));
      EXPECT_EQ(folder.Files(), std::vector<std::string>{"a.db"});
    } else {
      EXPECT_EQ(Picture(folder), before);
    }
  }
}

TEST(ResultsFile, TwoWritersDoNotShareAFile) {
  const TemporaryFolder folder;
  auto first = ResultsFile::CreateNew(folder / "a");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->path(), folder / "a.db");
  const auto second = ResultsFile::Create(folder / "a.db", false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, folder / "a.db.partial: another cnisim is writing it");
  auto third = ResultsFile::CreateNew(folder / "a");
  ASSERT_TRUE(third);
  EXPECT_EQ(third->path(), folder / "a-2.db");
  EXPECT_EQ(first->Publish(true), folder / "a.db");
  EXPECT_EQ(third->Publish(true), folder / "a-2.db");
}

TEST(ResultsFile, ADyingProcessRemovesWhatIsUnfinished) {
  const TemporaryFolder folder;
  auto file = ResultsFile::Create(folder / "a.db", false);
  for (int n = 1; n <= 12; ++n) std::ofstream(file->ScratchName(n)).close();
  file->DropScratch(1);
  std::ofstream(folder / "a.db.partial.1") << "somebody's by now";
  RemoveUnfinishedFiles();
  EXPECT_EQ(folder.Files(), std::vector<std::string>{"a.db.partial.1"});
}

TEST(ResultsFile, ANameIsNoUri) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder / "");
  for (const std::string name : {"file:u.db", ":memory:", "a?mode=ro"}) {
    EXPECT_EQ(ResultsFile::Create(name, false)->Publish(true), name);
    EXPECT_TRUE(std::filesystem::is_regular_file(folder / name));
    EXPECT_TRUE(Database::OpenReadOnly(name));
  }
  std::filesystem::current_path(before);
}

TEST(ResultsFile, SaysWhyAPlaceCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_EQ(ResultsFile::Create(folder / "no/a.db", false).error().message,
            folder / "no/a.db.partial: No such file or directory");
  EXPECT_EQ(ResultsFile::Create(folder / "", false).error().message, folder / ": it is a folder");
}

}  // namespace
}  // namespace cnisim
