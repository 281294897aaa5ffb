#include "results/database.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "results/embedded_sql.h"
#include "results/own_file.h"

namespace cnisim {
namespace {

tl::unexpected<Error> Bad(std::string message) { return Fail("results", std::move(message)); }

// SQLite takes "file:x" for a URI and ":memory:" for no file at all.
std::string PlainName(const std::string& path) {
  return path.starts_with('/') ? path : "./" + path;
}

int32_t IntPragma(sqlite3* db, const char* sql, int& code) {
  sqlite3_stmt* statement = nullptr;
  int32_t value = 0;
  code = sqlite3_prepare_v2(db, sql, -1, &statement, nullptr);
  if (code == SQLITE_OK) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      value = sqlite3_column_int(statement, 0);
      code = SQLITE_OK;
    }
  }
  sqlite3_finalize(statement);
  return value;
}

// Every table but `metric`, whose ids may differ from file to file, and `sweep`, which is about the
// file; and its columns after run_id.
struct MergedTable {
  std::string_view name;
  std::string_view columns;
  bool has_metric = false;
};
constexpr MergedTable kMergedTables[] = {
    {"run",
     "scenario, seed, repetition, cell, status, version, resolved_yaml, sim_ns, measure_from_ns, "
     "wall_seconds, events, peak_rss_bytes, fingerprint"},
    {"run_param", "key, value"},
    {"entity", "entity_id, kind, name, parent_id"},
    {"scalar", "entity_id, statistic, value", true},
    {"histogram", "entity_id, low_ns, high_ns, count, censored", true},
    {"series", "entity_id, t0_ns, t1_ns, n, data", true},
    {"node",
     "node_id, name, instance_type, zone, subnet, max_pods, joined_ns, ready_ns, removed_ns"},
    {"pod",
     "pod_id, namespace, name, workload, node_id, host_network, eni_id, ip, created_ns, "
     "scheduled_ns, first_add_ns, ip_assigned_ns, running_ns, deleted_ns, add_attempts, "
     "wait_reason"},
    {"pool_change", "node_id, time_ns, enis, total_ips, assigned_ips, cooling_ips, prefixes"},
    {"address_history", "ip, pod_id, node_id, from_ns, to_ns"},
    {"api_call", "minute, action, ok, throttled, failed, latency_seconds_sum"},
    {"api_node", "node_id, action, ok, throttled, failed"},
    {"latency",
     "time_ns, traffic, network, evaluated_by, saturated, pairs, lost_pairs, lost_because, "
     "too_large_pairs, requests_per_second, gigabits_per_second, mean_ns, p50_ns, p90_ns, p99_ns, "
     "p999_ns, saturation_per_second, bottleneck, bottleneck_utilisation, client_cpu_ns, "
     "server_cpu_ns, payload_bytes, wire_bytes, wire_packets"},
    {"node_network",
     "node_id, time_ns, cpu_seconds_per_second, wire_cpu_seconds_per_second, busiest_cpu, "
     "packets_per_second, "
     "conntrack_entries, ip_rules, routes, iptables_rules"},
    {"wait_reason", "workload, wait_reason, pods"},
    {"expectation", "name, assert, severity, observed, passed"},
    {"finding", "code, severity, time_ns, text"},
};

Status CopyTables(Database& target, int64_t run_offset) {
  // A metric keeps its id unless that is taken.
  if (Status s = target.Execute(
          "INSERT OR IGNORE INTO main.metric(metric_id, name, kind, unit, help) "
          "SELECT metric_id, name, kind, unit, help FROM source.metric ORDER BY metric_id; "
          "INSERT OR IGNORE INTO main.metric(name, kind, unit, help) "
          "SELECT name, kind, unit, help FROM source.metric ORDER BY metric_id;");
      !s) {
    return s;
  }
  for (const MergedTable& table : kMergedTables) {
    const std::string sql =
        table.has_metric
            ? fmt::format(
                  "INSERT INTO main.{0}(run_id, metric_id, {1}) SELECT run_id + {2}, "
                  "(SELECT m.metric_id FROM main.metric m JOIN source.metric o USING (name) "
                  "WHERE o.metric_id = t.metric_id), {1} FROM source.{0} t ORDER BY t.rowid",
                  table.name, table.columns, run_offset)
            : fmt::format(
                  "INSERT INTO main.{0}(run_id, {1}) SELECT run_id + {2}, {1} FROM source.{0} "
                  "ORDER BY rowid",
                  table.name, table.columns, run_offset);
    if (Status s = target.Execute(sql); !s) return s;
  }
  return {};
}

