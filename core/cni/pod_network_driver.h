// What the plugin has the kernel do for a pod: interfaces, addresses, routes and rules.
//
// Source: rules GA-8 to GA-10 of amazon-vpc-cni-k8s v1.23.1 (cmd/routed-eni-cni-plugin/driver).
#ifndef CNISIM_CORE_CNI_POD_NETWORK_DRIVER_H_
#define CNISIM_CORE_CNI_POD_NETWORK_DRIVER_H_

#include <string>
#include <vector>

#include "core/cni/network_config.h"
#include "core/net/ip.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// A pair of virtual interfaces and the pod's address on it.
struct PodInterface {
  IpAddress ip;
  int device_number = 0;  // of the ENI; -1 for a branch ENI
  int route_table = 0;    // of the ENI, 254 being the main table; 0 for a branch ENI
  std::string host_name;
  std::string container_name;

  friend bool operator==(const PodInterface&, const PodInterface&) = default;
};

// A branch ENI's link: a VLAN on top of the trunk ENI's.
struct BranchLink {
  int vlan_id = 0;
  std::string mac;
  std::string gateway;
  int parent_index = 0;  // link index of the trunk ENI

  friend bool operator==(const BranchLink&, const BranchLink&) = default;
};

class PodNetworkDriver {
 public:
  virtual ~PodNetworkDriver() = default;

  // `netns` is the path of the pod's network namespace; `mtu` in bytes.
  virtual Task<Status> SetupPodNetwork(std::vector<PodInterface> interfaces, std::string netns,
                                       int mtu) = 0;
  virtual Task<Status> TeardownPodNetwork(std::vector<PodInterface> interfaces) = 0;
  virtual Task<Status> SetupBranchPodNetwork(PodInterface interface, std::string netns,
                                             BranchLink link, int mtu, EnforcingMode mode) = 0;
  virtual Task<Status> TeardownBranchPodNetwork(PodInterface interface, int vlan_id,
                                                EnforcingMode mode) = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_POD_NETWORK_DRIVER_H_
