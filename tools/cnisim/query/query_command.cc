#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <span>

#include "results/database.h"
#include "results/embedded_sql.h"
#include "sim/scenario/suggest.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/table.h"

namespace cnisim {
namespace {

struct Options {
  std::string db;
  std::string query;
  std::vector<std::string> params;
  bool list = false;
  OutputFormat format = OutputFormat::kTable;
};

constexpr std::string_view kBlank = " \t\r\n;";

ExitCode List(OutputFormat format) {
  Table table;
  table.columns = {"query", "description"};
  for (const SavedQuery& q : SavedQueries()) table.rows.push_back({q.name, q.description});
  fmt::print("{}", Format(table, format));
  return ExitCode::kOk;
}

// Blobs as hexadecimal digits.
Json CellOf(const Statement& statement, int column) {
  switch (statement.ColumnType(column)) {
    case SQLITE_INTEGER:
      return statement.Int(column);
    case SQLITE_FLOAT:
      return statement.Real(column);
    case SQLITE_NULL:
      return nullptr;
    case SQLITE_BLOB: {
      std::string hex;
      for (const char c : statement.Text(column)) {
        hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
      }
      return hex;
    }
    default:
      return statement.Text(column);
  }
}

// Names that differ: the second c is c_2.
std::vector<std::string> ColumnNames(const Statement& statement) {
  std::vector<std::string> names;
  for (int c = 0; c < statement.column_count(); ++c) {
    const std::string given(statement.ColumnName(c));
    std::string name = given;
    for (int n = 2; std::ranges::find(names, name) != names.end(); ++n) {
      name = fmt::format("{}_{}", given, n);
    }
    names.push_back(std::move(name));
  }
  return names;
}

// What follows blanks, semicolons and comments.
std::string_view SkipComments(std::string_view text) {
  for (;;) {
    const size_t begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    const bool block = text.starts_with("/*");
    if (!block && !text.starts_with("--")) return text;
    const size_t end = block ? text.find("*/", 2) : text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(block ? end + 2 : end);
  }
}

bool IsNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

using Values = std::map<std::string, std::string, std::less<>>;

Result<Values> ParseValues(const std::vector<std::string>& params) {
  Values values;
  for (const std::string& param : params) {
    const size_t equals = param.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail("usage", fmt::format("--param {}: write NAME=VALUE", param));
    }
    values[param.substr(0, equals)] = param.substr(equals + 1);
  }
  return values;
}

// Every parameter gets a value, and every value its parameter. `declared`: those of a saved query.
Status Bind(Statement& statement, Values values, std::span<const SavedParameter> declared) {
  for (int i = 0; i < statement.parameter_count(); ++i) {
    const std::string_view prefixed = statement.ParameterName(i);
    if (prefixed.empty()) return Fail("usage", "a parameter needs a name, such as :pod");
    const std::string_view name = prefixed.substr(1);
    const auto it = values.find(name);
    const auto known = std::ranges::find(declared, name, &SavedParameter::name);
    if (it == values.end()) {
      if (known != declared.end() && known->optional) continue;
      return Fail("usage", fmt::format("{} has no value; add --param {}=VALUE", prefixed, name));
    }
    if (known != declared.end() && known->number && !IsNumber(it->second)) {
      return Fail("usage", fmt::format("--param {}={}: it must be a number", name, it->second));
    }
    statement.BindText(i, it->second);
    values.erase(it);
  }
  if (values.empty()) return {};
  return Fail("usage", fmt::format("it has no parameter :{}", values.begin()->first));
}

ExitCode RunSql(Database& db, std::string_view sql, std::span<const SavedParameter> declared,
                const Options& options) {
  Result<Values> values = ParseValues(options.params);
  if (!values) return ErrorOf("query", values.error());
  std::string_view rest = SkipComments(sql);
  if (rest.empty()) return UsageError("query: the query is blank");
  Result<Statement> statement = db.Prepare(rest, &rest);
  if (!statement) return UsageError(fmt::format("query: {}", statement.error().message));
  if (!SkipComments(rest).empty()) return UsageError("query: one statement at a time");
  if (!statement->read_only()) return UsageError("query: only reads; nothing was changed");
  if (statement->column_count() == 0) return UsageError("query: it gives no rows; write a SELECT");
  if (const Status bound = Bind(*statement, *std::move(values), declared); !bound) {
    return ErrorOf("query", bound.error());
  }
  Table table;
  table.columns = ColumnNames(*statement);
  for (;;) {
    const Result<bool> row = statement->Step();
    if (!row) return RuntimeError(fmt::format("{}: {}", options.db, row.error().message));
    if (!*row) break;
    auto& cells = table.rows.emplace_back();
    for (int c = 0; c < statement->column_count(); ++c) cells.push_back(CellOf(*statement, c));
  }
  fmt::print("{}", Format(table, options.format));
  return ExitCode::kOk;
}

ExitCode RunQuery(const Options& options) {
  if (options.list || options.db.empty()) return List(options.format);
  if (options.query.empty()) {
    return UsageError("query: no query; write SQL or the name of one of `cnisim query`");
  }
  std::string_view sql = options.query;
  std::span<const SavedParameter> parameters;
  // A word is a name; SQL that reads is more than a word.
  if (sql.find_first_of(" \t\r\n(;") == std::string_view::npos) {
    const auto& saved = SavedQueries();
    const auto found = std::ranges::find(saved, sql, &SavedQuery::name);
    if (found == saved.end()) {
      std::vector<std::string_view> names;
      for (const SavedQuery& q : saved) names.push_back(q.name);
      const auto near = Nearest(sql, names);
      return UsageError(fmt::format(
          "query: '{}' is neither a saved query nor SQL that reads; {}", sql,
          near ? fmt::format("did you mean '{}'?", *near) : "`cnisim query` lists them"));
    }
    sql = found->sql;
    parameters = found->parameters;
  }
  Result<Database> db = Database::OpenReadOnly(options.db);
  if (!db) return RuntimeError(db.error().message);
  return RunSql(*db, sql, parameters, options);
}

}  // namespace

Command AddQuery(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("DB", options->db, "Results file")->type_name("");
  app.add_option("QUERY", options->query, "SQL, or the name of a saved query")->type_name("");
  app.add_option("--param", options->params, "Value of a query's :NAME (repeatable)")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  app.add_flag("--list", options->list, "List the saved queries, as without DB");
  AddOutputOption(app, options->format);
  app.footer(
      "  cnisim query black-friday.db slowest-pods\n"
      "  cnisim query black-friday.db address-owner --param ip=10.0.0.7 --param at=5400\n"
      "  cnisim query black-friday.db 'SELECT count(*) FROM pod' -o json\n\n"
      "Blobs are hexadecimal digits; a second column c is c_2.");
  return [options] { return RunQuery(*options); };
}

}  // namespace cnisim
