#include "sim/dataplane/micro_benchmark.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/dataplane/packet_time.h"

namespace cnisim {
namespace {

constexpr std::array<std::pair<std::string_view, MicroBenchmark>, 7> kNames{{
    {"udp_rr", MicroBenchmark::kUdpRr},
    {"tcp_rr", MicroBenchmark::kTcpRr},
    {"tcp_crr", MicroBenchmark::kTcpCrr},
    {"udp_flood", MicroBenchmark::kUdpFlood},
    {"tcp_stream", MicroBenchmark::kTcpStream},
    {"udp_cpu", MicroBenchmark::kUdpCpu},
    {"ping", MicroBenchmark::kPing},
}};

double Cpu(const WayTime& time) { return time.send + time.receive + time.read; }

// From write to read.
double OneWay(const PacketWay& way, int mtu, const Message& message,
              const MicroBenchmarkSetup& setup, const CostProfile& profile) {
  const WayTime time = TimeOf(way, mtu, message, profile);
  double sum = Cpu(time);
  if (!setup.same_cpu) sum += time.delay;
  if (!way.crosses) return sum;
  return sum + setup.fabric_nanoseconds + WireTime(time.wire.bytes, profile.nic.bits_per_second);
}

double RoundTrip(const PairPath& path, const Message& message, const MicroBenchmarkSetup& setup,
                 const CostProfile& profile) {
  return OneWay(path.request, path.mtu, message, setup, profile) +
         OneWay(path.reply, path.mtu, message, setup, profile);
}

// Of the packets of a connection that nobody waits for, the handshake's last one and those of its
// end: two CPUs take them beside others' work, one has nobody to leave them to.
double RestOfConnection(const PairPath& path, const MicroBenchmarkSetup& setup,
                        const CostProfile& profile) {
  if (!setup.same_cpu) return 0;
  const Message empty{0, Transport::kTcp};
  const WayTime there = TimeOf(path.request, path.mtu, empty, profile);
  const WayTime back = TimeOf(path.reply, path.mtu, empty, profile);
  return 3 * (there.send + there.receive) + (back.send + back.receive);
}

// Nanoseconds that each packet of a stream keeps the busiest part of its way.
double Bottleneck(const PairPath& path, const Message& message, const MicroBenchmarkSetup& setup,
                  const CostProfile& profile) {
  const WayTime data = TimeOf(path.request, path.mtu, message, profile);
  // One acknowledgement for all that was aggregated, made by the receive queue's CPU.
  const WayTime ack = TimeOf(path.reply, path.mtu, {0, message.transport}, profile);
  const double receive = data.receive + ack.send;
  if (setup.same_cpu) return data.send + receive + data.read + ack.receive;
  return std::max(
      {data.send, receive, data.read, WireTime(data.wire.bytes, profile.nic.bits_per_second)});
}

}  // namespace

std::optional<MicroBenchmark> FindMicroBenchmark(std::string_view name) {
  const auto found =
      std::ranges::find(kNames, name, &std::pair<std::string_view, MicroBenchmark>::first);
  if (found == kNames.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string_view> MicroBenchmarkNames() {
  std::vector<std::string_view> names;
  for (const auto& [name, benchmark] : kNames) names.push_back(name);
  return names;
}

double Predict(MicroBenchmark benchmark, const PairPath& path, const MicroBenchmarkSetup& setup,
               const CostProfile& profile) {
  const Message udp{setup.bytes, Transport::kUdp};
  const Message tcp{setup.bytes, Transport::kTcp};
  switch (benchmark) {
    case MicroBenchmark::kUdpRr:
      return RoundTrip(path, udp, setup, profile) / 1000;
    case MicroBenchmark::kTcpRr:
      return RoundTrip(path, tcp, setup, profile) / 1000;
    case MicroBenchmark::kTcpCrr:
      return (RoundTrip(path, {0, Transport::kTcp}, setup, profile) +
              RoundTrip(path, tcp, setup, profile) + RestOfConnection(path, setup, profile) +
              TimeOf(path.first_client, profile) + TimeOf(path.first_server, profile) +
              2 * profile.costs[Cost::kTcpConnect]) /
             1000;
    case MicroBenchmark::kUdpFlood: {
      const WayTime time = TimeOf(path.request, path.mtu, udp, profile);
      return 1e9 / (setup.same_cpu ? Cpu(time) : time.send);
    }
    case MicroBenchmark::kTcpStream: {
      const int64_t bytes = LargestPayload(path.request, path.mtu, Transport::kTcp);
      return static_cast<double>(bytes) * 8 /
             Bottleneck(path, {bytes, Transport::kTcp}, setup, profile);
    }
    case MicroBenchmark::kUdpCpu:
      return (Cpu(TimeOf(path.request, path.mtu, udp, profile)) +
              Cpu(TimeOf(path.reply, path.mtu, udp, profile))) /
             1000;
    case MicroBenchmark::kPing: {
      // Nobody is woken to answer.
      const double server = TimeOf(path.request, path.mtu, udp, profile).read +
                            (setup.same_cpu ? 0 : profile.costs[Cost::kWakeupDelay]);
      return (RoundTrip(path, udp, setup, profile) - server) / 1000;
    }
  }
  return 0;
}

}  // namespace cnisim
