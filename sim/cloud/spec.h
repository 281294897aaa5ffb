// What a scenario says of the cloud, as plain data.
#ifndef CNISIM_SIM_CLOUD_SPEC_H_
#define CNISIM_SIM_CLOUD_SPEC_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/net/ip.h"
#include "core/net/ipv4.h"
#include "core/net/ipv6.h"
#include "sim/engine/distribution.h"

namespace cnisim {

enum class UsedLayout { kScattered, kDense };

struct SubnetSpec {
  std::string name;
  std::string availability_zone;
  Ipv4Cidr cidr;
  int64_t used_at_start = 0;  // the five reserved addresses not counted
  UsedLayout used_layout = UsedLayout::kScattered;
  std::optional<Ipv6Cidr> ipv6_cidr;  // a /64
  std::map<std::string, std::string> tags;
};

struct VpcSpec {
  std::vector<Ipv4Cidr> cidr_blocks;
  std::optional<Ipv6Cidr> ipv6_cidr;  // a /56
  std::vector<SubnetSpec> subnets;
};

// All of the VPC's blocks, the IPv6 one last.
inline std::vector<IpCidr> BlocksOf(const VpcSpec& vpc) {
  std::vector<IpCidr> blocks(vpc.cidr_blocks.begin(), vpc.cidr_blocks.end());
  if (vpc.ipv6_cidr) blocks.emplace_back(*vpc.ipv6_cidr);
  return blocks;
}

struct BucketSpec {
  double bucket = 0;             // tokens, the largest burst
  double refill_per_second = 0;  // tokens a second
};

// Only what the scenario overrides; sim/cloud holds the defaults. Keys are EC2 action names.
struct Ec2Spec {
  std::map<std::string, BucketSpec> throttles;
  std::map<std::string, Distribution> latency;
};

// Constants of the cloud that are not per API action.
struct CloudTiming {
  Distribution imds_request;  // one metadata key
  Distribution imds_lag;      // EC2 change to metadata
  Distribution eni_detach;    // DetachNetworkInterface accepted to the ENI being available
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_SPEC_H_
