#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "results/database.h"
#include "results/embedded_sql.h"
#include "sim/scenario/suggest.h"
#include "tools/cnisim/commands.h"
#include "tools/cnisim/options.h"
#include "tools/cnisim/table.h"

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

Json CellOf(const Statement& statement, int column) {
  switch (statement.ColumnType(column)) {
    case SQLITE_INTEGER:
      return statement.Int(column);
    case SQLITE_FLOAT:
      return statement.Real(column);
    case SQLITE_NULL:
      return nullptr;
    default:
      return statement.Text(column);
  }
}

// The first row of `text` that is not a comment.
std::string_view SkipComments(std::string_view text) {
  for (;;) {
    const size_t begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    if (!text.starts_with("--")) return text;
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end);
  }
}

class Query {
 public:
  Query(Database& db, const Options& options) : db_(db), options_(options) {}

  ExitCode Run(std::string_view sql) {
    for (const std::string& param : options_.params) {
      const size_t equals = param.find('=');
      if (equals == std::string::npos || equals == 0) {
        return UsageError(fmt::format("query: --param {}: write NAME=VALUE", param));
      }
      params_[param.substr(0, equals)] = param.substr(equals + 1);
    }
    std::map<std::string, std::string> unused = params_;
    for (std::string_view rest = SkipComments(sql); !rest.empty(); rest = SkipComments(rest)) {
      const ExitCode code = RunOne(rest, unused);
      if (code != ExitCode::kOk) return code;
    }
    if (!unused.empty()) {
      return UsageError(fmt::format("query: it has no parameter :{}", unused.begin()->first));
    }
    return ExitCode::kOk;
  }

 private:
  // Takes the statement off `rest`.
  ExitCode RunOne(std::string_view& rest, std::map<std::string, std::string>& unused) {
    Result<Statement> statement = db_.Prepare(rest, &rest);
    if (!statement) return UsageError(fmt::format("query: {}", statement.error().message));
    if (!statement->read_only()) return UsageError("query: only reads; nothing was changed");
    for (int i = 0; i < statement->parameter_count(); ++i) {
      const std::string_view name = statement->ParameterName(i);
      const auto it = params_.find(name.empty() ? "" : std::string(name.substr(1)));
      if (it == params_.end()) continue;
      statement->BindText(i, it->second);
      unused.erase(it->first);
    }
    Table table;
    for (int c = 0; c < statement->column_count(); ++c) {
      table.columns.emplace_back(statement->ColumnName(c));
    }
    for (;;) {
      const Result<bool> row = statement->Step();
      if (!row) return RuntimeError(fmt::format("{}: {}", options_.db, row.error().message));
      if (!*row) break;
      auto& cells = table.rows.emplace_back();
      for (int c = 0; c < statement->column_count(); ++c) cells.push_back(CellOf(*statement, c));
    }
    if (!table.columns.empty()) fmt::print("{}", Format(table, options_.format));
    return ExitCode::kOk;
  }

  Database& db_;
  const Options& options_;
  std::map<std::string, std::string> params_;
};

ExitCode RunQuery(const Options& options) {
  if (options.list || options.db.empty()) return List(options.format);
  if (options.query.empty()) {
    return UsageError("query: no query; write SQL or the name of one of `cnisim query`");
  }
  std::string_view sql = options.query;
  if (sql.find_first_of(" \t\n(") == std::string_view::npos) {
    const auto& saved = SavedQueries();
    const auto found = std::ranges::find(saved, sql, &SavedQuery::name);
    if (found == saved.end()) {
      std::vector<std::string_view> names;
      for (const SavedQuery& q : saved) names.push_back(q.name);
      const auto near = Nearest(sql, names);
      return UsageError(fmt::format(
          "query: no saved query '{}'; {}", sql,
          near ? fmt::format("did you mean '{}'?", *near) : "`cnisim query` lists them"));
    }
    sql = found->sql;
  }
  Result<Database> db = Database::OpenReadOnly(options.db);
  if (!db) return RuntimeError(db.error().message);
  return Query(*db, options).Run(sql);
}

}  // namespace

Command AddQuery(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("DB", options->db, "Results file")->type_name("");
  app.add_option("QUERY", options->query, "SQL, or the name of a saved query")->type_name("");
  app.add_option("--param", options->params, "Value of a query's :NAME (repeatable)")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  app.add_flag("--list", options->list, "List the saved queries, as without DB");
  AddOutputOption(app, options->format);
  app.footer(
      "  cnisim query black-friday.db slowest-pods\n"
      "  cnisim query black-friday.db address-owner --param ip=10.0.0.7 --param at=5400\n"
      "  cnisim query black-friday.db 'SELECT count(*) FROM pod' -o json");
  return [options] { return RunQuery(*options); };
}

}  // namespace cnisim
