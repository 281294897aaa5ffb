// Amazon EC2 as the agent calls it: one method per API action, each a logical call as the AWS SDK
// makes it (the SDK's own retries happen behind this port).
//
// Names and error codes are AWS's; FindNetworkInterfaces is DescribeNetworkInterfaces with filters,
// and the two about IPv6 prefixes are AssignIpv6Addresses and UnassignIpv6Addresses. Sources: EC2
// API Reference; which calls are made and when is in eni_lifecycle.h and pool_manager.h.
#ifndef CNISIM_CORE_PORTS_EC2_API_H_
#define CNISIM_CORE_PORTS_EC2_API_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/ipv4.h"
#include "core/net/ipv6.h"
#include "core/net/mac.h"
#include "core/ports/clock.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

namespace ec2_error {
inline constexpr std::string_view kInsufficientFreeAddresses = "InsufficientFreeAddressesInSubnet";
inline constexpr std::string_view kInsufficientCidrBlocks = "InsufficientCidrBlocks";
inline constexpr std::string_view kPrivateIpLimitExceeded = "PrivateIpAddressLimitExceeded";
inline constexpr std::string_view kAttachmentLimitExceeded = "AttachmentLimitExceeded";
inline constexpr std::string_view kEniNotFound = "InvalidNetworkInterfaceID.NotFound";
inline constexpr std::string_view kEniInUse = "InvalidNetworkInterface.InUse";
inline constexpr std::string_view kAttachmentNotFound = "InvalidAttachmentID.NotFound";
inline constexpr std::string_view kInvalidParameterValue = "InvalidParameterValue";
inline constexpr std::string_view kRequestLimitExceeded = "RequestLimitExceeded";
inline constexpr std::string_view kInternalError = "InternalError";
}  // namespace ec2_error

// What EC2 delegates in prefix mode: an aligned /28.
inline constexpr int kPrefixLength = 28;
inline constexpr int kAddressesPerPrefix = 16;

// What EC2 delegates to an ENI in IPv6: a /80.
inline constexpr int kIpv6PrefixLength = 80;

using Tags = std::map<std::string, std::string>;

// Idle timeouts of connections through an ENI, in seconds; unset ones are EC2's own.
struct ConnectionTracking {
  std::optional<int> tcp_established;
  std::optional<int> udp_stream;
  std::optional<int> udp;

  friend bool operator==(const ConnectionTracking&, const ConnectionTracking&) = default;
};

// What an ENI is for: attached to an instance, carrying the branch ENIs of single pods, or such a
// branch ENI.
enum class InterfaceType { kInterface, kTrunk, kBranch };

struct CreateNetworkInterfaceRequest {
  std::string subnet_id;
  std::string description;
  std::vector<std::string> security_group_ids;
  int secondary_private_ip_address_count = 0;  // at most one of the three counts is positive
  int ipv4_prefix_count = 0;
  int ipv6_address_count = 0;
  std::optional<ConnectionTracking> connection_tracking;
  Tags tags;
  InterfaceType interface_type = InterfaceType::kInterface;
};

// What DescribeNetworkInterfaces and CreateNetworkInterface tell of an ENI.
struct NetworkInterface {
  std::string id;
  std::string subnet_id;
  std::string description;
  MacAddress mac;
  Ipv4Address primary_ip;
  std::vector<Ipv4Address> secondary_ips;  // without the primary, in assignment order
  std::vector<Ipv4Cidr> ipv4_prefixes;
  std::vector<Ipv6Cidr> ipv6_prefixes;
  std::vector<std::string> security_group_ids;
  std::optional<ConnectionTracking> connection_tracking;
  Tags tags;
  std::string attachment_id;  // empty when not attached
  std::string instance_id;
  int device_index = -1;
  int network_card_index = 0;
  bool is_trunk = false;
  bool is_efa = false;  // with addresses of its own
  bool is_efa_only = false;
};

