// The summary that `cnisim run` prints: what a person wants to know in ten seconds, in 100 columns.
#ifndef CNISIM_TOOLS_CNISIM_RUN_PRINTER_H_
#define CNISIM_TOOLS_CNISIM_RUN_PRINTER_H_

#include <span>
#include <string>
#include <vector>

#include "tools/cnisim/run/figures.h"

namespace cnisim {

// One run.
std::string SummaryText(const RunFigures& run);

// Several repetitions of one scenario: means with 95 % confidence intervals, and how often each
// expectation passed. Requires two or more.
std::string RepetitionsText(std::span<const RunFigures> runs);

// "p99 4.81 s" and the like: what an expectation saw.
std::string ObservedText(const ExpectationResult& expectation);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_RUN_PRINTER_H_
