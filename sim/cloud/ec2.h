// One simulated AWS account in one region and VPC: subnets, instances and their network interfaces.
//
// The methods named like EC2 actions are the effects of those actions, at once and free of charge;
// latency, throttling and retries are in ec2_endpoint.h and ec2_client.h. A failed action changes
// nothing.
//
// What is modelled of EC2's rules
//  - An ENI has a primary address and slots for secondary addresses and /28 prefixes, one slot
//  each;
//    an instance type bounds slots (PrivateIpAddressLimitExceeded) and ENIs per network card
//    (AttachmentLimitExceeded). An ENI that is not attached may fill the slots of the largest type.
//  - A detach takes CloudTiming::eni_detach; until it is over the ENI counts as attached, keeps its
//    device index and cannot be deleted (InvalidNetworkInterface.InUse). Detaching twice is fine.
//  - A released address or prefix can be given out again at once.
//  - Terminating an instance deletes its ENIs that have DeleteOnTermination and leaves the others
//    available: leaked.
//  - A trunk ENI is one that is attached to an instance whose type allows branch ENIs, one a
//    instance. A branch ENI has one address and is never attached: it is associated with a trunk
//    under a VLAN of its own there (1 to 121), until one of the two is deleted or the trunk is
//    detached. The type bounds the branch ENIs of a trunk.
//  - Prefix requests on a subnet without an aligned free /28 are answered InsufficientCidrBlocks.
// Further error codes: InvalidSubnetID.NotFound, InvalidInstanceID.NotFound,
// InvalidParameterCombination, OperationNotPermitted. Which of them AssociateTrunkInterface answers
// with is an assumption.
//
// Ids are unique and a function of the seed and the order of creation. Instances keep their index
// for good. Effects cost O(addresses touched x log(subnet)); a describe O(what it returns), though
// describing all ENIs sorts them.
//
// Invariants: CheckInvariants. Single-threaded; outlives every client and metadata request, and the
// simulation must not run on after it is gone.
#ifndef CNISIM_SIM_CLOUD_EC2_H_
#define CNISIM_SIM_CLOUD_EC2_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ports/ec2_api.h"
#include "sim/cloud/cloud_context.h"
#include "sim/cloud/ec2_defaults.h"
#include "sim/cloud/ec2_endpoint.h"
#include "sim/cloud/instance_types.h"
#include "sim/cloud/metadata.h"
#include "sim/cloud/spec.h"
#include "sim/cloud/subnet_allocator.h"

namespace cnisim {

using InstanceIndex = uint32_t;

// VLANs of branch ENIs on their trunk (amazon-vpc-resource-controller-k8s, pkg/provider/branch).
inline constexpr int kFirstBranchVlan = 1;
inline constexpr int kLastBranchVlan = 121;

struct Ec2Config {
  uint64_t seed = 1;
  std::string region = "us-east-1";
  VpcSpec vpc;
  Ec2Spec ec2;
  CloudTiming timing;
};

struct AssociateTrunkInterfaceRequest {
  std::string trunk_interface_id;
  std::string branch_interface_id;
  int vlan_id = 0;
};

// Where a branch ENI is.
struct BranchPlace {
  InstanceIndex instance = 0;  // of its trunk
  int vlan_id = 0;
  Ipv4Address ip;
};

struct AttachedInterface {
  NetworkInterface eni;
  size_t subnet = 0;        // an index into VpcSpec::subnets
  std::optional<int> vlan;  // of a branch ENI on its trunk
};

// What the observer calls the account's parts.
struct CloudEntities {
  std::vector<EntityId> subnets;  // in the order of VpcSpec::subnets
  PerEc2Action<EntityId> actions{};
};

class Ec2 {
 public:
  // Requires a valid VPC: subnets of /8 to /28 with room for what they say is used.
  Ec2(Simulation& simulation, Ec2Config config);
  Ec2(const Ec2&) = delete;
  Ec2& operator=(const Ec2&) = delete;

  Simulation& simulation() { return context_.simulation; }
  Ec2Endpoint& endpoint() { return endpoint_; }

  // From now on levels are told when they change, and the requests that are sent.
  void SetObserver(Observer* observer, CloudEntities entities);
  // Called before or after an instance's interfaces, or their addresses, change.
  void set_on_interfaces_changed(std::function<void(InstanceIndex)> listener) {
    on_interfaces_changed_ = std::move(listener);
  }
  // Tells every level once.
  void TellAll();

