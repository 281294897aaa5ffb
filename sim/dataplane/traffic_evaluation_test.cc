#include "sim/dataplane/traffic_evaluation.h"

#include <gtest/gtest.h>

#include <chrono>

namespace cnisim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Two hosts, and pairs between them whose packets pay `send` and `receive` nanoseconds.
struct Cluster {
  explicit Cluster(int cpus, double bits_per_second = 0) {
    for (const char* name : {"a", "b"}) hosts.push_back({name, cpus, bits_per_second});
    spec.profile.costs[Cost::kSocketSend] = 1;
    spec.profile.costs[Cost::kSocketReceive] = 1;
    spec.profile.nic.flow_bits_per_second = 0;
    spec.warm_up = milliseconds(100);
    spec.window = milliseconds(900);
  }

  TrafficPair& AddPair(uint32_t entry, uint32_t client, uint32_t server) {
    TrafficPair pair;
    pair.traffic = entry;
    pair.client = client;
    pair.server = server;
    pair.key = pairs.size() + 1;
    pair.path.mtu = 9001;
    pair.path.client_entries = 1;
    pair.path.server_entries = client == server ? 0 : 1;
    for (PacketWay* way : {&pair.path.request, &pair.path.reply}) {
      way->crosses = client != server;
      way->send[Cost::kSocketSend] = send;
      (way->crosses ? way->receive : way->send)[Cost::kSocketReceive] = receive;
      way->wire.src = Ipv4Address(10, 0, 0, way == &pair.path.request ? 1 : 2);
      way->wire.dst = Ipv4Address(10, 0, 0, way == &pair.path.request ? 2 : 1);
      way->wire.protocol = protocol;
    }
    return pairs.emplace_back(pair);
  }

  TrafficSpec& AddTraffic(std::variant<OpenLoad, ClosedLoad, BulkLoad> load) {
    TrafficSpec& entry = traffic.emplace_back();
    entry.name = "t" + std::to_string(traffic.size());
    entry.load = std::move(load);
    return entry;
  }

  TrafficEvaluation Evaluate(EvaluationBy by) {
    spec.evaluation = by;
    const Result<TrafficEvaluation> result = EvaluateTraffic(hosts, traffic, pairs, spec, 1);
    EXPECT_TRUE(result) << result.error().message;
    return *result;
  }

  std::vector<TrafficHost> hosts;
  std::vector<TrafficSpec> traffic;
  std::vector<TrafficPair> pairs;
  DataPlaneSpec spec;
  double send = 1000;
  double receive = 2000;
  std::string protocol = "tcp";
};

