// Security groups for pods: the branch ENI that the VPC resource controller made for a pod and
// wrote into the pod's annotation.
//
// Source: rules GA-2 and GA-6 of amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd/rpc_handler.go).
#ifndef CNISIM_CORE_RPC_BRANCH_ENI_H_
#define CNISIM_CORE_RPC_BRANCH_ENI_H_

#include <string>
#include <string_view>

#include "core/net/ip.h"
#include "core/ports/kubernetes_api.h"
#include "core/ports/result.h"

namespace cnisim {

// Both the resource that such a pod is limited by and the annotation.
inline constexpr std::string_view kPodEniKey = "vpc.amazonaws.com/pod-eni";

// The first element of the annotation, as it is written.
struct BranchEni {
  std::string eni_id;
  std::string mac;
  std::string private_ip;
  std::string ipv6;
  int vlan_id = 0;
  std::string subnet_cidr;
  std::string subnet_v6_cidr;
};

// Whether the first container asks for a branch ENI.
bool WantsBranchEni(const PodObject& pod);

// An error if the annotation is no JSON array of objects with fields of the right types, or empty.
Result<BranchEni> ParseBranchEni(std::string_view annotation);

// What a pod's network is set up with.
struct BranchAddress {
  IpAddress ip;
  IpAddress gateway;  // the subnet's first address after its own; fe80:ec2::1 for IPv6
};

// An error if the ENI has no address of the family, no MAC, no VLAN, or no proper subnet.
Result<BranchAddress> AddressOf(const BranchEni& eni, bool ipv6);

}  // namespace cnisim

#endif  // CNISIM_CORE_RPC_BRANCH_ENI_H_
