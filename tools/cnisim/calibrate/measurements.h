// Measurements of a network's data plane, as CSV: what a calibration compares the model with.
//
// The first line that is no comment (#) names the columns; fields are not quoted.
//   network     aws-vpc-cni, calico:VXLAN, calico:IPIP, calico:None: pods on two nodes; host: the
//               nodes themselves
//   test        see micro_benchmark.h; tcp_stream_no_offload of cnisim-kernel-lab is not predicted
//   bytes       of payload one way; of streams without meaning
//   p50_us, rate_per_s, gbit_per_s, cpu_us, ratio
//               what was measured: microseconds of a round trip; datagrams a second; Gbit/s of one
//               flow; CPU microseconds of a round trip; with ratio_to, the ratio. One flow of
//               several has the mean.
// and where they are not as usual
//   ratio_to        the network that the ratio is to, all else equal
//   placement       same-cpu: both ends and all soft interrupts; two-cpus (the default)
//   flows, cpus     so many flows at once, and the CPUs of each node (needed from 2 flows on)
//   mtu             of the ends' devices
//   calico_version  as in scenarios
//   one_way_us      what the network between the nodes takes
//   use             fit (the default), or check: fits leave it out
//   tolerance       percent: how far the model may be off; also how much a row weighs in a fit
//   label           free text
// Other columns are those of cnisim-kernel-lab, which mean nothing here.
#ifndef CNISIM_TOOLS_CNISIM_CALIBRATE_MEASUREMENTS_H_
#define CNISIM_TOOLS_CNISIM_CALIBRATE_MEASUREMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/dataplane/micro_benchmark.h"
#include "sim/scenario/diagnostic.h"

namespace cnisim {

struct Measurement {
  Location where;
  std::string network;
  std::string test;
  std::optional<MicroBenchmark> benchmark;  // of tests that the model predicts
  int64_t bytes = 1;
  std::string ratio_to;  // empty: an absolute figure
  bool same_cpu = false;
  int flows = 1;
  int cpus = 0;
  int mtu = 0;  // 0: the network's own
  std::string calico_version;
  double one_way_us = 0;
  bool fit = true;
  std::optional<double> tolerance_percent;
  std::string label;
  double measured = 0;
};

inline constexpr std::string_view kHostNetwork = "host";

// What is wrong is told in `diagnostics`, source 0; the rows are then of no use.
std::vector<Measurement> ReadMeasurements(std::string_view text, Diagnostics& diagnostics);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_CALIBRATE_MEASUREMENTS_H_
