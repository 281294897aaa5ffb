// Pod traces and node lists from CSV files.
//
// Two formats: cnisim's own (TRACE_FORMAT.md) and the openb tables of Alibaba's
// cluster-trace-gpu-v2023, whose GPU columns are not used. Reading is strict: every line that does
// not fit is an error with its line and column. O(bytes), plus sorting.
#ifndef CNISIM_SIM_SCENARIO_TRACE_READER_H_
#define CNISIM_SIM_SCENARIO_TRACE_READER_H_

#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/diagnostic.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

enum class TraceFormat { kCnisim, kOpenb };

// By creation time, then as written. `source` is the file in `diagnostics`.
std::vector<TracePod> ReadPodTrace(std::string_view text, TraceFormat format, int source,
                                   Diagnostics& diagnostics);

// openb_node_list: each node with the trace's CPU and memory, on the smallest m6i or r6i instance
// type (fewest vCPU, then least memory; not bare metal) that has at least both.
std::vector<NodeSpec> ReadNodeList(std::string_view text, int source, Diagnostics& diagnostics);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_TRACE_READER_H_
