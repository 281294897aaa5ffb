// One workload on several networks, side by side: figures with paired differences, and what they
// come to in words.
#ifndef CNISIM_TOOLS_CNISIM_COMPARE_COMPARE_REPORT_H_
#define CNISIM_TOOLS_CNISIM_COMPARE_COMPARE_REPORT_H_

#include <span>
#include <string>
#include <vector>

#include "results/statistics.h"
#include "tools/cnisim/base/table.h"
#include "tools/cnisim/compare/sensitivity.h"
#include "tools/cnisim/run/figures.h"

namespace cnisim {

// A network's runs, by seed; all networks have the same seeds.
struct ComparedNetwork {
  std::string name;
  std::vector<RunFigures> runs;
};

struct ComparedFigure {
  std::string section;
  std::string name;
  std::string unit;
  std::vector<double> values;         // of each network: the mean over seeds; NaN: none
  std::vector<Estimate> differences;  // of each network to the first, seed by seed
};

// The figures that a choice between networks turns on, in the order of NamedFigures.
std::vector<ComparedFigure> CompareFigures(std::span<const ComparedNetwork> networks);

// Side by side: the first network's value, the others' with their difference in percent and its 95
// % interval where there are several seeds.
std::string ComparisonText(std::span<const ComparedNetwork> networks,
                           std::span<const ComparedFigure> figures);
// One row a figure and network.
Table ComparisonTable(std::span<const ComparedNetwork> networks,
                      std::span<const ComparedFigure> figures);

// What the figures say, and which constants would make them say something else.
std::string VerdictText(std::span<const ComparedNetwork> networks,
                        std::span<const SurveyedNetwork> surveys);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_COMPARE_COMPARE_REPORT_H_
