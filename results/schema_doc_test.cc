// SCHEMA.md says what the schema holds, and its examples and the saved queries run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "results/embedded_sql.h"
#include "results/fan_out.h"
#include "results/record_stream_testing.h"
#include "results/recorder.h"
#include "results/temporary_folder_testing.h"

namespace cnisim {
namespace {

std::string ReadDocument() {
  std::ifstream file(CNISIM_SOURCE_DIR "/results/SCHEMA.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class SchemaDocTest : public testing::Test {
 protected:
  SchemaDocTest() : db_(*Database::Create(folder_ / "x.db")), document_(ReadDocument()) {
    Recorder recorder(db_, {}, {});
    Summary summary(At(0));
    FanOut both({&recorder, &summary});
    RecordStream(1, 3000, 100'000'000).PlayAll(both);
    ExpectationResult e;
    e.name = "n";
    const Status status = recorder.Finish({}, summary, {&e, 1});
    EXPECT_TRUE(status) << status.error().message;
    EXPECT_TRUE(db_.Execute(IndexesSql()));
  }

  TemporaryFolder folder_;
  Database db_;
  std::string document_;
};

TEST_F(SchemaDocTest, VersionIsDocumented) {
  const std::string version = fmt::format("`PRAGMA user_version` is {}.", kSchemaVersion);
  EXPECT_NE(document_.find(version), std::string::npos) << version;
}

TEST_F(SchemaDocTest, EveryTableAndColumnIsDocumented) {
  for (const std::string& table :
       Rows(db_, "SELECT name FROM sqlite_master WHERE type = 'table'")) {
    const size_t begin = document_.find("### " + table + "\n");
    ASSERT_NE(begin, std::string::npos) << table;
    const std::string section = document_.substr(begin, document_.find("\n##", begin + 3) - begin);
    for (const std::string& column :
         Rows(db_, fmt::format("SELECT name FROM pragma_table_info('{}')", table))) {
      EXPECT_NE(section.find(column), std::string::npos) << table << '.' << column;
    }
  }
  for (const std::string& view : Rows(db_, "SELECT name FROM sqlite_master WHERE type = 'view'")) {
    if (view == "series_point") continue;  // in the section of `series`
    const auto columns = Rows(
        db_, fmt::format("SELECT group_concat(name, ', ') FROM pragma_table_info('{}')", view));
    EXPECT_NE(document_.find(fmt::format("| {} | {} |", view, columns.at(0))), std::string::npos)
        << view << ": " << columns.at(0);
  }
}

TEST_F(SchemaDocTest, ExamplesRun) {
  int examples = 0;
  for (size_t at = 0; (at = document_.find("```sql\n", at)) != std::string::npos; ++examples) {
    at += 7;
    const std::string sql = document_.substr(at, document_.find("```", at) - at);
    auto statement = db_.Prepare(sql);
    ASSERT_TRUE(statement) << sql << statement.error().message;
    const auto row = statement->Step();
    EXPECT_TRUE(row) << sql << row.error().message;
  }
  EXPECT_GE(examples, 8);
}

TEST_F(SchemaDocTest, SavedQueriesRunAndFindSomething) {
  ASSERT_GE(SavedQueries().size(), 10u);
  for (const SavedQuery& query : SavedQueries()) {
    EXPECT_GT(query.description.size(), 10u) << query.name;
    auto statement = db_.Prepare(query.sql);
    ASSERT_TRUE(statement) << query.name << ": " << statement.error().message;
    if (query.name == "address-owner") {
      statement->BindText(0, Rows(db_, "SELECT ip FROM address_history LIMIT 1").at(0));
    }
    const auto row = statement->Step();
    ASSERT_TRUE(row) << query.name << ": " << row.error().message;
    EXPECT_TRUE(*row) << query.name;
  }
}

// The merged p99 of SCHEMA.md against the exact one.
TEST_F(SchemaDocTest, PercentileFromHistogramsIsWithinABucket) {
  const size_t at = document_.find("WITH bucket AS");
  const std::string sql = document_.substr(at, document_.find("```", at) - at);
  auto from_buckets = db_.Prepare(sql);
  ASSERT_TRUE(from_buckets && from_buckets->Step().value_or(false));
  auto exact = db_.Prepare(
      "SELECT value FROM scalar_named WHERE metric = 'pod_ip_wait_seconds' AND statistic = 'p99' "
      "AND entity IS NULL");
  ASSERT_TRUE(exact && exact->Step().value_or(false));
  const double bound = exact->Real(0);
  EXPECT_GE(from_buckets->Real(0), bound);
  EXPECT_LE(from_buckets->Real(0), bound * (1 + 1.0 / 128) + 1e-9);
}

}  // namespace
}  // namespace cnisim
