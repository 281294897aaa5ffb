// What a finished run is printed from; small, so that many repetitions can be kept.
#ifndef CNISIM_TOOLS_CNISIM_RUN_FIGURES_H_
#define CNISIM_TOOLS_CNISIM_RUN_FIGURES_H_

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "results/expectation.h"
#include "results/recorder.h"
#include "results/summary.h"
#include "sim/scenario/scenario.h"
#include "tools/cnisim/base/table.h"

namespace cnisim {

// Where nothing was measured.
inline constexpr double kNoFigure = std::numeric_limits<double>::quiet_NaN();

// Seconds; empty without values. Infinity where it never came.
struct LatencyFigures {
  int64_t count = 0;
  std::optional<double> p50, p90, p99, max;
};

struct SubnetFigures {
  std::string name;
  Ipv4Cidr cidr;
  int64_t size = 0;  // addresses that EC2 hands out: all but the five reserved
  int64_t free_at_end = 0;
  int64_t lowest_free = 0;
  Duration lowest_at{};
};

struct ActionFigures {
  std::string name;
  ApiTotals totals;
};

// What an entry of the traffic experienced when it was last looked at. Times in seconds: infinite
// where a request never ends, not a number without requests.
struct TrafficFigures {
  std::string name;
  int64_t pairs = 0;
  int64_t lost_pairs = 0;
  std::string lost_because;
  bool by_events = false;
  bool saturated = false;
  double requests_per_second = 0;
  double gigabits_per_second = 0;
  double mean = kNoFigure, p50 = kNoFigure, p90 = kNoFigure, p99 = kNoFigure, p999 = kNoFigure;
  double saturation_per_second = 0;  // 0: none
  std::string bottleneck;
  double bottleneck_utilisation = 0;
  double cpu_seconds = 0;          // on networking, of a request on both nodes
  double wire_bytes_per_byte = 0;  // of payload; 0: nothing crossed
  double wire_packets = 0;
};

// Over the nodes that take part.
struct NodeNetworkFigures {
  int64_t nodes = 0;
  double mean_cpu = 0;                 // CPU seconds a second on networking, of a node
  double cpu_per_million_packets = 0;  // CPU seconds, of what crosses; 0 without packets
  double busiest_cpu = 0;              // utilisation
  double most_conntrack_entries = 0;
  int64_t most_ip_rules = 0, most_routes = 0, most_iptables_rules = 0;
};

struct FindingFigures {
  std::string code;
  Severity severity = Severity::kWarning;
  int64_t times = 0;
  std::string first_text;
};

struct RunFigures {
  std::string scenario;
  std::string file;
  std::string network;  // that was chosen; empty: the scenario's own
  uint64_t seed = 0;
  int repetition = 0;
  RunStatus status = RunStatus::kOk;
  Duration simulated{};
  Duration measure_from{};
  uint64_t events = 0;
  double wall_seconds = 0;
  int64_t peak_rss_bytes = 0;
  std::string fingerprint;

  int64_t pods_started = 0;
  int64_t pods_without_ip = 0;
  int64_t pods_running = 0;
  int64_t pods_pending = 0;
  LatencyFigures ip_wait;
  LatencyFigures pod_start;
  WaitReasonCounts wait_reasons{};

  int64_t nodes_ready = 0, nodes_most = 0;
  int64_t enis = 0, enis_most = 0;
  int64_t prefixes = 0;
  int64_t held = 0, held_most = 0;
  int64_t pool = 0, assigned = 0;
  std::vector<SubnetFigures> subnets;

  std::vector<ActionFigures> actions;  // those that were called
  int64_t calling_nodes = 0;
  int64_t throttled_nodes = 0;

  std::vector<TrafficFigures> traffic;  // of the scenario
  NodeNetworkFigures node_network;

  std::vector<ExpectationResult> expectations;
  std::vector<FindingFigures> findings;  // by code

  bool expectation_failed() const;
};

// All but what the caller knows: identity, speed, status, fingerprint and expectations.
RunFigures FiguresOf(const Scenario& scenario, const Summary& summary);

// For -o json and yaml.
Json ToJson(const RunFigures& run);

// One figure a line for tables over repetitions: a name, its unit and its value (not a number:
// none).
struct NamedFigure {
  std::string section;
  std::string name;
  std::string unit;
  double value = 0;
};
std::vector<NamedFigure> NamedFigures(const RunFigures& run);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_RUN_FIGURES_H_
