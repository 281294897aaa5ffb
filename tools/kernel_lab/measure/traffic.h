// Traffic between two sockets in network namespaces, and what it took.
//
// Each end is a thread that is pinned to a CPU; sockets block. The client's clock counts
// (std::chrono::steady_clock, which is CLOCK_MONOTONIC). What happens once only (neighbours are
// asked for, TCP's window grows) is over before it counts. Whatever goes wrong ends in an error
// within a few seconds.
#ifndef CNISIM_TOOLS_KERNEL_LAB_MEASURE_TRAFFIC_H_
#define CNISIM_TOOLS_KERNEL_LAB_MEASURE_TRAFFIC_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/ports/result.h"
#include "tools/kernel_lab/lab.h"

namespace cnisim {

enum class Traffic : uint8_t {
  kUdpPingPong,
  kTcpPingPong,
  kTcpConnect,  // connect, request, response, close
  kUdpFlood,
  kTcpStream,
};

struct End {
  Place place;  // IPv4
  int cpu = 0;
};

// What counted.
struct Tally {
  std::vector<double> round_trips_us;  // of ping-pong and connect, in order
  double seconds = 0;
  int64_t sent = 0;      // flood: datagrams; stream: bytes
  int64_t received = 0;  // by the end of the time
};

// Messages of `bytes` (1 to 65,507) until the time is over, or `stop` is set. Connections are at
// most 10,000: a client has only so many ports, and the kernel remembers each.
Result<Tally> Exchange(Traffic traffic, int bytes, const End& client, const End& server,
                       std::chrono::duration<double> time, const std::atomic<bool>& stop);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_MEASURE_TRAFFIC_H_
