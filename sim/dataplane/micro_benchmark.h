// What the classic network benchmarks would measure on a path, by the model: the bridge between
// published or measured figures and a profile's costs.
//
// One client, one server, nothing else on their CPUs, so no queueing: sums and maxima of the way's
// times. Same-CPU placements (as in a laboratory on one machine) have nobody to wait for but the
// switch from one thread to the other.
#ifndef CNISIM_SIM_DATAPLANE_MICRO_BENCHMARK_H_
#define CNISIM_SIM_DATAPLANE_MICRO_BENCHMARK_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/dataplane/cost_profile.h"
#include "sim/dataplane/packet_path.h"

namespace cnisim {

enum class MicroBenchmark : uint8_t {
  kUdpRr,      // ping-pong over UDP: microseconds a round trip
  kTcpRr,      // over an established connection
  kTcpCrr,     // connect, ping, pong and close: microseconds
  kUdpFlood,   // datagrams a second that one thread sends; on one CPU, that arrive
  kTcpStream,  // Gbit/s of payload that one connection carries
  kUdpCpu,     // CPU microseconds that a ping-pong takes, client and server together
  kPing,       // ICMP echo: the server's soft interrupt answers; microseconds a round trip
};

std::optional<MicroBenchmark> FindMicroBenchmark(std::string_view name);  // "udp_rr"
std::vector<std::string_view> MicroBenchmarkNames();

struct MicroBenchmarkSetup {
  int64_t bytes = 1;              // one way; of a stream without meaning
  bool same_cpu = false;          // both ends and all soft interrupts
  double fabric_nanoseconds = 0;  // between the nodes, one way
};

double Predict(MicroBenchmark benchmark, const PairPath& path, const MicroBenchmarkSetup& setup,
               const CostProfile& profile);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_MICRO_BENCHMARK_H_