Status MergeOne(Database& target, const std::string& file) {
  const Result<int64_t> offset = target.QueryInt("SELECT ifnull(max(run_id), 0) FROM main.run");
  if (!offset) return tl::unexpected(offset.error());
  // Parameters are not allowed in every SQLite's ATTACH; a quote in a name is doubled.
  std::string quoted;
  for (const char c : PlainName(file)) quoted.append(c == '\'' ? 2 : 1, c);
  if (Status s = target.Execute(fmt::format("ATTACH '{}' AS source", quoted)); !s) return s;
  Status copied = target.Execute("BEGIN");
  if (copied) copied = CopyTables(target, *offset);
  if (copied) copied = target.Execute("COMMIT");
  if (!copied) return copied;
  return target.Execute("DETACH source");
}

}  // namespace

std::string_view Statement::ParameterName(int index) const {
  const char* name = sqlite3_bind_parameter_name(get(), index + 1);
  return name == nullptr ? std::string_view() : name;
}

void Statement::BindText(int index, std::string_view text) {
  sqlite3_bind_text64(get(), index + 1, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

Result<bool> Statement::Step() {
  switch (sqlite3_step(get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return Bad(sqlite3_errmsg(sqlite3_db_handle(get())));
  }
}

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(get(), column));
  return text == nullptr
             ? std::string_view()
             : std::string_view(text, static_cast<size_t>(sqlite3_column_bytes(get(), column)));
}

Error Database::LastError() const {
  const int code = sqlite3_errcode(db_.get());
  std::string what;
  switch (code) {
    case SQLITE_FULL:
      what = "the disk is full";
      break;
    case SQLITE_READONLY:
      what = "the file or its folder is read-only";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      what = "another process has it locked; try again when it is done";
      break;
    case SQLITE_NOTADB:
      what = "it is not a cnisim results file";
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: {
      const int number = sqlite3_system_errno(db_.get());
      what = number != 0 ? std::strerror(number) : sqlite3_errmsg(db_.get());
      break;
    }
    default:
      what = sqlite3_errmsg(db_.get());
  }
  return Error{"results", fmt::format("{}: {}", path_, what)};
}

Result<Database> Database::Open(const std::string& path, int flags) {
  Database db;
  db.path_ = path;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(PlainName(path).c_str(), &handle, flags, nullptr);
  db.db_.reset(handle);
  if (code != SQLITE_OK) return tl::unexpected(db.LastError());
  return db;
}

Result<Database> Database::Create(const std::string& path) {
  // An empty file is an empty database.
  const Result<int> file = OpenOwnFile(path);
  if (!file) return tl::unexpected(file.error());
  const int truncated = ::ftruncate(*file, 0);
  const int error = errno;
  ::close(*file);
  if (truncated != 0) return Bad(fmt::format("{}: {}", path, std::strerror(error)));
  Result<Database> db = Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
  if (!db) return db;
  Status status = db->Execute(fmt::format(
      "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; "
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY; "
      "PRAGMA application_id = {}; PRAGMA user_version = {};",
      kApplicationId, kSchemaVersion));
  if (status) status = db->Execute(SchemaSql());
  if (!status) return tl::unexpected(status.error());
  return db;
}

Result<Database> Database::OpenReadOnly(const std::string& path) {
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) {
    return Bad(fmt::format("{}: no such file", path));
  }
  Result<Database> db = Open(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX);
  if (!db) return db;
  int code = SQLITE_OK;
  const int32_t id = IntPragma(db->handle(), "PRAGMA application_id", code);
  if (code != SQLITE_OK) return tl::unexpected(db->LastError());
  const int32_t version = IntPragma(db->handle(), "PRAGMA user_version", code);
  if (code != SQLITE_OK) return tl::unexpected(db->LastError());
  if (id != kApplicationId) return Bad(fmt::format("{}: it is not a cnisim results file", path));
  if (version != kSchemaVersion) {
    return Bad(fmt::format(
        "{}: its format is version {}, this cnisim reads version {}; {}", path, version,
        kSchemaVersion,
        version > kSchemaVersion ? "use a newer cnisim" : "run the scenario again with this one"));
  }
  return db;
}

Status Database::Execute(std::string_view sql) {
  if (sqlite3_exec(db_.get(), std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return tl::unexpected(LastError());
  }
  return {};
}

Result<Statement> Database::Prepare(std::string_view sql, std::string_view* tail) {
  sqlite3_stmt* statement = nullptr;
  const char* end = nullptr;
  if (sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), 0, &statement,
                         &end) != SQLITE_OK) {
    return Bad(sqlite3_errmsg(db_.get()));
  }
  if (tail != nullptr) *tail = sql.substr(static_cast<size_t>(end - sql.data()));
  if (statement == nullptr) return Bad("empty query");
  return Statement(statement);
}

