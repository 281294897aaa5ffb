// The node's own network stack, as far as address management touches it.
#ifndef CNISIM_CORE_PORTS_HOST_NETWORK_H_
#define CNISIM_CORE_PORTS_HOST_NETWORK_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/net/ip.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

inline constexpr std::string_view kLinkNotFound = "LinkNotFound";

class HostNetwork {
 public:
  virtual ~HostNetwork() = default;

  // Host-wide rules and chains at node init.
  virtual Task<Status> SetupHost(IpAddress primary_ip, std::vector<IpCidr> vpc_cidrs) = 0;
  // Chains that an earlier version of the agent left behind.
  virtual Task<Status> CleanUpStaleChains() = 0;
  // The VPC's blocks have changed: the host's SNAT rules follow.
  virtual Task<Status> UpdateVpcCidrs(std::vector<IpCidr> vpc_cidrs) = 0;
  // At node init, once the checkpoint is restored: the from-pod rules of all pods anew.
  virtual Task<Status> RefreshPodRules(std::vector<IpAddress> pods) = 0;
  // Brings up a secondary ENI: its link, addresses and route table. Fails with kLinkNotFound if
  // there is no link of that ENI; then trying again is of no use.
  virtual Task<Status> SetupEni(IpAddress eni_primary_ip, int device_number, int network_card,
                                int route_table) = 0;
  // The index of an ENI's link.
  virtual Task<Result<int>> LinkIndex(IpAddress eni_primary_ip) = 0;
  // Tables of the ip rules that have this source address.
  virtual Task<Result<std::vector<int>>> TablesOfSource(IpAddress source) = 0;
  // Deletes the ip rule that has the ENI's primary address as source.
  virtual Task<Status> DeleteEniRule(IpAddress eni_primary_ip) = 0;
  // Names of all links of the host.
  virtual Task<Result<std::vector<std::string>>> ListLinks() = 0;
  // The two rules of a pod whose sandbox is gone: prio 512 to-pod, prio 1536 from-pod.
  virtual Task<Status> DeleteToPodRule(IpAddress pod) = 0;
  virtual Task<Status> DeleteFromPodRule(IpAddress pod) = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_HOST_NETWORK_H_
