// The node's own network stack, as far as address management touches it.
#ifndef CNISIM_CORE_PORTS_HOST_NETWORK_H_
#define CNISIM_CORE_PORTS_HOST_NETWORK_H_

#include <string>
#include <vector>

#include "core/net/ip.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

class HostNetwork {
 public:
  virtual ~HostNetwork() = default;

  // Host-wide rules and chains at node init.
  virtual Task<Status> SetupHost(Ipv4Address primary_ip, std::vector<Ipv4Cidr> vpc_cidrs) = 0;
  // Brings up a secondary ENI: its link, addresses and route table.
  virtual Task<Status> SetupEni(Ipv4Address eni_primary_ip, int device_number, int route_table) = 0;
  // Deletes the ip rule that has the ENI's primary address as source.
  virtual Task<Status> DeleteEniRule(Ipv4Address eni_primary_ip) = 0;
  // Names of all links of the host.
  virtual Task<Result<std::vector<std::string>>> ListLinks() = 0;
  // The two rules of a pod whose sandbox is gone: prio 512 to-pod, prio 1536 from-pod.
  virtual Task<Status> DeleteToPodRule(IpAddress pod) = 0;
  virtual Task<Status> DeleteFromPodRule(IpAddress pod) = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_HOST_NETWORK_H_