Result<int64_t> Database::QueryInt(std::string_view sql) {
  Result<Statement> statement = Prepare(sql);
  if (!statement) return tl::unexpected(statement.error());
  const Result<bool> row = statement->Step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return Bad("no row");
  return statement->Int(0);
}

Result<int64_t> ChooseRun(Database& db, int64_t asked) {
  const Result<int64_t> runs = db.QueryInt("SELECT count(*) FROM run");
  if (!runs) return runs;
  if (asked == 0 && *runs == 1) return db.QueryInt("SELECT run_id FROM run");
  if (asked == 0) {
    return Fail("usage",
                fmt::format("{} holds {} runs; choose one with --run N", db.path(), *runs));
  }
  const Result<int64_t> known =
      db.QueryInt(fmt::format("SELECT count(*) FROM run WHERE run_id = {}", asked));
  if (known && *known == 0) {
    return Fail("usage",
                fmt::format("{} has no run {}; its runs are 1 to {}", db.path(), asked, *runs));
  }
  return known ? Result<int64_t>(asked) : known;
}

Status Database::Close() {
  if (sqlite3_close(db_.get()) != SQLITE_OK) return tl::unexpected(LastError());
  static_cast<void>(db_.release());
  return {};
}

BulkInsert::BulkInsert(Database& db, std::string_view target)
    : db_(&db),
      target_(target),
      columns_(static_cast<size_t>(std::count(target.begin(), target.end(), ',')) + 1) {
  cells_.reserve(kRowsAStatement * columns_);
}

Result<Statement> BulkInsert::PrepareRows(size_t rows) {
  std::string row = "(";
  for (size_t i = 0; i < columns_; ++i) row += i == 0 ? "?" : ",?";
  row += ')';
  std::string sql = "INSERT INTO " + target_ + " VALUES ";
  for (size_t i = 0; i < rows; ++i) sql += i == 0 ? row : ',' + row;
  return db_->Prepare(sql);
}

BulkInsert& BulkInsert::Int(int64_t value) {
  cells_.push_back({Type::kInt, value, 0, 0});
  return *this;
}

BulkInsert& BulkInsert::Real(double value) {
  cells_.push_back({Type::kReal, 0, value, 0});
  return *this;
}

BulkInsert& BulkInsert::Text(std::string_view text) {
  cells_.push_back({Type::kText, static_cast<int64_t>(text_.size()), 0, text.size()});
  text_ += text;
  return *this;
}

BulkInsert& BulkInsert::Null() {
  cells_.emplace_back();
  return *this;
}

void BulkInsert::EndRow() {
  assert(cells_.size() % columns_ == 0);
  if (cells_.size() < kRowsAStatement * columns_) return;
  if (status_ && !full_) {
    Result<Statement> prepared = PrepareRows(kRowsAStatement);
    if (prepared) {
      full_ = std::move(*prepared);
    } else {
      status_ = tl::unexpected(prepared.error());
    }
  }
  if (status_) Write(*full_);
  cells_.clear();
  text_.clear();
}

void BulkInsert::Write(Statement& statement) {
  sqlite3_stmt* s = statement.get();
  for (size_t i = 0; i < cells_.size(); ++i) {
    const Cell& cell = cells_[i];
    const int at = static_cast<int>(i) + 1;
    switch (cell.type) {
      case Type::kNull:
        sqlite3_bind_null(s, at);
        break;
      case Type::kInt:
        sqlite3_bind_int64(s, at, cell.integer);
        break;
      case Type::kReal:
        sqlite3_bind_double(s, at, cell.real);
        break;
      case Type::kText:
        sqlite3_bind_text64(s, at, text_.data() + cell.integer, cell.size, SQLITE_STATIC,
                            SQLITE_UTF8);
        break;
    }
  }
  if (sqlite3_step(s) != SQLITE_DONE) status_ = tl::unexpected(db_->LastError());
  sqlite3_reset(s);
}

Status BulkInsert::Finish() {
  if (status_ && !cells_.empty()) {
    Result<Statement> rest = PrepareRows(cells_.size() / columns_);
    if (rest) {
      Write(*rest);
    } else {
      status_ = tl::unexpected(rest.error());
    }
  }
  cells_.clear();
  text_.clear();
  full_.reset();
  return status_;
}

Status MergeInto(Database& target, std::span<const std::string> files) {
  for (const std::string& file : files) {
    {
      const Result<Database> readable = Database::OpenReadOnly(file);
      if (!readable) return tl::unexpected(readable.error());
    }
    if (Status s = MergeOne(target, file); !s) return s;
  }
  return {};
}

}  // namespace cnisim