TEST(EvaluateTraffic, AnIdleNetworkTakesTheSumOfItsTimes) {
  Cluster cluster(4);
  cluster.AddTraffic(OpenLoad{100});
  cluster.AddPair(0, 0, 1).fabric_nanoseconds = 10'000;
  for (const EvaluationBy by : {EvaluationBy::kEvents, EvaluationBy::kAnalysis}) {
    const TrafficEvaluation result = cluster.Evaluate(by);
    // Both ways: sending, receiving, fabric.
    EXPECT_NEAR(result.traffic[0].requests.mean_latency_ns, 26'000, 100);
    EXPECT_EQ(result.traffic[0].cost.client_cpu_ns, 3000);
    EXPECT_EQ(result.traffic[0].cost.server_cpu_ns, 3000);
    EXPECT_EQ(result.by_events, by == EvaluationBy::kEvents);
    EXPECT_EQ(result.hosts[0].conntrack_entries, 1);
    EXPECT_EQ(result.hosts[1].conntrack_entries, 1);
  }
}

TEST(EvaluateTraffic, BothEvaluationsAgreeUnderLoad) {
  Cluster cluster(2);
  cluster.AddTraffic(OpenLoad{100'000}).server_time = *Distribution::Exponential(microseconds(3));
  for (int i = 0; i < 32; ++i) cluster.AddPair(0, i % 2 == 0 ? 0 : 1, i % 2 == 0 ? 1 : 0);
  const TrafficEvaluation events = cluster.Evaluate(EvaluationBy::kEvents);
  const TrafficEvaluation analysis = cluster.Evaluate(EvaluationBy::kAnalysis);
  const TrafficResult& e = events.traffic[0];
  const TrafficResult& a = analysis.traffic[0];
  EXPECT_NEAR(e.requests.requests_per_second, 100'000, 1500);
  EXPECT_NEAR(a.requests.mean_latency_ns / e.requests.mean_latency_ns, 1, 0.1);
  EXPECT_NEAR(a.requests.latency.Quantile(0.99) / e.requests.latency.Quantile(0.99), 1, 0.15);
  EXPECT_NEAR(a.bottleneck_utilisation, e.bottleneck_utilisation, 0.02);
  EXPECT_NEAR(events.hosts[0].cpu_seconds_per_second, 100'000 * 3e-6, 0.01);
}

// Every nanosecond of CPU time that is told is served by a CPU, and the other way round.
TEST(EvaluateTraffic, CpusServeWhatIsCounted) {
  for (const bool within : {false, true}) {
    for (const bool connections : {false, true}) {
      for (const bool bulk : {false, true}) {
        if (bulk && connections) continue;
        Cluster cluster(4);
        TrafficSpec& spec = cluster.AddTraffic(OpenLoad{1000});
        if (bulk) spec.load = BulkLoad{1};
        spec.connection_per_request = connections;
        spec.request_bytes = 20'000;
        cluster.spec.profile.costs[Cost::kTcpConnect] = 700;
        TrafficPair& pair = cluster.AddPair(0, 0, within ? 0 : 1);
        pair.path.first_client[Cost::kSocketSend] = 50'000;
        pair.path.first_server[Cost::kSocketSend] = 20'000;
        const TrafficNetwork built = BuildTrafficNetwork(cluster.hosts, cluster.traffic,
                                                         cluster.pairs, cluster.spec.profile);
        double served = 0;
        double told = 0;
        for (size_t c = 0; c < built.network.classes.size(); ++c) {
          told += built.costs[c].client_cpu_ns + built.costs[c].server_cpu_ns;
          for (const Visit& visit : built.network.VisitsOf(built.network.classes[c])) {
            if (built.network.stations[visit.station].name.find("CPU") == std::string::npos)
              continue;
            served += static_cast<double>(visit.service_ns);
          }
        }
        EXPECT_GT(served, 0);
        EXPECT_NEAR(served, told, 1e-9 * told) << within << connections << bulk;
      }
    }
  }
}

// Users of pairs that answer sooner make more requests, and so more of the cost.
TEST(EvaluateTraffic, CostsAreThoseOfTheRequestsThatAreMade) {
  Cluster cluster(4);
  cluster.AddTraffic(ClosedLoad{2, {}});
  cluster.AddPair(0, 0, 0);
  cluster.AddPair(0, 0, 1).fabric_nanoseconds = 1e6;
  for (const EvaluationBy by : {EvaluationBy::kEvents, EvaluationBy::kAnalysis}) {
    const TrafficEvaluation result = cluster.Evaluate(by);
    const TrafficResult& entry = result.traffic[0];
    EXPECT_GT(entry.requests.requests_per_second, 100'000);
    EXPECT_LT(entry.cost.wire_packets, 0.02);
    // Packets and CPU time of the nodes are those of all requests.
    EXPECT_NEAR(result.hosts[0].packets_per_second,
                entry.requests.requests_per_second * entry.cost.wire_packets, 1);
    const double cpu =
        result.hosts[0].cpu_seconds_per_second + result.hosts[1].cpu_seconds_per_second;
    EXPECT_NEAR(cpu,
                entry.requests.requests_per_second *
                    (entry.cost.client_cpu_ns + entry.cost.server_cpu_ns) / 1e9,
                1e-6);
    EXPECT_LT(result.hosts[0].wire_cpu_seconds_per_second, 0.1 * cpu);
    EXPECT_LT(cpu, 8);
  }
}

TEST(EvaluateTraffic, SaturationIsAnEntrysOwn) {
  Cluster cluster(2);
  cluster.hosts.push_back({"c", 2, 0});
  cluster.hosts.push_back({"d", 2, 0});
  cluster.AddTraffic(OpenLoad{1e6});
  cluster.AddTraffic(OpenLoad{100});
  cluster.AddTraffic(OpenLoad{100});
  cluster.AddTraffic(BulkLoad{1});
  cluster.AddPair(0, 0, 1);
  cluster.AddPair(1, 2, 3);
  cluster.AddPair(2, 0, 1);
  cluster.AddPair(3, 2, 3);
  for (const EvaluationBy by : {EvaluationBy::kEvents, EvaluationBy::kAnalysis}) {
    const TrafficEvaluation result = cluster.Evaluate(by);
    EXPECT_TRUE(result.traffic[0].saturated);
    EXPECT_LT(result.traffic[0].saturation_per_second, 1e6);
    EXPECT_GT(result.traffic[0].saturation_per_second, 1e5);
    // Elsewhere; a stream there takes what is left.
    EXPECT_FALSE(result.traffic[1].saturated);
    EXPECT_GT(result.traffic[1].saturation_per_second, 1e5);
    // The others keep its CPUs busy already.
    EXPECT_TRUE(result.traffic[2].saturated);
  }
}

TEST(EvaluateTraffic, StreamsFillTheWire) {
  Cluster cluster(4, 1e9);
  cluster.AddTraffic(BulkLoad{2});
  cluster.AddPair(0, 0, 1);
  for (const EvaluationBy by : {EvaluationBy::kEvents, EvaluationBy::kAnalysis}) {
    const TrafficEvaluation result = cluster.Evaluate(by);
    EXPECT_NEAR(result.traffic[0].gigabits_per_second, 0.9927, 0.03);
    EXPECT_EQ(result.traffic[0].bottleneck, "a NIC out");
  }
}

// EC2 takes addresses and ports for a flow where there are ports.
TEST(EvaluateTraffic, AFlowsLimitIsAConnectionsOrAPairsOfNodes) {
  for (const std::string protocol : {"tcp", "udp", "ipencap"}) {
    Cluster cluster(16, 100e9);
    cluster.protocol = protocol;
    cluster.spec.profile.nic.flow_bits_per_second = 5e9;
    cluster.AddTraffic(BulkLoad{1});
    for (int i = 0; i < 4; ++i) cluster.AddPair(0, 0, 1);
    const TrafficEvaluation result = cluster.Evaluate(EvaluationBy::kEvents);
    const double expected = protocol == "ipencap" ? 5 : 20;
    EXPECT_NEAR(result.traffic[0].gigabits_per_second, expected, 0.03 * expected) << protocol;
    EXPECT_EQ(result.traffic[0].bottleneck, "limit of one flow from a to b");
  }
}

// Also of requests, alike on every network: they pass at once until there is too much of them.
TEST(EvaluateTraffic, AFlowsLimitIsOneOfRequestsToo) {
  for (const std::string protocol : {"tcp", "ipencap"}) {
    for (const EvaluationBy by : {EvaluationBy::kEvents, EvaluationBy::kAnalysis}) {
      Cluster cluster(16, 100e9);
      cluster.protocol = protocol;
      cluster.spec.profile.nic.flow_bits_per_second = 5e9;
      cluster.AddTraffic(OpenLoad{100}).response_bytes = 1'000'000;
      cluster.AddPair(0, 0, 1);
      TrafficEvaluation result = cluster.Evaluate(by);
      EXPECT_FALSE(result.traffic[0].saturated);
      EXPECT_LT(result.traffic[0].requests.latency.Quantile(0.5), 700'000) << protocol;
      EXPECT_NEAR(result.traffic[0].saturation_per_second, 5e9 / 8e6, 10) << protocol;
      cluster.traffic[0].load = OpenLoad{1000};
      result = cluster.Evaluate(by);
      EXPECT_TRUE(result.traffic[0].saturated) << protocol;
      EXPECT_NEAR(result.traffic[0].gigabits_per_second, 5, 0.1) << protocol;
      EXPECT_EQ(result.traffic[0].bottleneck, "limit of one flow from a to b");
      cluster.traffic[0].load = ClosedLoad{1, {}};
      result = cluster.Evaluate(by);
      EXPECT_LT(result.traffic[0].gigabits_per_second, 5) << protocol;
      EXPECT_GT(result.traffic[0].gigabits_per_second, 3) << protocol;
    }
  }
}

TEST(EvaluateTraffic, ProtocolsWithoutPortsHaveOneReceiveQueue) {
  const auto busiest = [](const std::string& protocol) {
    Cluster cluster(16);
    cluster.protocol = protocol;
    cluster.spec.profile.nic.max_receive_queues = 16;
    cluster.AddTraffic(OpenLoad{200'000});
    for (int i = 0; i < 64; ++i) cluster.AddPair(0, 0, 1);
    return cluster.Evaluate(EvaluationBy::kAnalysis).hosts[1].busiest_cpu;
  };
  // 200,000 packets of 2 us on one CPU, and spread.
  EXPECT_GT(busiest("ipencap"), 0.4);
  EXPECT_LT(busiest("udp"), 0.15);
}

TEST(EvaluateTraffic, NewConnectionsPayTheirFirstPackets) {
  Cluster cluster(4);
  cluster.AddTraffic(OpenLoad{100}).connection_per_request = true;
  TrafficPair& pair = cluster.AddPair(0, 0, 1);
  pair.path.first_client[Cost::kSocketSend] = 50'000;
  pair.path.first_server[Cost::kSocketSend] = 20'000;
  const TrafficEvaluation result = cluster.Evaluate(EvaluationBy::kAnalysis);
  // A round trip for the handshake, one for the request, and what first packets pay.
  EXPECT_NEAR(result.traffic[0].requests.mean_latency_ns, 12'000 + 70'000, 600);
  EXPECT_EQ(result.traffic[0].cost.client_cpu_ns, 6000 + 50'000);
  EXPECT_EQ(result.traffic[0].cost.server_cpu_ns, 6000 + 20'000);
}

TEST(EvaluateTraffic, LostPairsAreCountedAndLeftOut) {
  Cluster cluster(2);
  cluster.AddTraffic(ClosedLoad{4, {}});
  cluster.AddPair(0, 0, 1);
  TrafficPair& lost = cluster.AddPair(0, 1, 0);
  lost.path.reply.dropped = DropReason::kNoRoute;
  lost.path.reply.lost_at = "a";
  TrafficEvaluation result = cluster.Evaluate(EvaluationBy::kAuto);
  EXPECT_EQ(result.traffic[0].pairs, 2);
  EXPECT_EQ(result.traffic[0].lost.pairs, 1);
  EXPECT_EQ(result.traffic[0].lost.reason, "no route at a");
  EXPECT_GT(result.traffic[0].requests.requests_per_second, 0);
  cluster.pairs[0].path.request.dropped = DropReason::kSourceCheck;
  result = cluster.Evaluate(EvaluationBy::kAuto);
  EXPECT_EQ(result.traffic[0].lost.pairs, 2);
  EXPECT_EQ(result.traffic[0].requests.requests_per_second, 0);
  // Nobody at all.
  cluster.pairs.clear();
  EXPECT_EQ(cluster.Evaluate(EvaluationBy::kAuto).traffic[0].pairs, 0);
}

TEST(EvaluateTraffic, WithinANodeNothingIsOnTheWire) {
  Cluster cluster(4);
  cluster.AddTraffic(OpenLoad{1000}).request_bytes = 5000;
  cluster.AddPair(0, 0, 0);
  const TrafficEvaluation result = cluster.Evaluate(EvaluationBy::kEvents);
  EXPECT_EQ(result.traffic[0].cost.wire_bytes, 0);
  EXPECT_EQ(result.traffic[0].cost.wire_packets, 0);
  EXPECT_EQ(result.hosts[0].packets_per_second, 0);
}

}  // namespace
}  // namespace cnisim