  // An instance that boots with its primary ENI in a subnet (an index into VpcSpec::subnets).
  // `name` identifies it in random draws and `node` to the observer. Fails if the subnet has no
  // address.
  Result<InstanceIndex> AddInstance(std::string_view name, const InstanceType& type, size_t subnet,
                                    EntityId node);
  // Terminates it. Its agent must be gone; its metadata goes with it.
  void RemoveInstance(InstanceIndex instance);

  MetadataService& metadata(InstanceIndex instance) { return *instances_[instance].metadata; }
  Ec2Caller& caller(InstanceIndex instance) { return *instances_[instance].caller; }
  const std::string& instance_id(InstanceIndex instance) const { return instances_[instance].id; }
  // ENIs attached to the instance, detaching ones included.
  size_t attached_enis(InstanceIndex instance) const { return instances_[instance].enis.size(); }

  const std::string& vpc_id() const { return vpc_id_; }
  const std::string& subnet_id(size_t subnet) const { return subnets_[subnet].id; }
  const SubnetAllocator& subnet(size_t subnet) const { return subnets_[subnet].allocator; }

  // ENI primaries and secondaries plus 16 per prefix, attached or not.
  int64_t addresses_held() const { return levels_.addresses; }
  int64_t enis_attached() const { return levels_.enis; }
  int64_t enis_available() const { return static_cast<int64_t>(available_.size()); }
  // Associated with a trunk; neither attached nor available.
  int64_t branch_enis() const { return levels_.branches; }
  // Empty if there is no such branch ENI, or no trunk that it is associated with. O(1).
  std::optional<BranchPlace> FindBranch(const std::string& network_interface_id) const;
  // The one that an instance boots with.
  AttachedInterface PrimaryInterfaceOf(InstanceIndex instance) const;
  // Of an instance, by attachment, so the primary first, detaching ones included; a trunk's branch
  // ENIs after it.
  std::vector<AttachedInterface> InterfacesOf(InstanceIndex instance) const;
  // On attached ENIs.
  int64_t prefixes_attached() const { return levels_.prefixes; }

  // Requests to instance metadata, of all instances that ever were.
  int64_t metadata_requests() const { return context_.metadata_requests; }

  // --- The effects of the API's actions ---

  Result<NetworkInterface> CreateNetworkInterface(const CreateNetworkInterfaceRequest& request);
  Result<std::string> AttachNetworkInterface(const AttachNetworkInterfaceRequest& request);
  Status AssociateTrunkInterface(const AssociateTrunkInterfaceRequest& request);
  Status DetachNetworkInterface(const std::string& attachment_id);
  Status DeleteNetworkInterface(const std::string& network_interface_id);
  Status ModifyNetworkInterfaceAttribute(const ModifyNetworkInterfaceAttributeRequest& request);
  // No ids: every ENI of the account, oldest first.
  Result<std::vector<NetworkInterface>> DescribeNetworkInterfaces(
      const std::vector<std::string>& ids) const;
  Result<std::vector<int>> DescribeInstanceDevices(const std::string& instance_id,
                                                   int network_card_index) const;
  Result<std::vector<Subnet>> DescribeSubnets(const std::string& vpc_id,
                                              const std::string& availability_zone) const;
  Result<AssignedAddresses> AssignPrivateIpAddresses(
      const AssignPrivateIpAddressesRequest& request);
  Status UnassignPrivateIpAddresses(const UnassignPrivateIpAddressesRequest& request);
  Status CreateTags(const std::string& resource_id, const Tags& tags);
  // A token is the serial number that the next page begins with.
  Result<NetworkInterfacePage> FindNetworkInterfaces(const NetworkInterfaceFilter& filter,
                                                     const std::string& token) const;
  // Fails with InvalidParameterValue if the subnet has no IPv6 block.
  Result<std::vector<Ipv6Cidr>> AssignIpv6Prefixes(const std::string& network_interface_id,
                                                   int count);
  Status UnassignIpv6Prefixes(const std::string& network_interface_id,
                              const std::vector<Ipv6Cidr>& prefixes);
  Result<InstanceTypeNetwork> DescribeInstanceType(const std::string& type) const;

  // What is wrong, in words; empty when all is well. O(everything).
  std::vector<std::string> CheckInvariants() const;

