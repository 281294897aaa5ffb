// A VPC as the network between nodes: which ENI has which address, and the source/destination
// check of each.
//
// A frame to the gateway goes to whoever has the destination, or leaves the VPC; a frame to a next
// hop in the subnet goes to whoever has that address. An ENI with the check on sends and receives
// only what is from or for its own addresses. Private addresses that nobody has are nobody's:
// peerings, security groups and route tables are not here.
//
// Source: EC2's documentation of ENIs and of the source/destination check. Complexity: a search
// through all interfaces for each frame.
#ifndef CNISIM_CORE_ROUTING_VPC_FABRIC_H_
#define CNISIM_CORE_ROUTING_VPC_FABRIC_H_

#include <string>
#include <vector>

#include "core/net/ip.h"
#include "core/routing/forwarding_walk.h"

namespace cnisim {

struct VpcInterface {
  std::string node;
  std::string link;
  std::vector<IpCidr> subnets;    // one of each family
  std::vector<IpCidr> addresses;  // primary, secondary, prefixes
  bool source_dest_check = true;
};

class VpcFabric final : public Fabric {
 public:
  VpcFabric(std::vector<IpCidr> cidrs, std::vector<VpcInterface> interfaces)
      : cidrs_(std::move(cidrs)), interfaces_(std::move(interfaces)) {}

  FabricVerdict Carry(const FabricFrame& frame) const override;

 private:
  const VpcInterface* HolderOf(IpAddress address) const;

  std::vector<IpCidr> cidrs_;
  std::vector<VpcInterface> interfaces_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_VPC_FABRIC_H_
