// Networks to measure: two nodes in one subnet with one pod each, made of the planners' operations
// only.
//
// pod - veth - node - veth - router - veth - node - veth - pod; the router is the lab's, and the
// same for all networks. The VPC CNI's pods have addresses of their nodes' primary ENIs. Without
// encapsulation, the router knows Calico's pods as it knows the VPC CNI's (no source/destination
// check, a route of the VPC for each block).
#ifndef CNISIM_TOOLS_KERNEL_LAB_MEASURE_LAB_NETWORKS_H_
#define CNISIM_TOOLS_KERNEL_LAB_MEASURE_LAB_NETWORKS_H_

#include <memory>
#include <string>

#include "core/routing/calico_planner.h"
#include "tools/kernel_lab/features.h"
#include "tools/kernel_lab/lab.h"

namespace cnisim {

struct LabNetwork {
  std::string name;  // "aws-vpc-cni", "calico:VXLAN"
  std::unique_ptr<Lab> lab;
  Place client;  // pods
  Place server;
};

// `mtu` is the nodes'; pods have what is left of it. `features` are used as long as the network.
Result<LabNetwork> BuildVpcCni(const Features& features, int mtu);
// Of kNone, kVxlan and kIpip, which stand for Never and Always.
Result<LabNetwork> BuildCalico(const Features& features, CalicoEncapsulation encapsulation,
                               int mtu);

// Appends that many rules to each node's nat table for everything that is forwarded or sent, as
// services of which none is meant. Needs Feature::kIptables.
Status AddNatRules(const LabNetwork& network, int count);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_MEASURE_LAB_NETWORKS_H_
