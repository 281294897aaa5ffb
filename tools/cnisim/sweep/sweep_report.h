// A sweep's results as a table: a row a cell, its settings, and figures as means over its seeds.
#ifndef CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_REPORT_H_
#define CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_REPORT_H_

#include <span>
#include <string>
#include <vector>

#include "results/database.h"
#include "results/statistics.h"
#include "sim/scenario/scenario.h"
#include "tools/cnisim/base/table.h"

namespace cnisim {

struct SweptFigure {
  std::string text;  // as written: "pod_ip_wait_seconds.p99"
  FigureSpec figure;
};
// Those that are shown if nobody asks for others.
std::vector<SweptFigure> DefaultFigures();
// Code "usage".
Result<SweptFigure> ParseSweptFigure(const std::string& text);

struct SweptCell {
  int64_t cell = 0;
  std::vector<std::pair<std::string, std::string>> params;
  int64_t runs = 0;
  int64_t failed = 0;             // runs of which an expectation failed
  int64_t violated = 0;           // runs that broke an invariant
  std::vector<Estimate> figures;  // over the seeds; n counts those that measured it
};

// By cell. Reads the runs of a results file.
Result<std::vector<SweptCell>> ReadCells(Database& db, std::span<const SweptFigure> figures);

// For people: "4.81 s ±0.30", and of times that never came "never".
std::string SweepText(std::span<const SweptCell> cells, std::span<const SweptFigure> figures);
// For programs: a mean and a half-width a figure.
Table SweepTable(std::span<const SweptCell> cells, std::span<const SweptFigure> figures);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_SWEEP_SWEEP_REPORT_H_
