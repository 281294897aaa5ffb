// What the routing core costs: planning one pod, doing it, a whole node's state, a difference, a
// lookup, a walk, and the reachability of a cluster.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/net/veth_name.h"
#include "core/routing/calico_planner.h"
#include "core/routing/forwarding_walk.h"
#include "core/routing/host_diff.h"
#include "core/routing/reachability.h"
#include "core/routing/render.h"
#include "core/routing/route_lookup.h"
#include "core/routing/vpc_cni_planner.h"
#include "core/routing/vpc_fabric.h"

namespace cnisim {
namespace {

IpAddress PodIp(int pod) {
  return Ipv4Address(10, 0, static_cast<uint8_t>(16 + pod / 200), static_cast<uint8_t>(pod % 200));
}

VpcCniPod MakePod(int p, int table) {
  VpcCniPod pod;
  const std::string name = "pod-" + std::to_string(p);
  pod.netns = name;
  VpcCniPodInterface interface;
  interface.ip = PodIp(p);
  interface.route_table = table;
  interface.host_name = "eni" + VethSuffix("default", name);
  interface.host_mac = MacAddress(2 * p + 1);
  interface.container_mac = MacAddress(2 * p + 2);
  interface.host_index = 10 + p;
  pod.interfaces.push_back(interface);
  return pod;
}

// Three ENIs; a third of the pods on each.
VpcCniNode MakeNode(int pods) {
  VpcCniNode node;
  node.vpc_cidrs = {Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 16)};
  for (int e = 0; e < 3; ++e) {
    VpcCniEni eni;
    eni.link = "eth" + std::to_string(e);
    eni.link_index = 2 + e;
    eni.device_number = e;
    eni.subnet = Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 16);
    eni.primary_ip = Ipv4Address(10, 0, 1, static_cast<uint8_t>(e + 10));
    node.enis.push_back(eni);
  }
  for (int p = 0; p < pods; ++p) node.pods.push_back(MakePod(p, RouteTableOfEni(0, p % 3)));
  return node;
}

// A state of this file's nodes, or nothing goes.
HostState Planned(const VpcCniNode& node) {
  Result<HostState> state = PlanNode(VpcCniHostSettings(), node);
  if (!state) std::abort();
  return *std::move(state);
}

void PlanPodAdd(benchmark::State& state) {
  const VpcCniHostSettings settings;
  const VpcCniPod pod = MakePod(1, 2);
  size_t operations = 0;
  for (auto _ : state) {
    const auto plan = PlanPodAdd(settings, pod);
    operations = plan.size();
    benchmark::DoNotOptimize(plan.data());
  }
  state.counters["operations"] = static_cast<double>(operations);
}
BENCHMARK(PlanPodAdd);

void PlanAndApplyPodAddAndDel(benchmark::State& state) {
  const VpcCniHostSettings settings;
  const int pods = static_cast<int>(state.range(0));
  HostState host = Planned(MakeNode(pods));
  const VpcCniPod pod = MakePod(pods, 2);
  for (auto _ : state) {
    benchmark::DoNotOptimize(Apply(PlanPodAdd(settings, pod), host));
    benchmark::DoNotOptimize(Apply(PlanPodDel(settings, pod), host));
  }
}
BENCHMARK(PlanAndApplyPodAddAndDel)->Arg(10)->Arg(250);

