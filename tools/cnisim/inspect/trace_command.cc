#include <fmt/format.h>

#include <memory>

#include "core/net/ip.h"
#include "results/database.h"
#include "sim/scenario/quantities.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/table.h"

namespace cnisim {
namespace {

struct Options {
  std::string db;
  std::string ip;
  std::string pod;
  int64_t run = 0;  // see ChooseRun
  OutputFormat format = OutputFormat::kTable;
};

// Tenures of one address, or of one pod's addresses, in order of time. ?1: the run, ?2: whose.
constexpr std::string_view kTenures =
    "SELECT h.ip, p.namespace, p.name, n.name, p.eni_id, h.from_ns, h.to_ns "
    "FROM address_history h JOIN pod p ON p.run_id = h.run_id AND p.pod_id = h.pod_id "
    "JOIN node n ON n.run_id = h.run_id AND n.node_id = h.node_id "
    "WHERE h.run_id = ? AND {} ORDER BY h.from_ns, h.ip, p.pod_id";

Json TimeOf(const Statement& row, int column, OutputFormat format) {
  if (row.ColumnType(column) == SQLITE_NULL) return nullptr;
  const int64_t ns = row.Int(column);
  if (format != OutputFormat::kTable) return static_cast<double>(ns) / 1e9;
  // What was there at time zero has no earlier beginning.
  return FormatDuration(Duration(std::max<int64_t>(ns, 0)));
}

Result<Table> Tenures(Database& db, const Options& options) {
  const bool by_ip = !options.ip.empty();
  const bool qualified = options.pod.find('/') != std::string::npos;
  const std::string_view condition = by_ip       ? "h.ip = ?"
                                     : qualified ? "p.namespace || '/' || p.name = ?"
                                                 : "p.name = ?";
  Result<Statement> rows = db.Prepare(fmt::format(fmt::runtime(kTenures), condition));
  if (!rows) return tl::unexpected(rows.error());
  rows->BindInt(0, options.run);
  rows->BindText(1, by_ip ? IpAddress::Parse(options.ip)->ToString() : options.pod);
  Table table;
  const bool people = options.format == OutputFormat::kTable;
  table.columns = {"address",
                   "namespace",
                   "pod",
                   "node",
                   "eni",
                   people ? "from" : "from_seconds",
                   people ? "to" : "to_seconds"};
  for (;;) {
    const Result<bool> row = rows->Step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return table;
    std::vector<Json> cells;
    for (int c = 0; c < 5; ++c) cells.emplace_back(std::string(rows->Text(c)));
    cells.push_back(TimeOf(*rows, 5, options.format));
    Json until = TimeOf(*rows, 6, options.format);
    cells.push_back(people && until.is_null() ? Json("held at the end") : std::move(until));
    table.rows.push_back(std::move(cells));
  }
}

// Why there is nothing to tell.
std::string Absence(Database& db, const Options& options) {
  const Result<int64_t> all = db.QueryInt("SELECT count(*) FROM address_history");
  if (all && *all == 0) {
    return "the file has no address history; 'pods: none' of the scenario's record leaves it out";
  }
  if (!options.ip.empty()) return fmt::format("no pod ever held {}", options.ip);
  return fmt::format("no pod '{}' ever held an address", options.pod);
}

ExitCode Trace(Options options) {
  if (options.db.empty()) return UsageError("trace: no results file");
  if (options.ip.empty() == options.pod.empty()) {
    return UsageError("trace: write --ip ADDRESS or --pod POD");
  }
  if (!options.ip.empty() && !IpAddress::Parse(options.ip)) {
    return UsageError(fmt::format("trace: --ip: '{}' is no IP address", options.ip));
  }
  Result<Database> db = Database::OpenReadOnly(options.db);
  if (!db) return ErrorOf("trace", db.error());
  const Result<int64_t> run = ChooseRun(*db, options.run);
  if (!run) return ErrorOf("trace", run.error());
  options.run = *run;
  const Result<Table> table = Tenures(*db, options);
  if (!table) return ErrorOf("trace", table.error());
  if (table->rows.empty()) return UsageError("trace: " + Absence(*db, options));
  fmt::print("{}", Format(*table, options.format));
  return ExitCode::kOk;
}

}  // namespace

Command AddTrace(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("DB", options->db, "Results file")->type_name("");
  app.add_option("--ip", options->ip, "Who held this address")->type_name("ADDRESS");
  app.add_option("--pod", options->pod, "What this pod held: NAME or NAMESPACE/NAME")
      ->type_name("POD");
  app.add_option("--run", options->run, "Which run of the file")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
  AddOutputOption(app, options->format);
  app.footer(
      "  cnisim trace quickstart.db --ip 10.0.0.24\n"
      "  cnisim trace quickstart.db --pod web-1 -o json\n\n"
      "Times are since the start of the run; what was held at time zero begins there.");
  return [options] { return Trace(*options); };
}

}  // namespace cnisim
