// max-pods-above-addresses, of the VPC CNI.
#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/advice/advisor.h"

namespace cnisim {
namespace {

// Pods with a branch ENI need no address of the pool.
int64_t BranchEnis(const Advisor& advisor, const NodePool& node) {
  if (!node.settings.enable_pod_eni || !HasPodsWithBranchEnis(advisor.scenario)) return 0;
  return std::max(node.type->branch_enis, 0);
}

std::string Reckoned(const NodePool& node) {
  const int enis = node.max_enis() - (node.primary_serves_pods ? 0 : 1);
  std::string text = fmt::format("{} x {} {}", CountOf(enis, "ENI"), node.slots_per_eni(),
                                 node.prefixes() ? "/28s of 16 addresses" : "addresses");
  if (!node.primary_serves_pods) text += ", the primary ENI serving no pods";
  if (node.settings.enable_pod_eni && CountsAsTrunkCompatible(*node.type)) {
    text += ", one ENI being the trunk";
  }
  if (node.settings.max_eni && *node.settings.max_eni < node.type->eni_limit) {
    text += fmt::format(", MAX_ENI being {}", *node.settings.max_eni);
  }
  return text;
}

}  // namespace

void AdviseOnMaxPods(Advisor& advisor) {
  const Scenario& scenario = advisor.scenario;
  const int host_pods = HostNetworkPods(scenario);
  // The last moment first: what is so to the end is the graver.
  for (auto moment = advisor.moments.rbegin(); moment != advisor.moments.rend(); ++moment) {
    const bool last = moment == advisor.moments.rbegin();
    const bool first_of_env = moment->env_changed || moment + 1 == advisor.moments.rend();
    if (!last && !first_of_env) continue;
    if (moment->settings.mode() == PoolMode::kIpv6) continue;
    for (const NodeClass& nodes : NodeClassesOf(scenario, MaxSizes(scenario))) {
      const NodeGroupSpec& group = scenario.node_groups[nodes.group];
      const NodePool node = PoolOf(scenario, moment->settings, nodes);
      // `auto` always counts two pods with hostNetwork.
      const int without_address = group.max_pods ? host_pods : std::max(host_pods, 2);
      const int64_t room = node.most_addresses() + BranchEnis(advisor, node) + without_address;
      if (node.max_pods <= room) continue;
      if (!advisor.IsNew("max-pods-above-addresses",
                         fmt::format("{}/{}", nodes.group, nodes.type->name))) {
        continue;
      }
      const std::string message = fmt::format(
          "node group '{}' accepts {} pods a node{}, but type {} can have {} for pods ({}), and {} "
          "with "
          "hostNetwork {} none{}",
          group.name, node.max_pods, group.max_pods ? "" : " (maxPods: auto)", nodes.type->name,
          CountOf(room - without_address, "address"), Reckoned(node),
          CountOf(without_address, "pod"), without_address == 1 ? "needs" : "need",
          last ? "" : fmt::format("; so it is {}, but not to the end", When(*moment)));
      const std::string suggestion = fmt::format("maxPods: {} is the most that find one", room);
      const Location where = advisor.places.Of({"nodeGroups", nodes.group, "maxPods"});
      if (last) {
        advisor.diagnostics.Warning(where, "max-pods-above-addresses", message, suggestion);
      } else {
        advisor.diagnostics.Info(where, "max-pods-above-addresses", message);
      }
    }
  }
}

}  // namespace cnisim