// All conditions that are set must hold, as with the filters of DescribeNetworkInterfaces.
struct NetworkInterfaceFilter {
  std::string tag_key;     // has a tag of this key
  Tags tags;               // has these tags
  bool available = false;  // attached to nothing
  std::string vpc_id;
};

struct NetworkInterfacePage {
  std::vector<NetworkInterface> interfaces;
  std::string next_token;  // empty: the last page
};
inline constexpr int kInterfacesPerPage = 1000;

// What DescribeInstanceTypes tells of the network of a type.
struct InstanceTypeNetwork {
  int ipv4_per_eni = 0;  // the primary address included
  int max_enis = 0;      // over all network cards
  int default_card_max_enis = 0;
  bool is_nitro = false;
  bool is_bare_metal = false;
};

struct Subnet {
  std::string id;
  std::string availability_zone;
  int64_t available_ip_address_count = 0;
  Tags tags;
};

struct AttachNetworkInterfaceRequest {
  std::string network_interface_id;
  std::string instance_id;
  int device_index = 0;
  int network_card_index = 0;
};

struct ModifyNetworkInterfaceAttributeRequest {
  std::string network_interface_id;
  // One attribute a call, as EC2 has it.
  std::string delete_on_termination_of;  // attachment id, or empty
  std::vector<std::string> security_group_ids;
};

struct AssignPrivateIpAddressesRequest {
  std::string network_interface_id;
  int secondary_private_ip_address_count = 0;
  int ipv4_prefix_count = 0;
};

struct AssignedAddresses {
  std::vector<Ipv4Address> ips;
  std::vector<Ipv4Cidr> prefixes;
};

struct UnassignPrivateIpAddressesRequest {
  std::string network_interface_id;
  std::vector<Ipv4Address> ips;
  std::vector<Ipv4Cidr> prefixes;
};

class Ec2Api {
 public:
  virtual ~Ec2Api() = default;

  virtual Task<Result<NetworkInterface>> CreateNetworkInterface(
      CreateNetworkInterfaceRequest request) = 0;
  // Returns the attachment id.
  virtual Task<Result<std::string>> AttachNetworkInterface(
      AttachNetworkInterfaceRequest request) = 0;
  virtual Task<Status> DetachNetworkInterface(std::string attachment_id) = 0;
  virtual Task<Status> DeleteNetworkInterface(std::string network_interface_id) = 0;
  virtual Task<Status> ModifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) = 0;
  // Fails as a whole with kEniNotFound, naming the id, if one of the ids is unknown.
  virtual Task<Result<std::vector<NetworkInterface>>> DescribeNetworkInterfaces(
      std::vector<std::string> ids) = 0;
  // One page of the interfaces that match, oldest first. `token` is empty, or of the page before.
  virtual Task<Result<NetworkInterfacePage>> FindNetworkInterfaces(NetworkInterfaceFilter filter,
                                                                   std::string token) = 0;
  // The device indices in use on one network card of the caller's own instance.
  virtual Task<Result<std::vector<int>>> DescribeInstanceDevices(std::string instance_id,
                                                                 int network_card_index) = 0;
  // Every subnet of the VPC in the availability zone.
  virtual Task<Result<std::vector<Subnet>>> DescribeSubnets(std::string vpc_id,
                                                            std::string availability_zone) = 0;
  virtual Task<Result<AssignedAddresses>> AssignPrivateIpAddresses(
      AssignPrivateIpAddressesRequest request) = 0;
  virtual Task<Status> UnassignPrivateIpAddresses(UnassignPrivateIpAddressesRequest request) = 0;
  // Delegates /80 blocks to the ENI.
  virtual Task<Result<std::vector<Ipv6Cidr>>> AssignIpv6Prefixes(std::string network_interface_id,
                                                                 int count) = 0;
  virtual Task<Status> UnassignIpv6Prefixes(std::string network_interface_id,
                                            std::vector<Ipv6Cidr> prefixes) = 0;
  virtual Task<Result<InstanceTypeNetwork>> DescribeInstanceType(std::string type) = 0;
  virtual Task<Status> CreateTags(std::string resource_id, Tags tags) = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_EC2_API_H_
