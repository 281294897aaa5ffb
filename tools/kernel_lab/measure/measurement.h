// Networks compared: each trial is done on all of them back to back, in rounds, and all but the
// first are told as ratios to the first of the same round.
#ifndef CNISIM_TOOLS_KERNEL_LAB_MEASURE_MEASUREMENT_H_
#define CNISIM_TOOLS_KERNEL_LAB_MEASURE_MEASUREMENT_H_

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/result.h"
#include "tools/kernel_lab/measure/lab_networks.h"
#include "tools/kernel_lab/measure/statistics.h"

namespace cnisim {

inline constexpr std::string_view kInterrupted = "Interrupted";

struct MeasureOptions {
  int rounds = 7;
  double seconds = 40;       // of all trials together, however many networks there are
  std::vector<int> cpus;     // one or two
  bool offloads_off = true;  // also measure streams without offloads
};

// Microseconds of a round trip. What does not apply is unset.
struct Figures {
  std::optional<double> p50_us;
  std::optional<double> p99_us;
  std::optional<double> min_us;
  std::optional<double> rate_per_s;  // round trips, connections, datagrams received
  std::optional<double> sent_per_s;  // datagrams
  std::optional<double> gbit_per_s;
};

// Figures are medians over the rounds. The ratio is of the first of p50_us, gbit_per_s and
// rate_per_s that the test has.
struct Row {
  std::string network;
  std::string test;
  int bytes = 0;
  std::string placement;
  int rounds = 0;
  Figures figures;
  Ratio ratio;
};

// Rows are ordered by test, placement and network. kInterrupted if `stop` was set meanwhile.
Result<std::vector<Row>> MeasureNetworks(const std::vector<LabNetwork>& networks,
                                         const MeasureOptions& options,
                                         const std::atomic<bool>& stop);

// With a line of column names.
std::string RenderCsv(const std::vector<Row>& rows);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_MEASURE_MEASUREMENT_H_
