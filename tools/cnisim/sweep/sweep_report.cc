#include "tools/cnisim/sweep/sweep_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "results/figure.h"
#include "sim/scenario/expectation_reader.h"
#include "tools/cnisim/base/text.h"
#include "tools/cnisim/sweep/sweep_spec.h"

namespace cnisim {
namespace {

// The settings of all cells, in the order in which they first come.
std::vector<std::string> SettingsOf(std::span<const SweptCell> cells) {
  std::vector<std::string> settings;
  for (const SweptCell& cell : cells) {
    for (const auto& [setting, value] : cell.params) {
      if (std::ranges::find(settings, setting) == settings.end()) settings.push_back(setting);
    }
  }
  return settings;
}

const std::string* ValueIn(const SweptCell& cell, const std::string& setting) {
  const auto found =
      std::ranges::find(cell.params, setting, &std::pair<std::string, std::string>::first);
  return found == cell.params.end() ? nullptr : &found->second;
}

std::string EstimateText(const Estimate& estimate, std::string_view unit) {
  if (estimate.n == 0) return "-";
  std::string text = ValueText(estimate.mean, unit);
  const bool known = estimate.n > 1 && std::isfinite(estimate.mean) && estimate.half_width > 0;
  if (known) text += fmt::format(" ±{}", ValueText(estimate.half_width, unit));
  return text;
}

Result<std::map<int64_t, std::vector<std::pair<std::string, std::string>>>> ReadParams(
    Database& db) {
  Result<Statement> select = db.Prepare("SELECT run_id, key, value FROM run_param ORDER BY rowid");
  if (!select) return tl::unexpected(select.error());
  std::map<int64_t, std::vector<std::pair<std::string, std::string>>> params;
  for (;;) {
    const Result<bool> row = select->Step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return params;
    params[select->Int(0)].emplace_back(select->Text(1), select->Text(2));
  }
}

}  // namespace

std::vector<SweptFigure> DefaultFigures() {
  std::vector<SweptFigure> figures;
  for (const char* text :
       {"pod_ip_wait_seconds.p99", "pod_start_seconds.p99", "vpc_addresses_held.max",
        "subnet_free_ips.min", "ec2_api_calls_total.sum", "ec2_api_throttled_total.sum"}) {
    figures.push_back(ParseSweptFigure(text).value());
  }
  return figures;
}

Result<SweptFigure> ParseSweptFigure(const std::string& text) {
  // Which entities there are is known to the runs only.
  const auto figure =
      ParseFigure(text, [](EntityKind, const std::string&) { return LabelCheck(); });
  if (figure) return SweptFigure{text, *figure};
  const std::string& suggestion = figure.error().suggestion;
  return Fail("usage", fmt::format("--metric {}: {}{}{}", text, figure.error().message,
                                   suggestion.empty() ? "" : "; ", suggestion));
}

Result<std::vector<SweptCell>> ReadCells(Database& db, std::span<const SweptFigure> figures) {
  const auto params = ReadParams(db);
  if (!params) return tl::unexpected(params.error());
  Result<Statement> select = db.Prepare(
      "SELECT run_id, cell, status = 'violated', EXISTS (SELECT * FROM expectation e "
      "WHERE e.run_id = run.run_id AND e.severity = 'error' AND NOT e.passed) "
      "FROM run ORDER BY run_id");
  if (!select) return tl::unexpected(select.error());
  std::map<int64_t, SweptCell> cells;
  std::map<int64_t, std::vector<std::vector<double>>> values;
  for (;;) {
    const Result<bool> row = select->Step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    const int64_t run_id = select->Int(0);
    SweptCell& cell = cells[select->Int(1)];
    if (cell.runs++ == 0) {
      cell.cell = select->Int(1);
      if (const auto found = params->find(run_id); found != params->end()) {
        cell.params = found->second;
      }
    }
    cell.violated += select->Int(2);
    cell.failed += select->Int(3);
    auto& of_cell = values[cell.cell];
    of_cell.resize(figures.size());
    for (size_t f = 0; f < figures.size(); ++f) {
      const auto value = ValueOf(figures[f].figure, db, run_id);
      if (!value) return tl::unexpected(value.error());
      if (*value) of_cell[f].push_back(**value);
    }
  }
  std::vector<SweptCell> result;
  for (auto& [number, cell] : cells) {
    for (const std::vector<double>& of_figure : values[number]) {
      cell.figures.push_back(of_figure.empty() ? Estimate() : EstimateMean(of_figure));
    }
    result.push_back(std::move(cell));
  }
  return result;
}

std::string SweepText(std::span<const SweptCell> cells, std::span<const SweptFigure> figures) {
  const std::vector<std::string> settings = SettingsOf(cells);
  std::vector<std::vector<std::string>> lines;
  std::vector<bool> right;
  std::vector<std::string> head;
  for (const std::string& setting : settings) {
    head.emplace_back(ShortName(setting));
    right.push_back(false);
  }
  for (const SweptFigure& figure : figures) {
    head.push_back(figure.text);
    right.push_back(true);
  }
  head.emplace_back("failed");
  right.push_back(true);
  lines.push_back(std::move(head));
  for (const SweptCell& cell : cells) {
    std::vector<std::string> line;
    for (const std::string& setting : settings) {
      const std::string* value = ValueIn(cell, setting);
      line.push_back(value == nullptr ? "-" : *value);
    }
    for (size_t f = 0; f < figures.size(); ++f) {
      line.push_back(EstimateText(cell.figures[f], UnitOf(figures[f].figure)));
    }
    line.push_back(fmt::format("{}/{}", cell.failed + cell.violated, cell.runs));
    lines.push_back(std::move(line));
  }
  return Align(lines, right);
}

Table SweepTable(std::span<const SweptCell> cells, std::span<const SweptFigure> figures) {
  const std::vector<std::string> settings = SettingsOf(cells);
  Table table;
  table.columns = {"cell"};
  table.columns.insert(table.columns.end(), settings.begin(), settings.end());
  for (const SweptFigure& figure : figures) {
    table.columns.push_back(figure.text);
    table.columns.push_back(figure.text + " half_width");
  }
  table.columns.insert(table.columns.end(), {"runs", "failed", "violated"});
  for (const SweptCell& cell : cells) {
    std::vector<Json> row{cell.cell};
    for (const std::string& setting : settings) {
      const std::string* value = ValueIn(cell, setting);
      row.push_back(value == nullptr ? Json() : Json(*value));
    }
    for (const Estimate& estimate : cell.figures) {
      row.push_back(estimate.n == 0 ? Json() : Json(estimate.mean));
      row.push_back(estimate.n < 2 ? Json() : Json(estimate.half_width));
    }
    row.insert(row.end(), {cell.runs, cell.failed, cell.violated});
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace cnisim
