// Which subnets the agent may create ENIs in, by their tags (rule EX-1).
//
// Tag `kubernetes.io/role/cni`: "0" excludes a subnet; another value includes it unless cluster
// tags name only other clusters. Without the tag, only the primary ENI's subnet is used. Source:
// amazon-vpc-cni-k8s v1.23.1, pkg/awsutils.
#ifndef CNISIM_CORE_IPAM_SUBNET_CHOICE_H_
#define CNISIM_CORE_IPAM_SUBNET_CHOICE_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/ports/ec2_api.h"

namespace cnisim {

// May a new ENI be created in a subnet with these tags?
bool SubnetUsable(const Tags& tags, bool is_primary_subnet, std::string_view cluster_name);

// Are existing ENIs of a subnet with these tags kept from serving new pods?
bool SubnetExcluded(const Tags& tags, std::string_view cluster_name);

// The usable ones, most free addresses first; equal ones keep their order.
std::vector<Subnet> SubnetsForNewEni(std::vector<Subnet> subnets, std::string_view primary_subnet,
                                     std::string_view cluster_name);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_SUBNET_CHOICE_H_