void PlanWholeNode(benchmark::State& state) {
  const VpcCniNode node = MakeNode(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(Planned(node));
}
BENCHMARK(PlanWholeNode)->Arg(10)->Arg(250)->Unit(benchmark::kMicrosecond);

void DiffOfOnePod(benchmark::State& state) {
  VpcCniNode node = MakeNode(static_cast<int>(state.range(0)));
  const HostState from = Planned(node);
  node.pods.push_back(MakePod(static_cast<int>(state.range(0)), 2));
  const HostState to = Planned(node);
  for (auto _ : state) benchmark::DoNotOptimize(Diff(from, to));
}
BENCHMARK(DiffOfOnePod)->Arg(10)->Arg(250)->Unit(benchmark::kMicrosecond);

void LookUpThroughAllRules(benchmark::State& state) {
  const HostState host = Planned(MakeNode(static_cast<int>(state.range(0))));
  RouteQuery query;
  query.src = Ipv4Address(10, 0, 16, 0);  // the primary ENI's pod
  query.dst = Ipv4Address(10, 0, 9, 9);
  query.iif = "eth0";
  for (auto _ : state) benchmark::DoNotOptimize(LookUpRoute(host.net, query));
}
BENCHMARK(LookUpThroughAllRules)->Arg(10)->Arg(250);

void WalkBetweenPods(benchmark::State& state) {
  const VpcCniNode node = MakeNode(static_cast<int>(state.range(0)));
  const HostState host = Planned(node);
  const std::map<std::string, const HostState*> nodes = {{"node", &host}};
  const VpcFabric fabric({}, {});
  ForwardingWalk walk(nodes, fabric);
  Packet packet;
  packet.tuple = {PodIp(0), PodIp(1), "tcp", 40000, 80};
  for (auto _ : state) {
    const WalkResult result = walk.Send("node", "pod-0", packet);
    if (!result.arrived()) state.SkipWithError("lost");
    benchmark::DoNotOptimize(result.steps.data());
  }
}
BENCHMARK(WalkBetweenPods)->Arg(10)->Arg(250);

void RenderWholeNode(benchmark::State& state) {
  const HostState host = Planned(MakeNode(static_cast<int>(state.range(0))));
  for (auto _ : state) {
    benchmark::DoNotOptimize(RenderRules(host.net));
    benchmark::DoNotOptimize(RenderRoutes(host.net));
    benchmark::DoNotOptimize(RenderIptables(host, IptablesTable::kNat));
  }
}
BENCHMARK(RenderWholeNode)->Arg(250)->Unit(benchmark::kMicrosecond);

// A cluster, and what its states hold in memory.
struct BenchCluster {
  std::map<std::string, HostState> states;
  std::map<std::string, const HostState*> nodes;
  VpcFabric fabric{{}, {}};
  std::vector<ClusterPod> pods;
  size_t bytes = 0;

  Reachability Make() const {
    Reachability reachability(nodes, fabric);
    for (const ClusterPod& pod : pods) reachability.AddPod(pod);
    return reachability;
  }
  void Add(const std::string& name, HostState state) {
    nodes[name] = &(states[name] = std::move(state));
  }
};

// 30 pods a node, a third on each of three ENIs; subnets of a /18 in as many VPC CIDRs as it takes.
BenchCluster VpcCniBenchCluster(int nodes) {
  constexpr int kPodsOfEni = 10;
  constexpr int kAddressesOfEni = kPodsOfEni + 1;
  constexpr int kEnisOfSubnet = 16000 / kAddressesOfEni;
  const auto subnet_of = [](int eni) {
    const int subnet = eni / kEnisOfSubnet;
    return Ipv4Cidr(
        Ipv4Address(10, static_cast<uint8_t>(subnet / 4), static_cast<uint8_t>(subnet % 4 * 64), 0),
        18);
  };
  BenchCluster cluster;
  std::vector<IpCidr> cidrs;
  for (int c = 0; c <= 3 * nodes / kEnisOfSubnet / 4; ++c) {
    cidrs.push_back(Ipv4Cidr(Ipv4Address(10, static_cast<uint8_t>(c), 0, 0), 16));
  }
  cluster.fabric = VpcFabric(cidrs, {});
  const size_t before = mallinfo2().uordblks;
  for (int n = 0; n < nodes; ++n) {
    const std::string name = "node-" + std::to_string(n);
    VpcCniNode node;
    node.vpc_cidrs = cidrs;
    for (int e = 0; e < 3; ++e) {
      const int number = 3 * n + e;
      VpcCniEni eni;
      eni.link = "eth" + std::to_string(e);
      eni.link_index = 2 + e;
      eni.device_number = e;
      eni.subnet = subnet_of(number);
      eni.primary_ip = eni.subnet.network().Offset(10 + number % kEnisOfSubnet * kAddressesOfEni);
      node.enis.push_back(eni);
      VpcInterface interface { name, eni.link, {eni.subnet}, {IpCidr(eni.primary_ip)}, true };
      for (int p = 0; p < kPodsOfEni; ++p) {
        VpcCniPod pod = MakePod(kPodsOfEni * number + p, RouteTableOfEni(0, e));
        pod.interfaces[0].ip = eni.primary_ip.Offset(1 + p);
        interface.addresses.push_back(IpCidr(pod.interfaces[0].ip));
        cluster.pods.push_back({pod.netns, name, pod.netns, pod.interfaces[0].ip});
        node.pods.push_back(std::move(pod));
      }
      cluster.fabric.Attach(std::move(interface));
    }
    cluster.Add(name, Planned(node));
  }
  cluster.bytes = mallinfo2().uordblks - before;
  return cluster;
}

// VXLAN, 30 pods a node, one block each. Every node has a route, a neighbour and an FDB entry for
// every other, so that the states grow with the square of the nodes: 5,000 would need hundreds of
// gigabytes.
BenchCluster CalicoBenchCluster(int nodes) {
  BenchCluster cluster;
  CalicoCluster calico;
  calico.pools.push_back(
      {Ipv4Cidr(Ipv4Address(10, 244, 0, 0), 16), CalicoEncapsulation::kVxlan, true, false});
  std::vector<VpcInterface> interfaces;
  for (int n = 0; n < nodes; ++n) {
    CalicoNode node;
    node.name = "node-" + std::to_string(n);
    node.subnet = Ipv4Cidr(Ipv4Address(10, 0, static_cast<uint8_t>(n % 3 * 16), 0), 20);
    node.gateway = node.subnet.network().Offset(1);
    node.ip = node.subnet.network().Offset(10 + n);
    node.mac = MacAddress(1 + n);
    const IpCidr block = Ipv4Cidr(Ipv4Address(0x0af40000U + 64 * n), 26);
    node.vxlan_ip = block.network();
    calico.blocks.push_back({block, node.name, true});
    interfaces.push_back({node.name, node.link, {node.subnet}, {IpCidr(node.ip)}, true});
    calico.nodes.push_back(node);
    for (int p = 0; p < 30; ++p) {
      CalicoPod pod;
      pod.node = node.name;
      pod.netns = "pod-" + std::to_string(30 * n + p);
      pod.ip = block.network().Offset(1 + p);
      pod.host_name = "cali" + VethSuffix("default", pod.netns);
      pod.mac = MacAddress(0x020000000000 + 30 * n + p);
      cluster.pods.push_back({pod.netns, pod.node, pod.netns, pod.ip});
      calico.pods.push_back(pod);
    }
  }
  cluster.fabric = VpcFabric({Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 16)}, std::move(interfaces));
  const size_t before = mallinfo2().uordblks;
  for (const CalicoNode& node : calico.nodes) {
    Result<HostState> state = PlanCalicoNode(calico, node.name);
    if (!state) std::abort();
    cluster.Add(node.name, *std::move(state));
  }
  cluster.bytes = mallinfo2().uordblks - before;
  return cluster;
}

