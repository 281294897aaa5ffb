#include "sim/scenario/advice/cluster_plan.h"

#include <algorithm>
#include <map>

#include "core/ipam/eni_config.h"
#include "core/ipam/subnet_choice.h"
#include "sim/cloud/subnet_allocator.h"
#include "sim/scenario/pod_placement.h"

namespace cnisim {
namespace {

bool IsExcluded(const Scenario& scenario, const AgentSettings& settings, size_t subnet) {
  const auto& tags = scenario.vpc.subnets[subnet].tags;
  return settings.subnet_discovery &&
         SubnetExcluded(Tags(tags.begin(), tags.end()), settings.cluster_name);
}

// Pods that each node of a class has, apart from hostNetwork.
struct PodsOfNode {
  int64_t of_pool = 0;
  int64_t with_branch_eni = 0;
};

// What Deployments and DaemonSets give to each node of the groups, rounded down.
class PodSpread {
 public:
  PodSpread(const Scenario& scenario, const Moment& moment, const std::vector<NodeClass>& classes)
      : scenario_(scenario), moment_(moment) {
    for (const NodeClass& nodes : classes) {
      nodes_of_group_[nodes.group] += nodes.count;
      cpu_ += int64_t{nodes.count} * nodes.type->vcpu * 1000;
    }
    int64_t requested = 0;
    for (size_t w = 0; w < scenario.workloads.size(); ++w) {
      requested += moment.replicas[w] * scenario.workloads[w].pod.cpu_milli;
    }
    if (requested > cpu_) fit_ = static_cast<double>(cpu_) / static_cast<double>(requested);
  }

  PodsOfNode On(size_t group) const {
    double of_pool = 0;
    double with_branch_eni = 0;
    int64_t daemons = 0;
    for (size_t w = 0; w < scenario_.workloads.size(); ++w) {
      const WorkloadSpec& workload = scenario_.workloads[w];
      if (workload.pod.host_network || !MayRunOn(workload.pod, group)) continue;
      if (std::holds_alternative<DaemonSetSpec>(workload.kind)) {
        ++daemons;
      } else {
        (workload.pod.security_groups.empty() ? of_pool : with_branch_eni) += PerNode(w);
      }
    }
    const auto whole = [&](double pods) { return static_cast<int64_t>(pods * fit_ + 1e-9); };
    return {whole(of_pool) + daemons, whole(with_branch_eni)};
  }

 private:
  // Replicas on each node of the groups that the workload may run on.
  double PerNode(size_t workload) const {
    int64_t nodes = 0;
    for (const auto& [group, count] : nodes_of_group_) {
      if (MayRunOn(scenario_.workloads[workload].pod, group)) nodes += count;
    }
    if (nodes == 0) return 0;
    return static_cast<double>(moment_.replicas[workload]) / static_cast<double>(nodes);
  }

  const Scenario& scenario_;
  const Moment& moment_;
  std::map<size_t, int64_t> nodes_of_group_;
  int64_t cpu_ = 0;
  double fit_ = 1;  // the part of the pods that finds CPU
};

class DemandBook {
 public:
  Demand& Of(const std::set<size_t>& subnets) {
    Demand& demand = demands_[subnets];
    demand.subnets = subnets;
    return demand;
  }
  std::vector<Demand> Take() {
    std::vector<Demand> all;
    for (auto& [subnets, demand] : demands_) all.push_back(std::move(demand));
    return all;
  }

