// Pods' MTU against what their packets' way carries.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/scenario/advice/advisor.h"

namespace cnisim {
namespace {

// Outer headers over IPv4: IP 20, UDP 8, VXLAN 8 and the inner Ethernet 14 (RFC 7348); IP 20
// (RFC 2003). As Calico reckons.
constexpr int kVxlanBytes = 50;
constexpr int kIpipBytes = 20;

int OverheadOf(Encapsulation encapsulation) {
  switch (encapsulation) {
    case Encapsulation::kNone:
      return 0;
    case Encapsulation::kVxlan:
    case Encapsulation::kVxlanCrossSubnet:
      return kVxlanBytes;
    case Encapsulation::kIpip:
    case Encapsulation::kIpipCrossSubnet:
      return kIpipBytes;
  }
  return 0;
}

// Whether nodes can be in different subnets.
bool InSeveralSubnets(const Scenario& scenario) {
  std::set<size_t> subnets;
  for (const NodeClass& nodes : NodeClassesOf(scenario, MaxSizes(scenario))) {
    subnets.insert(nodes.subnet);
  }
  return subnets.size() > 1;
}

void AdviseOnCalicoMtu(Advisor& advisor) {
  const NetworkSpec& network = advisor.scenario.network;
  if (!network.calico.pod_mtu) return;
  const bool across = InSeveralSubnets(advisor.scenario);
  const auto overhead = [&](const IpPoolSpec& pool) {
    const bool only_across = pool.encapsulation == Encapsulation::kVxlanCrossSubnet ||
                             pool.encapsulation == Encapsulation::kIpipCrossSubnet;
    return only_across && !across ? 0 : OverheadOf(pool.encapsulation);
  };
  const auto widest = std::ranges::max_element(network.calico.ip_pools, {}, overhead);
  const int carried = network.mtu - overhead(*widest);
  if (*network.calico.pod_mtu <= carried) return;
  advisor.diagnostics.Warning(
      advisor.places.Of({"network", "calico", "podMtu"}), "pod-mtu-too-big",
      fmt::format(
          "pods' MTU is {}, but links of {} carry {} of it in IP pool '{}' ({} adds {} bytes)",
          *network.calico.pod_mtu, network.mtu, carried, widest->name,
          NameOf(widest->encapsulation), overhead(*widest)),
      fmt::format("podMtu: {}, or auto", carried));
}

}  // namespace

void AdviseOnMtu(Advisor& advisor) {
  if (advisor.scenario.network.plugin == Plugin::kCalico) {
    AdviseOnCalicoMtu(advisor);
    return;
  }
  for (const Moment& moment : advisor.moments) {
    const HostNetworkSettings& network = moment.settings.network;
    if (network.pod_mtu <= network.mtu) continue;
    if (!advisor.IsNew("pod-mtu-too-big", "")) continue;
    advisor.diagnostics.Warning(
        advisor.PlaceOfVariable(moment, "POD_MTU"), "pod-mtu-too-big",
        fmt::format("POD_MTU={} is above AWS_VPC_ENI_MTU={}, which is what ENIs carry",
                    network.pod_mtu, network.mtu),
        fmt::format("POD_MTU: \"{}\" at most", network.mtu));
  }
}

}  // namespace cnisim