void Decide(benchmark::State& state, const BenchCluster& cluster) {
  const Reachability reachability = cluster.Make();
  int64_t walks = 0;
  for (auto _ : state) {
    const ReachabilityReport report = reachability.Decide();
    if (!report.whole()) state.SkipWithError(report.findings.front().explanation.c_str());
    walks = report.walks;
  }
  state.counters["pods"] = static_cast<double>(cluster.pods.size());
  state.counters["walks"] = static_cast<double>(walks);
  state.counters["MB of states"] = static_cast<double>(cluster.bytes) / 1e6;
}

void ReachabilityOfVpcCniCluster(benchmark::State& state) {
  Decide(state, VpcCniBenchCluster(static_cast<int>(state.range(0))));
}
BENCHMARK(ReachabilityOfVpcCniCluster)
    ->Arg(100)
    ->Arg(1000)
    ->Arg(5000)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void ReachabilityOfCalicoCluster(benchmark::State& state) {
  Decide(state, CalicoBenchCluster(static_cast<int>(state.range(0))));
}
BENCHMARK(ReachabilityOfCalicoCluster)
    ->Arg(50)
    ->Arg(200)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// After one pod has come to a cluster of so many nodes.
void ReachabilityOfOnePod(benchmark::State& state) {
  const BenchCluster cluster = VpcCniBenchCluster(static_cast<int>(state.range(0)));
  const Reachability reachability = cluster.Make();
  size_t next = 0;
  for (auto _ : state) {
    const auto findings = reachability.DecideFor(cluster.pods[next]);
    if (!findings.empty()) state.SkipWithError(findings.front().explanation.c_str());
    next = (next + 7919) % cluster.pods.size();
  }
}
BENCHMARK(ReachabilityOfOnePod)
    ->Arg(100)
    ->Arg(5000)
    ->Iterations(1000)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace cnisim

BENCHMARK_MAIN();
