#include "sim/cluster/traffic_survey.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/net/hash.h"
#include "core/routing/vpc_fabric.h"
#include "sim/cloud/instance_types.h"
#include "sim/dataplane/fabric_graph.h"

namespace cnisim {
namespace {

constexpr double kBitsPerMegabit = 1e6;

class Surveyor {
 public:
  explicit Surveyor(const WorldView& world)
      : world_(world),
        fabric_(FabricOf(world)),
        graph_(VpcGraph(Zones(world.scenario().vpc))),
        pods_(world.Pods()),
        settings_(SettingsOf(world.scenario())),
        kube_proxy_rules_(RulesOf(settings_.kube_proxy)) {
    for (NodeView& node : world.Nodes()) nodes_.emplace(node.name, std::move(node));
  }

  TrafficSurvey Take() {
    const std::vector<TrafficSpec>& traffic = world_.scenario().traffic;
    for (size_t t = 0; t < traffic.size(); ++t) {
      AddPairs(static_cast<uint32_t>(t), traffic[t]);
    }
    return std::move(survey_);
  }

 private:
  static std::vector<std::string> Zones(const VpcSpec& vpc) {
    std::vector<std::string> zones;
    for (const SubnetSpec& subnet : vpc.subnets) zones.push_back(subnet.availability_zone);
    return zones;
  }

  // In an order that has nothing to do with where the scheduler put them, so that any number of
  // pairs is a fair sample of all; the same one on every network.
  std::vector<const PodView*> PodsOf(int workload, uint64_t salt) const {
    std::vector<const PodView*> pods;
    for (const PodView& pod : pods_) {
      if (pod.workload == workload && pod.ip && pod.status == kRunning && !pod.node.empty()) {
        pods.push_back(&pod);
      }
    }
    std::ranges::sort(pods, {}, [salt](const PodView* pod) {
      return std::pair(HashMix(salt ^ HashName(pod->name)), pod->name);
    });
    return pods;
  }

  bool Fits(TrafficPlacement placement, const PodView& a, const PodView& b) const {
    const std::vector<SubnetSpec>& subnets = world_.scenario().vpc.subnets;
    const auto zone = [&](const PodView& pod) -> const std::string& {
      return subnets[nodes_.at(pod.node).subnet].availability_zone;
    };
    switch (placement) {
      case TrafficPlacement::kAny:
        return true;
      case TrafficPlacement::kSameNode:
        return a.node == b.node;
      case TrafficPlacement::kOtherNode:
        return a.node != b.node;
      case TrafficPlacement::kSameZone:
        return a.node != b.node && zone(a) == zone(b);
      case TrafficPlacement::kOtherZone:
        return zone(a) != zone(b);
    }
    return false;
  }

  // In rounds: in each, every client has one server, and every server about as many clients.
  void AddPairs(uint32_t index, const TrafficSpec& spec) {
    const uint64_t salt = HashName(spec.name);
    const std::vector<const PodView*> clients = PodsOf(spec.from, salt);
    const std::vector<const PodView*> servers = PodsOf(spec.to, ~salt);
    const bool bulk = std::holds_alternative<BulkLoad>(spec.load);
    std::vector<bool> has_server(clients.size());
    int taken = 0;
    for (size_t round = 0; round < servers.size(); ++round) {
      for (size_t c = 0; c < clients.size(); ++c) {
        if (taken == spec.max_pairs) return;
        if (bulk && has_server[c]) continue;
        const PodView& client = *clients[c];
        const PodView& server = *servers[(c + round) % servers.size()];
        if (&client == &server || !Fits(spec.placement, client, server)) continue;
        has_server[c] = true;
        ++taken;
        Add(index, spec, client, server);
      }
    }
  }

  void Add(uint32_t index, const TrafficSpec& spec, const PodView& client, const PodView& server) {
    TrafficPair pair;
    pair.traffic = index;
    pair.client = Host(client.node);
    pair.server = Host(server.node);
    pair.key = HashMix(HashName(spec.name) ^ HashMix(HashName(client.name)) ^
                       HashMix(HashMix(HashName(server.name))));
    if (client.node != server.node) {
      const auto way = graph_.Way(Subnet(client), Subnet(server));
      pair.fabric_nanoseconds = 2 * kEniLatency + (way ? way->latency : 0);
    }
    pair.path = PathFinder(kernels_, fabric_, settings_)
                    .Find(End(client), End(server), spec.transport, spec.service.has_value());
    survey_.pairs.push_back(std::move(pair));
  }

  static PathEnd End(const PodView& pod) { return {pod.node, pod.netns, *pod.ip}; }

  FabricGraph::Place Subnet(const PodView& pod) const {
    return static_cast<FabricGraph::Place>(nodes_.at(pod.node).subnet);
  }

  uint32_t Host(const std::string& name) {
    const auto [it, added] = hosts_.emplace(name, static_cast<uint32_t>(survey_.hosts.size()));
    if (!added) return it->second;
    const InstanceType& type = *FindInstanceType(nodes_.at(name).instance_type);
    TrafficHost host;
    host.name = name;
    host.cpus = std::max(1, type.vcpu);
    host.bits_per_second = static_cast<double>(type.baseline_mbps) * kBitsPerMegabit;
    survey_.hosts.push_back(std::move(host));
    const HostState* kernel = FindNodeKernel(world_, name);
    survey_.tables.push_back(kernel == nullptr ? TableSizes() : SizesOf(*kernel));
    if (kernel != nullptr) kernels_.emplace(name, kernel);
    return it->second;
  }

  TableSizes SizesOf(const HostState& kernel) const {
    TableSizes sizes;
    sizes.rules = static_cast<int64_t>(kernel.net.rules.size());
    sizes.routes = static_cast<int64_t>(kernel.net.routes.size());
    for (const auto& [key, rules] : kernel.chains) {
      sizes.iptables_rules += static_cast<int64_t>(rules.size());
    }
    sizes.iptables_rules += kube_proxy_rules_;
    return sizes;
  }

  // Clusters without system pods have no kube-proxy.
  static PathSettings SettingsOf(const Scenario& scenario) {
    PathSettings settings;
    if (scenario.system_pods) settings.kube_proxy = scenario.network.kube_proxy;
    settings.vxlan_checksum_offload = scenario.network.calico.vxlan_checksum_offload;
    return settings;
  }

  static int64_t RulesOf(const KubeProxySpec& spec) {
    if (spec.mode != KubeProxyMode::kIptables) return 0;
    KubeServicePort service;
    service.endpoints.resize(static_cast<size_t>(spec.endpoints));
    const std::vector<KubeServicePort> services(static_cast<size_t>(spec.services), service);
    return CountKubeProxyRules(services).nat_rules;
  }

  static constexpr std::string_view kRunning = "Running";

  const WorldView& world_;
  VpcFabric fabric_;
  FabricGraph graph_;
  std::vector<PodView> pods_;
  PathSettings settings_;
  int64_t kube_proxy_rules_;
  std::map<std::string, NodeView> nodes_;
  std::map<std::string, const HostState*> kernels_;
  std::map<std::string, uint32_t> hosts_;
  TrafficSurvey survey_;
};

}  // namespace

TrafficSurvey SurveyTraffic(const WorldView& world) { return Surveyor(world).Take(); }

}  // namespace cnisim