 private:
  using EniIndex = uint32_t;
  enum class EniState : uint8_t { kGone, kAvailable, kAttached, kDetaching, kAssociated };

  struct SubnetState {
    std::string id;
    SubnetSpec spec;
    SubnetAllocator allocator;
    EntityId entity = kNoEntity;
    int64_t told_free = -1;
    uint64_t ipv6_prefixes_made = 0;  // never given out twice: a /64 has 65,536
  };

  struct Eni {
    EniState state = EniState::kGone;
    InterfaceType type = InterfaceType::kInterface;
    bool delete_on_termination = false;
    InstanceIndex instance = 0;  // while attached or detaching
    int device_index = -1;
    int network_card = 0;
    uint32_t subnet = 0;
    uint64_t serial = 0;      // numbers ENIs in the order of creation
    uint64_t attachment = 0;  // numbers attachments
    std::string id;
    std::string attachment_id;
    std::string description;
    Ipv4Address primary_ip;
    std::vector<Ipv4Address> secondary_ips;
    std::vector<Ipv4Cidr> prefixes;
    std::vector<Ipv6Cidr> ipv6_prefixes;
    std::vector<Ipv6Address> ipv6_addresses;
    std::vector<std::string> security_groups;
    std::optional<ConnectionTracking> connection_tracking;
    Tags tags;
    std::vector<EniIndex> branches;  // of a trunk
    EniIndex trunk = 0;              // of a branch while associated, and its VLAN there
    int vlan = 0;

    bool attached() const { return state == EniState::kAttached || state == EniState::kDetaching; }
    int slots_used() const { return static_cast<int>(secondary_ips.size() + prefixes.size()); }
  };

  struct Instance {
    std::string id;
    const InstanceType* type = nullptr;
    bool running = false;
    uint32_t subnet = 0;
    uint32_t detaches = 0;       // asked for so far
    std::vector<EniIndex> enis;  // by attachment
    std::unique_ptr<Ec2Caller> caller;
    std::unique_ptr<MetadataService> metadata;
  };

  struct Levels {
    int64_t addresses = 0;
    int64_t enis = 0;
    int64_t prefixes = 0;
    int64_t branches = 0;
  };

  std::string NewId(std::string_view kind, uint64_t number) const;
  int SlotLimit(const Eni& eni) const;
  Result<EniIndex> FindEni(const std::string& id) const;
  std::map<uint64_t, EniIndex> AllBySerial() const;
  Result<AssignedAddresses> Allocate(SubnetState& subnet, int addresses, int prefixes);
  Result<EniIndex> NewEni(uint32_t subnet, int secondary_ips, int prefixes);
  void Attach(EniIndex index, InstanceIndex instance, int device_index, int network_card);
  void FinishDetach(EniIndex index);
  void Unlink(EniIndex index);  // from its instance
  void InterfacesChanged(const Eni& eni) const;
  void EndAssociation(EniIndex branch);
  void Delete(EniIndex index);
  NetworkInterface Describe(const Eni& eni) const;
  MetadataEni AsMetadata(const Eni& eni) const;
  std::vector<std::string> CheckBranches(const Eni& trunk) const;
  uint64_t TruthDigest(const Instance& instance) const;
  void Tell(uint32_t subnet);
  void TellLevel(Metric metric, int64_t level, int64_t& told);

  CloudContext context_;
  std::function<void(InstanceIndex)> on_interfaces_changed_;
  std::string region_;
  std::string vpc_id_;
  std::string security_group_id_;
  Ec2Endpoint endpoint_;
  std::vector<SubnetState> subnets_;
  std::vector<Instance> instances_;
  std::vector<Eni> enis_;
  std::vector<EniIndex> free_enis_;  // slots of deleted ones
  std::unordered_map<std::string, EniIndex> eni_by_id_;
  std::unordered_map<std::string, EniIndex> eni_by_attachment_;
  std::map<uint64_t, EniIndex> available_;  // attached to nothing, by serial
  std::unordered_map<std::string, InstanceIndex> instance_by_id_;
  std::unordered_map<std::string, uint32_t> subnet_by_id_;
  uint64_t enis_made_ = 0;
  uint64_t attachments_made_ = 0;
  int largest_slots_ = 0;  // of any instance type
  Levels levels_;
  Levels told_{-1, -1, -1, -1};
  int64_t told_available_ = -1;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_EC2_H_
