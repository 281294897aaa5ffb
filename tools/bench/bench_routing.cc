// What the routing core costs: planning one pod, doing it, a whole node's state, a difference, a
// lookup and a walk.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <map>
#include <string>

#include "core/net/veth_name.h"
#include "core/routing/forwarding_walk.h"
#include "core/routing/host_diff.h"
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

}  // namespace
}  // namespace cnisim

BENCHMARK_MAIN();