 private:
  std::map<std::set<size_t>, Demand> demands_;
};

}  // namespace

std::vector<NodeClass> NodeClassesOf(const Scenario& scenario, const std::vector<int>& sizes) {
  std::vector<NodeClass> classes;
  for (size_t g = 0; g < scenario.node_groups.size(); ++g) {
    const NodeGroupSpec& group = scenario.node_groups[g];
    const auto size = static_cast<size_t>(sizes[g]);
    std::map<std::pair<size_t, const InstanceType*>, int> counts;
    const auto subnet_of = [&](size_t n) {
      return static_cast<size_t>(group.subnets[n % group.subnets.size()]);
    };
    const size_t listed = std::min(group.nodes.size(), size);
    for (size_t n = 0; n < listed; ++n) {
      ++counts[{subnet_of(n), FindInstanceType(group.nodes[n].instance_type)}];
    }
    for (size_t n = listed; n < size; ++n) {
      ++counts[{subnet_of(n), FindInstanceType(group.instance_type)}];
    }
    for (const auto& [of, count] : counts) {
      if (of.second != nullptr) classes.push_back({g, of.first, of.second, count});
    }
  }
  std::ranges::sort(classes, {},
                    [](const NodeClass& c) { return std::tuple(c.group, c.subnet, c.type->name); });
  return classes;
}

std::vector<int> MaxSizes(const Scenario& scenario) {
  std::vector<int> sizes;
  for (const NodeGroupSpec& group : scenario.node_groups) sizes.push_back(group.max_size);
  return sizes;
}

EniSubnets EniSubnetsOf(const Scenario& scenario, const AgentSettings& settings,
                        const NodeClass& nodes) {
  const std::vector<SubnetSpec>& subnets = scenario.vpc.subnets;
  const std::string& zone = subnets[nodes.subnet].availability_zone;
  EniSubnets result;
  if (settings.custom_networking) {
    NodeObject object;
    object.labels = NodeLabels(scenario.node_groups[nodes.group], nodes.type->name, zone);
    result.eni_config = EniConfigName(object, settings);
    const auto& configs = scenario.network.eni_configs;
    const auto config = std::ranges::find(configs, *result.eni_config, &EniConfigSpec::name);
    if (config != configs.end()) result.subnets.insert(config->subnet);
    return result;
  }
  if (!settings.subnet_discovery) return {{nodes.subnet}, std::nullopt};
  for (size_t s = 0; s < subnets.size(); ++s) {
    if (subnets[s].availability_zone != zone) continue;
    const Tags tags(subnets[s].tags.begin(), subnets[s].tags.end());
    if (SubnetUsable(tags, s == nodes.subnet, settings.cluster_name)) result.subnets.insert(s);
  }
  return result;
}

NodePool PoolOf(const Scenario& scenario, const AgentSettings& settings, const NodeClass& nodes) {
  NodePool pool;
  pool.type = nodes.type;
  pool.settings = settings;
  std::vector<EnvironmentWarning> ignored;
  const Status valid =
      ValidateConfiguration(pool.settings, PrefixDelegationSupported(*nodes.type), ignored);
  static_cast<void>(valid);  // the loader has refused what is not
  pool.primary_serves_pods =
      !settings.custom_networking && !IsExcluded(scenario, settings, nodes.subnet);
  const std::optional<int>& max_pods = scenario.node_groups[nodes.group].max_pods;
  // The world decides by the settings, the agent by what the type makes of them.
  pool.max_pods =
      max_pods ? *max_pods
               : MaxPods(*nodes.type, settings.prefix_delegation, settings.custom_networking);
  return pool;
}

int HostNetworkPods(const Scenario& scenario) {
  int pods = scenario.system_pods ? 2 : 0;  // aws-node and kube-proxy
  for (const WorkloadSpec& workload : scenario.workloads) {
    pods += std::holds_alternative<DaemonSetSpec>(workload.kind) && workload.pod.host_network &&
            !workload.pod.node_groups;
  }
  return pods;
}

std::vector<Demand> DemandsOf(const Scenario& scenario, const Moment& moment,
                              const std::vector<int>& sizes, bool with_pods) {
  const bool agent = scenario.network.plugin == Plugin::kAwsVpcCni;
  // Nodes that are filled one after the other differ too much to be told alike.
  const bool count_pods = with_pods && scenario.scheduler.placement == Placement::kSpread;
  const std::vector<NodeClass> classes = NodeClassesOf(scenario, sizes);
  const PodSpread spread(scenario, moment, classes);
  DemandBook book;
  for (const NodeClass& nodes : classes) {
    Demand& own = book.Of({nodes.subnet});
    own.primaries += nodes.count;
    if (!agent) continue;
    const NodePool pool = PoolOf(scenario, moment.settings, nodes);
    const PodsOfNode pods = count_pods ? spread.On(nodes.group) : PodsOfNode{};
    const int64_t room = std::max(pool.max_pods - HostNetworkPods(scenario), 0);
    const Holding holding = HoldingOf(pool, static_cast<int>(std::min(pods.of_pool, room)));
    (pool.prefixes() ? own.prefixes : own.addresses) +=
        int64_t{nodes.count} * holding.primary_slots;
    const EniSubnets further = EniSubnetsOf(scenario, moment.settings, nodes);
    if (further.subnets.empty()) continue;
    Demand& others = book.Of(further.subnets);
    others.enis += int64_t{nodes.count} * holding.other_enis;
    (pool.prefixes() ? others.prefixes : others.addresses) +=
        int64_t{nodes.count} * holding.other_slots;
    const int64_t branches = std::min<int64_t>(pods.with_branch_eni, nodes.type->branch_enis);
    if (moment.settings.enable_pod_eni && branches > 0) {
      others.enis += nodes.count;  // the trunk
      others.addresses += int64_t{nodes.count} * branches;
    }
  }
  return book.Take();
}

Demand Within(const std::vector<Demand>& demands, const std::set<size_t>& subnets) {
  Demand sum;
  sum.subnets = subnets;
  for (const Demand& demand : demands) {
    if (!std::ranges::includes(subnets, demand.subnets)) continue;
    sum.primaries += demand.primaries;
    sum.enis += demand.enis;
    sum.addresses += demand.addresses;
    sum.prefixes += demand.prefixes;
  }
  return sum;
}

int64_t FreeAtStart(const SubnetSpec& subnet) {
  return static_cast<int64_t>(subnet.cidr.size()) - SubnetAllocator::kReservedAddresses -
         subnet.used_at_start;
}

int64_t FreeAtStart(const Scenario& scenario, const std::set<size_t>& subnets) {
  int64_t free = 0;
  for (const size_t s : subnets) free += FreeAtStart(scenario.vpc.subnets[s]);
  return free;
}

}  // namespace cnisim
