// A VPC as the network between nodes: which ENI has which address, and the source/destination
// check of each.
//
// A frame to the gateway goes to whoever has the destination, or leaves the VPC; a frame to a next
// hop in the subnet goes to whoever has that address. An ENI with the check on sends and receives
// only what is from or for its own addresses. Private addresses that nobody has are nobody's:
// peerings, security groups and route tables are not here.
//
// An address that several interfaces claim belongs to the longest block, of equal ones to the first
// that claimed it. Source: EC2's documentation of ENIs and of the source/destination check.
// Complexity: O(log interfaces) for each frame and change.
#ifndef CNISIM_CORE_ROUTING_VPC_FABRIC_H_
#define CNISIM_CORE_ROUTING_VPC_FABRIC_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/net/ip.h"
#include "core/routing/forwarding_walk.h"

namespace cnisim {

// What an internet gateway carries, in bytes (EC2's documentation of network MTU).
inline constexpr int kInternetMtu = 1500;

struct VpcInterface {
  std::string node;
  std::string link;
  std::vector<IpCidr> subnets;    // one of each family
  std::vector<IpCidr> addresses;  // primary, secondary, prefixes
  bool source_dest_check = true;
};

class VpcFabric final : public Fabric {
 public:
  VpcFabric(std::vector<IpCidr> cidrs, std::vector<VpcInterface> interfaces);
  VpcFabric(VpcFabric&&) = default;
  VpcFabric& operator=(VpcFabric&&) = default;

  // An interface is named by its node and link; there is one of a name. Unknown ones are ignored.
  void Attach(VpcInterface interface);
  void Detach(const std::string& node, const std::string& link);
  void Assign(const std::string& node, const std::string& link, const IpCidr& addresses);
  void Unassign(const std::string& node, const std::string& link, const IpCidr& addresses);

  FabricVerdict Carry(const FabricFrame& frame) const override;

  // To whom an interface's frame goes: the frames of one next hop have one fate.
  enum class NextHop : uint8_t { kNobody, kDestination, kVia };
  static NextHop NextHopOf(const VpcInterface& from, const FabricFrame& frame);
  static bool PassesCheck(const VpcInterface& interface, IpAddress address);
  const VpcInterface* Find(const std::string& node, const std::string& link) const;
  const VpcInterface* HolderOf(IpAddress address) const;
  const std::vector<IpCidr>& cidrs() const { return cidrs_; }
  // Of a node, in the order of their links' names.
  std::vector<const VpcInterface*> InterfacesOf(const std::string& node) const;
  // Of all interfaces.
  std::set<IpCidr> Subnets() const;

 private:
  // The VPC's DNS, at the third address of its first block. To walks, it is outside.
  bool IsResolver(IpAddress address) const;
  void Claim(const VpcInterface& interface, const IpCidr& addresses);
  void Release(const VpcInterface& interface, const IpCidr& addresses);

  std::vector<IpCidr> cidrs_;
  std::map<std::pair<std::string, std::string>, VpcInterface> interfaces_;
  // Blocks -> who claims them, first come first; and how many blocks of each length there are, the
  // longest last.
  std::unordered_map<IpCidr, std::vector<const VpcInterface*>> holders_;
  std::map<std::pair<bool, int>, int> lengths_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_VPC_FABRIC_H_
