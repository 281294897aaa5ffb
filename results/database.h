// SQLite as results files need it: open, refuse foreign files, load in bulk, merge.
//
// A results file has application_id 0x434e4953 ("CNIS") and user_version kSchemaVersion; any other
// file is refused. Errors have code "results" and a message that names the file and what a person
// can do. A path is a file's name, never a URI. Nothing here is thread-safe; each thread uses a
// Database of its own.
#ifndef CNISIM_RESULTS_DATABASE_H_
#define CNISIM_RESULTS_DATABASE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/result.h"

namespace cnisim {

inline constexpr int32_t kApplicationId = 0x434e4953;
inline constexpr int kSchemaVersion = 4;

// One prepared SQL statement. Parameters and columns count from 0.
class Statement {
 public:
  int parameter_count() const { return sqlite3_bind_parameter_count(get()); }
  // The parameter's name with its prefix (":ip"), empty for a `?`.
  std::string_view ParameterName(int index) const;
  void BindText(int index, std::string_view text);
  void BindInt(int index, int64_t value) { sqlite3_bind_int64(get(), index + 1, value); }

  // True: a row is there. False: no more.
  Result<bool> Step();
  int column_count() const { return sqlite3_column_count(get()); }
  std::string_view ColumnName(int column) const { return sqlite3_column_name(get(), column); }
  int ColumnType(int column) const { return sqlite3_column_type(get(), column); }
  int64_t Int(int column) const { return sqlite3_column_int64(get(), column); }
  double Real(int column) const { return sqlite3_column_double(get(), column); }
  std::string_view Text(int column) const;
  // Whether it leaves the file as it is.
  bool read_only() const { return sqlite3_stmt_readonly(get()) != 0; }

 private:
  friend class Database;
  friend class BulkInsert;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  explicit Statement(sqlite3_stmt* s) : statement_(s) {}
  sqlite3_stmt* get() const { return statement_.get(); }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // Makes `path`, a new file or one of our own (own_file.h), an empty results file, without
  // indexes, tuned for one bulk load: no journal, nothing synced, locked. A crash leaves garbage,
  // so write to a name that nobody opens.
  static Result<Database> Create(const std::string& path);
  // Opens a results file for reading only.
  static Result<Database> OpenReadOnly(const std::string& path);

  // One or more statements without results.
  Status Execute(std::string_view sql);
  // The first statement of `sql`; `tail` gets what follows it.
  Result<Statement> Prepare(std::string_view sql, std::string_view* tail = nullptr);
  // The first column of the first row.
  Result<int64_t> QueryInt(std::string_view sql);
  Status Close();

  // What went wrong last, in words.
  Error LastError() const;
  sqlite3* handle() const { return db_.get(); }
  const std::string& path() const { return path_; }

 private:
  struct CloseDb {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  static Result<Database> Open(const std::string& path, int flags);

  std::unique_ptr<sqlite3, CloseDb> db_;
  std::string path_;
};

// The id of the run that is asked for; 0 asks for the only one. An error of code "usage" if there
// is none, or if the only one is not the only one.
Result<int64_t> ChooseRun(Database& db, int64_t asked);

// Rows for one table, `kRowsAStatement` at a time (measured 2.7 against 1.3 million rows a second
// with one row a statement, SQLite 3.40). Fill each row's columns from left to right, then EndRow.
// The first error sticks: later rows are dropped and Finish returns it.
class BulkInsert {
 public:
  // `target`: "table(column, column)".
  BulkInsert(Database& db, std::string_view target);

  BulkInsert& Int(int64_t value);
  BulkInsert& Real(double value);
  BulkInsert& Text(std::string_view text);
  BulkInsert& Null();
  BulkInsert& IntOrNull(std::optional<int64_t> value) { return value ? Int(*value) : Null(); }
  BulkInsert& TextOrNull(std::string_view text) { return text.empty() ? Null() : Text(text); }
  void EndRow();

  Status Finish();
  bool failed() const { return !status_.has_value(); }

 private:
  static constexpr size_t kRowsAStatement = 20;
  enum class Type : uint8_t { kNull, kInt, kReal, kText };
  struct Cell {
    Type type = Type::kNull;
    int64_t integer = 0;  // of a text: where it begins in text_
    double real = 0;
    size_t size = 0;
  };

  Result<Statement> PrepareRows(size_t rows);
  void Write(Statement& statement);

  Database* db_;
  std::string target_;
  size_t columns_;
  std::optional<Statement> full_;
  std::vector<Cell> cells_;
  std::string text_;
  Status status_;
};

// Appends all runs of `files`, in that order, to `target`, which has no indexes yet. Run ids are
// counted on; rows keep their order.
Status MergeInto(Database& target, std::span<const std::string> files);

}  // namespace cnisim

#endif  // CNISIM_RESULTS_DATABASE_H_
