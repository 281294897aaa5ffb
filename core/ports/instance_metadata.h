// The EC2 instance metadata service (IMDS) of the node's own instance.
//
// It lags behind EC2: an attached ENI or an assigned address shows up here some time after the API
// call that made it, and stays for some time after it is gone.
#ifndef CNISIM_CORE_PORTS_INSTANCE_METADATA_H_
#define CNISIM_CORE_PORTS_INSTANCE_METADATA_H_

#include <string>
#include <vector>

#include "core/net/ip.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

// What does not change while the instance runs.
struct InstanceIdentity {
  std::string instance_id;
  std::string instance_type;
  std::string region;
  std::string availability_zone;
  std::string vpc_id;
  std::string primary_eni_id;
  std::string primary_subnet_id;
  IpAddress primary_ip;  // of the family that the node is addressed by
};

// One attached ENI as metadata shows it.
struct MetadataEni {
  std::string id;
  std::string subnet_id;
  int device_number = 0;
  int network_card = 0;
  // An interface without any address, such as an EFA-only one.
  bool has_addresses = true;
  Ipv4Address primary_ip;
  std::vector<Ipv4Address> secondary_ips;  // without the primary
  std::vector<Ipv4Cidr> ipv4_prefixes;
  std::vector<Ipv6Address> ipv6_addresses;
};

// Metadata requests of one enumeration of n ENIs: the MAC list, then nine keys an ENI
// (amazon-vpc-cni-k8s v1.23.1, pkg/awsutils/imds.go).
constexpr int EnumerationRequests(size_t enis) { return 1 + 9 * static_cast<int>(enis); }

class InstanceMetadata {
 public:
  virtual ~InstanceMetadata() = default;

  virtual Task<Result<InstanceIdentity>> GetIdentity() = 0;
  // Enumerates the attached ENIs, oldest attachment first: EnumerationRequests(n) requests.
  virtual Task<Result<std::vector<MetadataEni>>> GetAttachedEnis() = 0;
  virtual Task<Result<std::vector<IpCidr>>> GetVpcCidrs(bool ipv6) = 0;
  virtual Task<Result<std::vector<std::string>>> GetSecurityGroups() = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_INSTANCE_METADATA_H_
