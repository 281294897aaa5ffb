// What follows from the structure of direct routing and overlays, seen from scenarios.
#include "sim/cluster/traffic_report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "sim/cluster/world.h"
#include "sim/scenario/loader.h"

namespace cnisim {
namespace {

struct Told {
  TrafficRecord record;
  std::string network, lost_because, bottleneck;
};

class Recording final : public Observer {
 public:
  void OnTraffic(const TrafficRecord& r) override {
    traffic.push_back(
        {r, std::string(r.network), std::string(r.lost_because), std::string(r.bottleneck)});
  }
  void OnNodeTraffic(const NodeTrafficRecord& r) override { nodes.push_back(r); }
  void OnFinding(const Finding& f) override { findings.emplace_back(f.code); }
  void OnSample(Metric metric, EntityId, TimePoint, Duration, bool) override {
    if (metric == Metric::kRequestLatencySeconds) ++samples;
  }

  std::vector<Told> traffic;
  std::vector<NodeTrafficRecord> nodes;
  std::vector<std::string> findings;
  int samples = 0;
};

struct Cluster {
  int pods = 4;  // of each workload
  int nodes = 2;
  std::string type = "m5.4xlarge";
  std::string subnets = "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/20}";
  std::string network = "";  // the section's lines
  std::string traffic =
      "{from: client, to: server, placement: otherNode, requestsPerSecond: 1000, requestBytes: "
      "100}";
  std::string more = "";
};

Recording RunOn(const Cluster& cluster, const std::string& network) {
  const std::string text =
      fmt::format(R"(apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {{name: t}}
spec:
  duration: 1m
  vpc: {{cidrBlocks: [10.0.0.0/16], subnets: [{}]}}
  nodeGroups: [{{name: w, instanceType: {}, desiredCapacity: {}, maxPods: 110}}]
  {}
  workloads:
    - {{name: client, kind: Deployment, replicas: {}}}
    - {{name: server, kind: Deployment, replicas: {}}}
  traffic: [{}]
{})",
                  cluster.subnets, cluster.type, cluster.nodes, cluster.network, cluster.pods,
                  cluster.pods, cluster.traffic, cluster.more);
  LoadOptions options;
  options.network = network;
  const LoadResult loaded = LoadScenarioText(text, "t", ".", options);
  Recording recording;
  if (!loaded) {
    ADD_FAILURE() << loaded.error().front().ToString() << text;
    return recording;
  }
  RunWorld(loaded->scenario, 5, recording, {});
  return recording;
}

TrafficRecord Only(const Recording& recording) {
  EXPECT_EQ(recording.traffic.size(), 1U);
  return recording.traffic.empty() ? TrafficRecord() : recording.traffic.front().record;
}

constexpr const char* kNetworks[] = {"aws-vpc-cni",  "calico:None",
                                     "calico:VXLAN", "calico:VXLANCrossSubnet",
                                     "calico:IPIP",  "calico:IPIPCrossSubnet"};

TEST(Traffic, EveryNetworkCarriesItAndSaysWhatItCosts) {
  for (const char* network : kNetworks) {
    const Recording told = RunOn({}, network);
    const TrafficRecord record = Only(told);
    EXPECT_EQ(told.traffic[0].network, network);
    EXPECT_EQ(record.time, kTimeZero + std::chrono::minutes(1));
    EXPECT_GT(record.pairs, 0);
    EXPECT_EQ(record.lost_pairs, 0) << told.traffic[0].lost_because;
    EXPECT_EQ(record.too_large_pairs, 0);
    EXPECT_NEAR(record.requests_per_second, 1000, 100);
    EXPECT_GT(record.p50.count(), 0);
    EXPECT_LE(record.p50, record.p99);
    EXPECT_GT(record.client_cpu_ns, 1000);
    EXPECT_EQ(record.wire_packets, 2);
    EXPECT_EQ(told.nodes.size(), 2U);
    EXPECT_EQ(told.samples, kToldLatencies);
    EXPECT_TRUE(told.findings.empty());
  }
}

TEST(Traffic, OnlyTheVpcCnisCostsGrowWithThePodsOfANodeAndLinearly) {
  std::map<std::string, std::vector<double>> costs;
  for (const int pods : {10, 30, 50}) {
    Cluster cluster;
    cluster.pods = pods;
    cluster.network = "network: {env: {ENABLE_PREFIX_DELEGATION: \"true\"}}";
    cluster.type = "m5.24xlarge";
    for (const char* network : {"aws-vpc-cni", "calico:VXLAN"}) {
      const TrafficRecord record = Only(RunOn(cluster, network));
      costs[network].push_back(record.client_cpu_ns + record.server_cpu_ns);
    }
  }
  const std::vector<double>& vpc = costs["aws-vpc-cni"];
  const double first = vpc[1] - vpc[0];
  const double second = vpc[2] - vpc[1];
  EXPECT_GT(first, 500);
  EXPECT_NEAR(second / first, 1, 0.05);
  const std::vector<double>& calico = costs["calico:VXLAN"];
  EXPECT_NEAR(calico[0], calico[2], 1e-6);
}

TEST(Traffic, ServicesCostNewConnectionsOnly) {
  const auto cost = [](int services, const char* connections) {
    Cluster cluster;
    cluster.network = fmt::format("network: {{kubeProxy: {{services: {}}}}}", services);
    cluster.traffic = fmt::format(
        "{{from: client, service: db, placement: otherNode, requestsPerSecond: 100, connections: "
        "{}}}",
        connections);
    cluster.more = "  services: [{name: db, workload: server, port: 80}]\n";
    return Only(RunOn(cluster, "aws-vpc-cni")).client_cpu_ns;
  };
  EXPECT_DOUBLE_EQ(cost(10, "keepalive"), cost(10'000, "keepalive"));
  EXPECT_GT(cost(10'000, "perRequest"), cost(10, "perRequest") + 10'000);
}

TEST(Traffic, CrossSubnetIsDirectWithinASubnetButForItsMtu) {
  for (const std::string mode : {"VXLAN", "IPIP"}) {
    const TrafficRecord direct = Only(RunOn({}, "calico:None"));
    const TrafficRecord cross = Only(RunOn({}, "calico:" + mode + "CrossSubnet"));
    const TrafficRecord always = Only(RunOn({}, "calico:" + mode));
    EXPECT_EQ(cross.wire_bytes, direct.wire_bytes);
    EXPECT_GT(always.wire_bytes, direct.wire_bytes);
    EXPECT_LT(cross.client_cpu_ns, always.client_cpu_ns);
    // What is left are the rules that let tunnels' packets in and out.
    EXPECT_NEAR(cross.client_cpu_ns / direct.client_cpu_ns, 1, 0.05);
    Cluster bulk;
    bulk.traffic = "{from: client, to: server, placement: otherNode, streams: 1}";
    EXPECT_LT(Only(RunOn(bulk, "calico:" + mode + "CrossSubnet")).payload_bytes,
              Only(RunOn(bulk, "calico:None")).payload_bytes);
  }
}

TEST(Traffic, JumboFramesHideMostOfATunnelsCost) {
  const auto more = [](int mtu) {
    Cluster bulk;
    bulk.traffic = "{from: client, to: server, placement: otherNode, streams: 1}";
    bulk.network = fmt::format("network: {{env: {{AWS_VPC_ENI_MTU: \"{}\"}}}}", mtu);
    const TrafficRecord direct = Only(RunOn(bulk, "calico:None"));
    const TrafficRecord vxlan = Only(RunOn(bulk, "calico:VXLAN"));
    return (vxlan.client_cpu_ns + vxlan.server_cpu_ns) / vxlan.payload_bytes -
           (direct.client_cpu_ns + direct.server_cpu_ns) / direct.payload_bytes;
  };
  EXPECT_GT(more(1500), 2 * more(9001));
}

TEST(Traffic, IpInIpIsOneFlowBetweenTwoNodes) {
  Cluster bulk;
  bulk.type = "c5n.18xlarge";
  bulk.traffic = "{from: client, to: server, placement: otherNode, streams: 1}";
  // Both directions together: each is one flow of 5 Gbit/s, whoever uses it.
  EXPECT_NEAR(Only(RunOn(bulk, "calico:IPIP")).gigabits_per_second, 10, 0.3);
  EXPECT_NEAR(Only(RunOn(bulk, "calico:VXLAN")).gigabits_per_second, 20, 1);
  EXPECT_NEAR(Only(RunOn(bulk, "aws-vpc-cni")).gigabits_per_second, 20, 1);
}

TEST(Traffic, WhatCannotBeReachedIsFound) {
  Cluster cluster;
  cluster.subnets =
      "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/24}, {name: b, availabilityZone: "
      "us-east-1b, cidr: 10.0.1.0/24}";
  cluster.traffic = "{from: client, to: server, placement: otherZone, requestsPerSecond: 100}";
  // The VPC's router knows no pods of Calico's.
  const Recording lost = RunOn(cluster, "calico:None");
  EXPECT_EQ(Only(lost).lost_pairs, Only(lost).pairs);
  EXPECT_FALSE(lost.traffic[0].lost_because.empty());
  EXPECT_EQ(lost.findings, std::vector<std::string>{"traffic-lost"});
  const Recording far = RunOn(cluster, "calico:VXLANCrossSubnet");
  EXPECT_EQ(Only(far).lost_pairs, 0);
  // Zones are hundreds of microseconds apart.
  EXPECT_GT(Only(far).p50, std::chrono::microseconds(700));
}

TEST(Traffic, PodsWithTheMtuOfBeforeEncapsulation) {
  Cluster cluster;
  cluster.traffic = "{from: client, to: server, placement: otherNode, streams: 1}";
  cluster.network = "network: {plugin: calico, calico: {podMtu: 9001}}";
  // The route through the tunnel says how large packets may be: senders are told, and learn.
  const TrafficRecord large = Only(RunOn(cluster, "calico:VXLAN"));
  cluster.network = "";
  const TrafficRecord right = Only(RunOn(cluster, "calico:VXLAN"));
  EXPECT_EQ(large.payload_bytes, right.payload_bytes);
  EXPECT_EQ(large.wire_packets, right.wire_packets);
  EXPECT_EQ(large.lost_pairs, 0);
}

TEST(Traffic, IsLookedAtWhenTheScenarioSays) {
  Cluster cluster;
  cluster.more = "  dataPlane: {at: [10s, 30s], evaluation: analytic}\n";
  const Recording told = RunOn(cluster, "aws-vpc-cni");
  ASSERT_EQ(told.traffic.size(), 2U);
  EXPECT_EQ(told.traffic[0].record.time, kTimeZero + std::chrono::seconds(10));
  EXPECT_EQ(told.traffic[1].record.time, kTimeZero + std::chrono::seconds(30));
  EXPECT_FALSE(told.traffic[0].record.by_events);
}

TEST(Traffic, WithoutPairsThereIsAFinding) {
  Cluster cluster;
  cluster.nodes = 1;
  const Recording told = RunOn(cluster, "aws-vpc-cni");
  EXPECT_EQ(Only(told).pairs, 0);
  EXPECT_EQ(told.findings, std::vector<std::string>{"traffic-without-pairs"});
}

}  // namespace
}  // namespace cnisim
