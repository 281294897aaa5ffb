#include "sim/cloud/ec2.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <set>

#include "core/ipam/pool_digest.h"
#include "core/net/hash.h"

namespace cnisim {
namespace {

constexpr uint64_t kDetachPurpose = HashName("eni-detach");
constexpr std::string_view kSubnetNotFound = "InvalidSubnetID.NotFound";
constexpr std::string_view kInstanceNotFound = "InvalidInstanceID.NotFound";
constexpr std::string_view kParameterCombination = "InvalidParameterCombination";
constexpr std::string_view kNotPermitted = "OperationNotPermitted";

tl::unexpected<Error> Refuse(std::string_view code, std::string message) {
  return Fail(std::string(code), std::move(message));
}

template <typename T>
bool Contains(const std::vector<T>& items, const T& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

// Whether every item of `wanted` is in `items` and none twice in `wanted`.
template <typename T>
bool ContainsAll(const std::vector<T>& items, std::vector<T> wanted) {
  std::sort(wanted.begin(), wanted.end());
  if (std::adjacent_find(wanted.begin(), wanted.end()) != wanted.end()) return false;
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const T& item) { return Contains(items, item); });
}

template <typename T>
void EraseAll(std::vector<T>& from, const std::vector<T>& what) {
  std::erase_if(from, [&](const T& item) { return Contains(what, item); });
}

template <typename T>
void Append(std::vector<T>& to, const std::vector<T>& what) {
  to.insert(to.end(), what.begin(), what.end());
}

bool HasTags(const Tags& tags, const NetworkInterfaceFilter& filter) {
  if (!filter.tag_key.empty() && !tags.contains(filter.tag_key)) return false;
  return std::ranges::all_of(filter.tags, [&](const auto& wanted) {
    const auto it = tags.find(wanted.first);
    return it != tags.end() && it->second == wanted.second;
  });
}

Status CheckCounts(int secondary_ips, int prefixes) {
  if (secondary_ips < 0 || prefixes < 0) {
    return Refuse(ec2_error::kInvalidParameterValue, "a count of addresses is negative");
  }
  if (secondary_ips > 0 && prefixes > 0) {
    return Refuse(kParameterCombination, "secondary addresses and prefixes in one request");
  }
  return {};
}

// A locally administered one, as EC2's are.
MacAddress MacOf(std::string_view eni_id) {
  return MacAddress((HashName(eni_id) & 0xffffffffff) | 0x020000000000);
}

}  // namespace

Ec2::Ec2(Simulation& simulation, Ec2Config config)
    : context_{simulation, config.seed, config.timing, BlocksOf(config.vpc), nullptr},
      region_(std::move(config.region)),
      vpc_id_(NewId("vpc", 0)),
      security_group_id_(NewId("sg", 0)),
      endpoint_(context_, config.ec2) {
  for (const InstanceType& type : AllInstanceTypes()) {
    largest_slots_ = std::max(largest_slots_, type.slots_per_eni());
  }
  subnets_.reserve(config.vpc.subnets.size());
  for (const SubnetSpec& spec : config.vpc.subnets) {
    SubnetAllocator allocator(
        spec.cidr, RandomStream(config.seed, "subnet/" + spec.name, "ec2-address-choice"));
    allocator.Occupy(spec.used_at_start, spec.used_layout);
    std::string id = NewId("subnet", subnets_.size());
    subnet_by_id_.emplace(id, static_cast<uint32_t>(subnets_.size()));
    subnets_.push_back({std::move(id), spec, std::move(allocator)});
  }
}

std::string Ec2::NewId(std::string_view kind, uint64_t number) const {
  const uint64_t salt = HashMix(context_.seed ^ HashName(kind));
  return fmt::format("{}-0{:016x}", kind, HashMix(salt ^ number));
}

void Ec2::SetObserver(Observer* observer, CloudEntities entities) {
  assert(entities.subnets.size() == subnets_.size());
  context_.observer = observer;
  endpoint_.SetActionEntities(entities.actions);
  for (size_t i = 0; i < subnets_.size(); ++i) {
    subnets_[i].entity = entities.subnets[i];
    subnets_[i].told_free = subnets_[i].allocator.free_count();
  }
  told_ = levels_;
  told_available_ = enis_available();
}

void Ec2::TellLevel(Metric metric, int64_t level, int64_t& told) {
  if (level == told) return;
  told = level;
  context_.observer->OnGauge(metric, kClusterEntity, context_.simulation.Now(), level);
}

void Ec2::Tell(uint32_t subnet) {
  if (context_.observer == nullptr) return;
  SubnetState& state = subnets_[subnet];
  const int64_t free = state.allocator.free_count();
  if (free != state.told_free) {
    state.told_free = free;
    context_.observer->OnGauge(Metric::kSubnetFreeIps, state.entity, context_.simulation.Now(),
                               free);
  }
  TellLevel(Metric::kVpcAddressesHeld, levels_.addresses, told_.addresses);
  TellLevel(Metric::kEnisAttached, levels_.enis, told_.enis);
  TellLevel(Metric::kEnisAvailable, enis_available(), told_available_);
  TellLevel(Metric::kPrefixesAttached, levels_.prefixes, told_.prefixes);
}

void Ec2::TellAll() {
  told_ = Levels{-1, -1, -1, -1};
  told_available_ = -1;
  for (uint32_t i = 0; i < subnets_.size(); ++i) {
    subnets_[i].told_free = -1;
    Tell(i);
  }
}

int Ec2::SlotLimit(const Eni& eni) const {
  return eni.attached() ? instances_[eni.instance].type->slots_per_eni() : largest_slots_;
}

Result<Ec2::EniIndex> Ec2::FindEni(const std::string& id) const {
  const auto it = eni_by_id_.find(id);
  if (it != eni_by_id_.end()) return it->second;
  return Refuse(ec2_error::kEniNotFound,
                fmt::format("The networkInterface ID '{}' does not exist", id));
}

Result<AssignedAddresses> Ec2::Allocate(SubnetState& subnet, int addresses, int prefixes) {
  // Prefixes first, so that a single address does not break the block that they need.
  SubnetAllocator& allocator = subnet.allocator;
  AssignedAddresses assigned;
  if (prefixes > 0) {
    Result<std::vector<Ipv4Cidr>> blocks = allocator.AllocatePrefixes(prefixes);
    if (!blocks) return tl::unexpected<Error>(blocks.error());
    assigned.prefixes = *std::move(blocks);
  }
  Result<std::vector<Ipv4Address>> singles = allocator.AllocateAddresses(addresses);
  if (!singles) {
    for (const Ipv4Cidr block : assigned.prefixes) allocator.Release(block);
    return tl::unexpected<Error>(singles.error());
  }
  assigned.ips = *std::move(singles);
  return assigned;
}

Result<Ec2::EniIndex> Ec2::NewEni(uint32_t subnet, int secondary_ips, int prefixes) {
  Result<AssignedAddresses> assigned = Allocate(subnets_[subnet], 1 + secondary_ips, prefixes);
  if (!assigned) return tl::unexpected<Error>(assigned.error());
  EniIndex index;
  if (free_enis_.empty()) {
    index = static_cast<EniIndex>(enis_.size());
    enis_.emplace_back();
  } else {
    index = free_enis_.back();
    free_enis_.pop_back();
  }
  Eni& eni = enis_[index];
  eni.state = EniState::kAvailable;
  eni.subnet = subnet;
  eni.serial = enis_made_++;
  eni.id = NewId("eni", eni.serial);
  eni.primary_ip = assigned->ips.front();
  eni.secondary_ips.assign(assigned->ips.begin() + 1, assigned->ips.end());
  eni.prefixes = std::move(assigned->prefixes);
  eni_by_id_.emplace(eni.id, index);
  available_.emplace(eni.serial, index);
  levels_.addresses += 1 + secondary_ips + kAddressesPerPrefix * prefixes;
  return index;
}

void Ec2::Attach(EniIndex index, InstanceIndex instance, int device_index, int network_card) {
  Eni& eni = enis_[index];
  eni.state = EniState::kAttached;
  available_.erase(eni.serial);
  eni.instance = instance;
  eni.device_index = device_index;
  eni.network_card = network_card;
  eni.attachment = attachments_made_++;
  eni.attachment_id = NewId("eni-attach", eni.attachment);
  eni.delete_on_termination = false;
  eni_by_attachment_.emplace(eni.attachment_id, index);
  instances_[instance].enis.push_back(index);
  levels_.enis += 1;
  levels_.prefixes += static_cast<int64_t>(eni.prefixes.size());
  InterfacesChanged(eni);
}

void Ec2::InterfacesChanged(const Eni& eni) const {
  if (!on_interfaces_changed_) return;
  if (eni.attached()) on_interfaces_changed_(eni.instance);
  if (eni.state == EniState::kAssociated) on_interfaces_changed_(enis_[eni.trunk].instance);
}

void Ec2::EndAssociation(EniIndex branch) {
  Eni& eni = enis_[branch];
  InterfacesChanged(eni);
  std::erase(enis_[eni.trunk].branches, branch);
  eni.state = EniState::kAvailable;
  available_.emplace(eni.serial, branch);
  levels_.branches -= 1;
}

void Ec2::Unlink(EniIndex index) {
  Eni& eni = enis_[index];
  InterfacesChanged(eni);
  while (!eni.branches.empty()) EndAssociation(eni.branches.back());
  std::erase(instances_[eni.instance].enis, index);
  eni_by_attachment_.erase(eni.attachment_id);
  eni.state = EniState::kAvailable;
  available_.emplace(eni.serial, index);
  eni.attachment_id.clear();
  eni.device_index = -1;
  eni.network_card = 0;
  levels_.enis -= 1;
  levels_.prefixes -= static_cast<int64_t>(eni.prefixes.size());
}

void Ec2::FinishDetach(EniIndex index) {
  const Eni& eni = enis_[index];
  const uint64_t attachment = eni.attachment;
  const InstanceIndex instance = eni.instance;
  Unlink(index);
  Tell(eni.subnet);
  instances_[instance].metadata->Detached(attachment);
}

void Ec2::Delete(EniIndex index) {
  Eni& eni = enis_[index];
  if (eni.state == EniState::kAssociated) EndAssociation(index);
  SubnetAllocator& allocator = subnets_[eni.subnet].allocator;
  allocator.Release(eni.primary_ip);
  for (const Ipv4Address ip : eni.secondary_ips) allocator.Release(ip);
  for (const Ipv4Cidr prefix : eni.prefixes) allocator.Release(prefix);
  levels_.addresses -= 1 + static_cast<int64_t>(eni.secondary_ips.size()) +
                       kAddressesPerPrefix * static_cast<int64_t>(eni.prefixes.size());
  eni_by_id_.erase(eni.id);
  available_.erase(eni.serial);
  eni = Eni();
  free_enis_.push_back(index);
}

NetworkInterface Ec2::Describe(const Eni& eni) const {
  NetworkInterface out;
  out.id = eni.id;
  out.subnet_id = subnets_[eni.subnet].id;
  out.description = eni.description;
  out.mac = MacOf(eni.id);
  out.primary_ip = eni.primary_ip;
  out.secondary_ips = eni.secondary_ips;
  out.ipv4_prefixes = eni.prefixes;
  out.ipv6_prefixes = eni.ipv6_prefixes;
  out.security_group_ids = eni.security_groups;
  out.connection_tracking = eni.connection_tracking;
  out.tags = eni.tags;
  out.is_trunk = eni.type == InterfaceType::kTrunk;
  if (eni.attached()) {
    out.network_card_index = eni.network_card;
    out.attachment_id = eni.attachment_id;
    out.instance_id = instances_[eni.instance].id;
    out.device_index = eni.device_index;
  }
  return out;
}

MetadataEni Ec2::AsMetadata(const Eni& eni) const {
  MetadataEni out;
  out.id = eni.id;
  out.subnet_id = subnets_[eni.subnet].id;
  out.device_number = eni.device_index;
  out.network_card = eni.network_card;
  out.primary_ip = eni.primary_ip;
  out.secondary_ips = eni.secondary_ips;
  out.ipv4_prefixes = eni.prefixes;
  out.ipv6_addresses = eni.ipv6_addresses;
  return out;
}

Result<InstanceIndex> Ec2::AddInstance(std::string_view name, const InstanceType& type,
                                       size_t subnet, EntityId node) {
  const Result<EniIndex> primary = NewEni(static_cast<uint32_t>(subnet), 0, 0);
  if (!primary) return tl::unexpected<Error>(primary.error());
  const auto index = static_cast<InstanceIndex>(instances_.size());
  Instance& instance = instances_.emplace_back();
  instance.id = NewId("i", index);
  instance.type = &type;
  instance.running = true;
  instance.subnet = static_cast<uint32_t>(subnet);
  instance.caller = std::make_unique<Ec2Caller>();
  instance.caller->entity_hash = HashName(name);
  instance.caller->node = node;
  instance_by_id_.emplace(instance.id, index);
  Attach(*primary, index, 0, 0);

  Eni& eni = enis_[*primary];
  eni.delete_on_termination = true;
  eni.security_groups = {security_group_id_};
  InstanceIdentity identity;
  identity.instance_id = instance.id;
  identity.instance_type = type.name;
  identity.region = region_;
  identity.availability_zone = subnets_[subnet].spec.availability_zone;
  identity.vpc_id = vpc_id_;
  identity.primary_eni_id = eni.id;
  identity.primary_subnet_id = subnets_[subnet].id;
  identity.primary_ip = eni.primary_ip;
  instance.metadata = std::make_unique<MetadataService>(context_, instance.caller->entity_hash,
                                                        std::move(identity), eni.security_groups);
  instance.metadata->AttachedAtBoot(eni.attachment, AsMetadata(eni));
  Tell(eni.subnet);
  return index;
}

void Ec2::RemoveInstance(InstanceIndex index) {
  Instance& instance = instances_[index];
  assert(instance.running);
  instance.running = false;
  instance.metadata.reset();
  instance_by_id_.erase(instance.id);
  const std::vector<EniIndex> enis = instance.enis;
  for (const EniIndex eni : enis) {
    const bool remove = enis_[eni].delete_on_termination;
    const uint32_t subnet = enis_[eni].subnet;
    Unlink(eni);
    if (remove) Delete(eni);
    Tell(subnet);
  }
}

Result<NetworkInterface> Ec2::CreateNetworkInterface(const CreateNetworkInterfaceRequest& request) {
  const int secondary_ips = request.secondary_private_ip_address_count;
  const int prefixes = request.ipv4_prefix_count;
  if (const Status counts = CheckCounts(secondary_ips, prefixes); !counts) {
    return tl::unexpected<Error>(counts.error());
  }
  const auto subnet = subnet_by_id_.find(request.subnet_id);
  if (subnet == subnet_by_id_.end()) {
    return Refuse(kSubnetNotFound,
                  fmt::format("The subnet ID '{}' does not exist", request.subnet_id));
  }
  if (request.ipv6_address_count > 0 && !subnets_[subnet->second].spec.ipv6_cidr) {
    return Refuse(ec2_error::kInvalidParameterValue, "the subnet has no IPv6 block");
  }
  if (secondary_ips + prefixes > largest_slots_) {
    return Refuse(
        ec2_error::kPrivateIpLimitExceeded,
        fmt::format("an ENI has room for {} secondary addresses or prefixes", largest_slots_));
  }
  if (request.interface_type == InterfaceType::kBranch && secondary_ips + prefixes > 0) {
    return Refuse(kParameterCombination, "a branch ENI has one address");
  }
  const Result<EniIndex> index = NewEni(subnet->second, secondary_ips, prefixes);
  if (!index) return tl::unexpected<Error>(index.error());
  Eni& eni = enis_[*index];
  eni.type = request.interface_type;
  eni.description = request.description;
  eni.security_groups = request.security_group_ids;
  eni.connection_tracking = request.connection_tracking;
  eni.tags = request.tags;
  // Single IPv6 addresses come from the upper half of the block, prefixes from the lower.
  for (int i = 0; i < request.ipv6_address_count; ++i) {
    const Ipv6Cidr& block = *subnets_[eni.subnet].spec.ipv6_cidr;
    eni.ipv6_addresses.push_back(
        block.network().Offset(uint64_t{1} << 63 | eni.serial << 16 | static_cast<uint64_t>(i)));
  }
  Tell(eni.subnet);
  return Describe(eni);
}

Result<std::string> Ec2::AttachNetworkInterface(const AttachNetworkInterfaceRequest& request) {
  const Result<EniIndex> index = FindEni(request.network_interface_id);
  if (!index) return tl::unexpected<Error>(index.error());
  const auto found = instance_by_id_.find(request.instance_id);
  if (found == instance_by_id_.end()) {
    return Refuse(kInstanceNotFound,
                  fmt::format("The instance ID '{}' does not exist", request.instance_id));
  }
  const Eni& eni = enis_[*index];
  const Instance& instance = instances_[found->second];
  if (eni.attached()) {
    return Refuse(ec2_error::kEniInUse, fmt::format("Interface '{}' is in use", eni.id));
  }
  if (eni.type == InterfaceType::kBranch) {
    return Refuse(kNotPermitted, fmt::format("'{}' is a branch interface", eni.id));
  }
  if (subnets_[eni.subnet].spec.availability_zone !=
      subnets_[instance.subnet].spec.availability_zone) {
    return Refuse(
        ec2_error::kInvalidParameterValue,
        fmt::format("'{}' and '{}' are in different availability zones", eni.id, instance.id));
  }
  const int card = request.network_card_index;
  if (card < 0 || card >= instance.type->network_cards || request.device_index < 0) {
    return Refuse(ec2_error::kInvalidParameterValue,
                  fmt::format("'{}' has no network card {} with device index {}", instance.id, card,
                              request.device_index));
  }
  int on_card = 0;
  for (const EniIndex other : instance.enis) {
    if (enis_[other].network_card != card) continue;
    ++on_card;
    if (enis_[other].device_index == request.device_index) {
      return Refuse(ec2_error::kInvalidParameterValue,
                    fmt::format("Instance '{}' already has an interface attached at device index "
                                "'{}'",
                                instance.id, request.device_index));
    }
  }
  if (eni.type == InterfaceType::kTrunk) {
    const bool has_one = std::ranges::any_of(instance.enis, [this](EniIndex other) {
      return enis_[other].type == InterfaceType::kTrunk;
    });
    if (has_one || instance.type->branch_enis <= 0) {
      return Refuse(kNotPermitted,
                    fmt::format("'{}' ({}) cannot have {} trunk interface", instance.id,
                                instance.type->name, has_one ? "another" : "a"));
    }
  }
  if (on_card >= instance.type->eni_limit) {
    return Refuse(ec2_error::kAttachmentLimitExceeded,
                  fmt::format("'{}' ({}) has {} interfaces on network card {}, its limit",
                              instance.id, instance.type->name, on_card, card));
  }
  if (eni.slots_used() > instance.type->slots_per_eni()) {
    return Refuse(
        ec2_error::kPrivateIpLimitExceeded,
        fmt::format("'{}' holds {} secondary addresses and prefixes, {} allows {}", eni.id,
                    eni.slots_used(), instance.type->name, instance.type->slots_per_eni()));
  }
  Attach(*index, found->second, request.device_index, card);
  Tell(eni.subnet);
  instance.metadata->Attached(eni.attachment, AsMetadata(eni));
  return eni.attachment_id;
}

Status Ec2::AssociateTrunkInterface(const AssociateTrunkInterfaceRequest& request) {
  const Result<EniIndex> trunk_index = FindEni(request.trunk_interface_id);
  if (!trunk_index) return tl::unexpected<Error>(trunk_index.error());
  const Result<EniIndex> branch_index = FindEni(request.branch_interface_id);
  if (!branch_index) return tl::unexpected<Error>(branch_index.error());
  Eni& trunk = enis_[*trunk_index];
  Eni& branch = enis_[*branch_index];
  if (trunk.type != InterfaceType::kTrunk || trunk.state != EniState::kAttached ||
      branch.type != InterfaceType::kBranch) {
    return Refuse(kNotPermitted, fmt::format("'{}' is no attached trunk interface, or '{}' no "
                                             "branch interface",
                                             trunk.id, branch.id));
  }
  if (branch.state == EniState::kAssociated) {
    return Refuse(ec2_error::kEniInUse, fmt::format("Interface '{}' is in use", branch.id));
  }
  const bool vlan_taken = std::ranges::any_of(
      trunk.branches, [&](EniIndex other) { return enis_[other].vlan == request.vlan_id; });
  if (request.vlan_id < kFirstBranchVlan || request.vlan_id > kLastBranchVlan || vlan_taken ||
      subnets_[trunk.subnet].spec.availability_zone !=
          subnets_[branch.subnet].spec.availability_zone) {
    return Refuse(ec2_error::kInvalidParameterValue,
                  fmt::format("'{}' cannot be VLAN {} of '{}': it is taken, out of range, or the "
                              "interfaces are in different availability zones",
                              branch.id, request.vlan_id, trunk.id));
  }
  const InstanceType& type = *instances_[trunk.instance].type;
  if (static_cast<int>(trunk.branches.size()) >= type.branch_enis) {
    return Refuse(ec2_error::kAttachmentLimitExceeded,
                  fmt::format("'{}' has {} branch interfaces, the limit of {}", trunk.id,
                              trunk.branches.size(), type.name));
  }
  branch.state = EniState::kAssociated;
  branch.trunk = *trunk_index;
  branch.vlan = request.vlan_id;
  available_.erase(branch.serial);
  trunk.branches.push_back(*branch_index);
  levels_.branches += 1;
  InterfacesChanged(branch);
  Tell(branch.subnet);
  return {};
}

AttachedInterface Ec2::PrimaryInterfaceOf(InstanceIndex instance) const {
  const Eni& eni = enis_[instances_[instance].enis.front()];
  return {Describe(eni), eni.subnet, std::nullopt};
}

std::vector<AttachedInterface> Ec2::InterfacesOf(InstanceIndex instance) const {
  std::vector<AttachedInterface> interfaces;
  for (const EniIndex index : instances_[instance].enis) {
    const Eni& eni = enis_[index];
    interfaces.push_back({Describe(eni), eni.subnet, std::nullopt});
    for (const EniIndex branch : eni.branches) {
      interfaces.push_back({Describe(enis_[branch]), enis_[branch].subnet, enis_[branch].vlan});
    }
  }
  return interfaces;
}

std::optional<BranchPlace> Ec2::FindBranch(const std::string& network_interface_id) const {
  const auto it = eni_by_id_.find(network_interface_id);
  if (it == eni_by_id_.end()) return std::nullopt;
  const Eni& branch = enis_[it->second];
  if (branch.state != EniState::kAssociated) return std::nullopt;
  return BranchPlace{enis_[branch.trunk].instance, branch.vlan, branch.primary_ip};
}

Status Ec2::DetachNetworkInterface(const std::string& attachment_id) {
  const auto found = eni_by_attachment_.find(attachment_id);
  if (found == eni_by_attachment_.end()) {
    return Refuse(ec2_error::kAttachmentNotFound,
                  fmt::format("The attachment '{}' does not exist", attachment_id));
  }
  const EniIndex index = found->second;
  Eni& eni = enis_[index];
  if (eni.state == EniState::kDetaching) return {};
  if (eni.device_index == 0 && eni.network_card == 0) {
    return Refuse(kNotPermitted, fmt::format("'{}' is a primary interface", eni.id));
  }
  eni.state = EniState::kDetaching;
  const uint64_t attachment = eni.attachment;
  Instance& instance = instances_[eni.instance];
  const Duration takes =
      SampleKeyed(context_.timing.eni_detach, context_.seed, instance.caller->entity_hash,
                  kDetachPurpose, instance.detaches++);
  context_.simulation.Call(context_.simulation.Now() + takes, [this, index, attachment] {
    // Terminating the instance ends the attachment early.
    const Eni& detached = enis_[index];
    if (detached.state == EniState::kDetaching && detached.attachment == attachment) {
      FinishDetach(index);
    }
  });
  instance.metadata->DetachStarted();
  return {};
}

Status Ec2::DeleteNetworkInterface(const std::string& network_interface_id) {
  const Result<EniIndex> index = FindEni(network_interface_id);
  if (!index) return tl::unexpected<Error>(index.error());
  const Eni& eni = enis_[*index];
  if (eni.attached()) {
    return Refuse(ec2_error::kEniInUse,
                  fmt::format("Network interface '{}' is currently in use", eni.id));
  }
  const uint32_t subnet = eni.subnet;
  Delete(*index);
  Tell(subnet);
  return {};
}

Status Ec2::ModifyNetworkInterfaceAttribute(const ModifyNetworkInterfaceAttributeRequest& request) {
  const Result<EniIndex> index = FindEni(request.network_interface_id);
  if (!index) return tl::unexpected<Error>(index.error());
  Eni& eni = enis_[*index];
  if (!request.delete_on_termination_of.empty() && !request.security_group_ids.empty()) {
    return Refuse(kParameterCombination, "one attribute a call");
  }
  if (!request.delete_on_termination_of.empty()) {
    if (!eni.attached() || eni.attachment_id != request.delete_on_termination_of) {
      return Refuse(
          ec2_error::kAttachmentNotFound,
          fmt::format("The attachment '{}' does not exist", request.delete_on_termination_of));
    }
    eni.delete_on_termination = true;
  } else {
    eni.security_groups = request.security_group_ids;
  }
  return {};
}

std::map<uint64_t, Ec2::EniIndex> Ec2::AllBySerial() const {
  std::map<uint64_t, EniIndex> all;
  for (EniIndex i = 0; i < enis_.size(); ++i) {
    if (enis_[i].state != EniState::kGone) all.emplace(enis_[i].serial, i);
  }
  return all;
}

Result<std::vector<NetworkInterface>> Ec2::DescribeNetworkInterfaces(
    const std::vector<std::string>& ids) const {
  std::vector<NetworkInterface> out;
  if (ids.empty()) {
    for (const auto& [serial, index] : AllBySerial()) out.push_back(Describe(enis_[index]));
    return out;
  }
  out.reserve(ids.size());
  for (const std::string& id : ids) {
    const Result<EniIndex> index = FindEni(id);
    if (!index) return tl::unexpected<Error>(index.error());
    out.push_back(Describe(enis_[*index]));
  }
  return out;
}

Result<std::vector<int>> Ec2::DescribeInstanceDevices(const std::string& instance_id,
                                                      int network_card_index) const {
  const auto found = instance_by_id_.find(instance_id);
  if (found == instance_by_id_.end()) {
    return Refuse(kInstanceNotFound,
                  fmt::format("The instance ID '{}' does not exist", instance_id));
  }
  std::vector<int> devices;
  for (const EniIndex index : instances_[found->second].enis) {
    if (enis_[index].network_card == network_card_index) {
      devices.push_back(enis_[index].device_index);
    }
  }
  std::sort(devices.begin(), devices.end());
  return devices;
}

Result<std::vector<Subnet>> Ec2::DescribeSubnets(const std::string& vpc_id,
                                                 const std::string& availability_zone) const {
  std::vector<Subnet> out;
  if (vpc_id != vpc_id_) return out;
  for (const SubnetState& state : subnets_) {
    if (state.spec.availability_zone != availability_zone) continue;
    Subnet subnet;
    subnet.id = state.id;
    subnet.availability_zone = state.spec.availability_zone;
    subnet.available_ip_address_count = state.allocator.free_count();
    subnet.tags = state.spec.tags;
    out.push_back(std::move(subnet));
  }
  return out;
}

Result<AssignedAddresses> Ec2::AssignPrivateIpAddresses(
    const AssignPrivateIpAddressesRequest& request) {
  const int secondary_ips = request.secondary_private_ip_address_count;
  const int prefixes = request.ipv4_prefix_count;
  if (const Status counts = CheckCounts(secondary_ips, prefixes); !counts) {
    return tl::unexpected<Error>(counts.error());
  }
  const Result<EniIndex> index = FindEni(request.network_interface_id);
  if (!index) return tl::unexpected<Error>(index.error());
  Eni& eni = enis_[*index];
  if (eni.type == InterfaceType::kBranch) {
    return Refuse(kNotPermitted, fmt::format("'{}' is a branch interface", eni.id));
  }
  if (eni.slots_used() + secondary_ips + prefixes > SlotLimit(eni)) {
    return Refuse(ec2_error::kPrivateIpLimitExceeded,
                  fmt::format("'{}' holds {} secondary addresses and prefixes of at most {}",
                              eni.id, eni.slots_used(), SlotLimit(eni)));
  }
  Result<AssignedAddresses> assigned = Allocate(subnets_[eni.subnet], secondary_ips, prefixes);
  if (!assigned) return assigned;
  Append(eni.secondary_ips, assigned->ips);
  Append(eni.prefixes, assigned->prefixes);
  levels_.addresses += secondary_ips + kAddressesPerPrefix * prefixes;
  if (eni.attached()) levels_.prefixes += prefixes;
  InterfacesChanged(eni);
  Tell(eni.subnet);
  if (eni.attached() && secondary_ips + prefixes > 0) {
    instances_[eni.instance].metadata->Assigned(eni.attachment, assigned->ips, assigned->prefixes);
  }
  return assigned;
}

Status Ec2::UnassignPrivateIpAddresses(const UnassignPrivateIpAddressesRequest& request) {
  const Result<EniIndex> index = FindEni(request.network_interface_id);
  if (!index) return tl::unexpected<Error>(index.error());
  Eni& eni = enis_[*index];
  if (!ContainsAll(eni.secondary_ips, request.ips) ||
      !ContainsAll(eni.prefixes, request.prefixes)) {
    return Refuse(ec2_error::kInvalidParameterValue,
                  fmt::format("some of the addresses are not assigned to interface '{}'", eni.id));
  }
  if (request.ips.empty() && request.prefixes.empty()) return {};
  SubnetAllocator& allocator = subnets_[eni.subnet].allocator;
  for (const Ipv4Address ip : request.ips) allocator.Release(ip);
  for (const Ipv4Cidr prefix : request.prefixes) allocator.Release(prefix);
  EraseAll(eni.secondary_ips, request.ips);
  EraseAll(eni.prefixes, request.prefixes);
  const auto prefixes = static_cast<int64_t>(request.prefixes.size());
  levels_.addresses -= static_cast<int64_t>(request.ips.size()) + kAddressesPerPrefix * prefixes;
  if (eni.attached()) levels_.prefixes -= prefixes;
  InterfacesChanged(eni);
  Tell(eni.subnet);
  if (eni.attached()) {
    instances_[eni.instance].metadata->Unassigned(eni.attachment, request.ips, request.prefixes);
  }
  return {};
}

Status Ec2::CreateTags(const std::string& resource_id, const Tags& tags) {
  const Result<EniIndex> index = FindEni(resource_id);
  if (!index) return tl::unexpected<Error>(index.error());
  for (const auto& [key, value] : tags) enis_[*index].tags[key] = value;
  return {};
}

Result<NetworkInterfacePage> Ec2::FindNetworkInterfaces(const NetworkInterfaceFilter& filter,
                                                        const std::string& token) const {
  NetworkInterfacePage page;
  if (filter.vpc_id != vpc_id_) return page;
  uint64_t from = 0;
  if (!token.empty()) std::from_chars(token.data(), token.data() + token.size(), from);
  std::map<uint64_t, EniIndex> all;
  if (!filter.available) all = AllBySerial();
  const std::map<uint64_t, EniIndex>& candidates = filter.available ? available_ : all;
  for (auto it = candidates.lower_bound(from); it != candidates.end(); ++it) {
    const Eni& eni = enis_[it->second];
    if (!HasTags(eni.tags, filter)) continue;
    if (page.interfaces.size() == kInterfacesPerPage) {
      page.next_token = std::to_string(eni.serial);
      break;
    }
    page.interfaces.push_back(Describe(eni));
  }
  return page;
}

Result<std::vector<Ipv6Cidr>> Ec2::AssignIpv6Prefixes(const std::string& network_interface_id,
                                                      int count) {
  const Result<EniIndex> index = FindEni(network_interface_id);
  if (!index) return tl::unexpected<Error>(index.error());
  Eni& eni = enis_[*index];
  SubnetState& subnet = subnets_[eni.subnet];
  constexpr uint64_t kPrefixesPerSubnet = uint64_t{1} << 15;  // the lower half of the /64
  if (!subnet.spec.ipv6_cidr) {
    return Refuse(ec2_error::kInvalidParameterValue, "the subnet has no IPv6 block");
  }
  if (count < 1 || subnet.ipv6_prefixes_made + static_cast<uint64_t>(count) > kPrefixesPerSubnet) {
    return Refuse(ec2_error::kInsufficientCidrBlocks, "no IPv6 prefix left");
  }
  std::vector<Ipv6Cidr> assigned;
  for (int i = 0; i < count; ++i) {
    const uint64_t block = subnet.ipv6_prefixes_made++ << (128 - kIpv6PrefixLength);
    assigned.emplace_back(subnet.spec.ipv6_cidr->network().Offset(block), kIpv6PrefixLength);
  }
  Append(eni.ipv6_prefixes, assigned);
  InterfacesChanged(eni);
  return assigned;
}

Status Ec2::UnassignIpv6Prefixes(const std::string& network_interface_id,
                                 const std::vector<Ipv6Cidr>& prefixes) {
  const Result<EniIndex> index = FindEni(network_interface_id);
  if (!index) return tl::unexpected<Error>(index.error());
  Eni& eni = enis_[*index];
  if (!ContainsAll(eni.ipv6_prefixes, prefixes)) {
    return Refuse(ec2_error::kInvalidParameterValue,
                  fmt::format("some of the prefixes are not assigned to interface '{}'", eni.id));
  }
  EraseAll(eni.ipv6_prefixes, prefixes);
  InterfacesChanged(eni);
  return {};
}

Result<InstanceTypeNetwork> Ec2::DescribeInstanceType(const std::string& name) const {
  const InstanceType* type = FindInstanceType(name);
  if (type == nullptr) {
    return Refuse("InvalidInstanceType",
                  fmt::format("the instance type '{}' does not exist", name));
  }
  InstanceTypeNetwork network;
  network.ipv4_per_eni = type->ipv4_per_eni;
  network.max_enis = type->eni_limit * type->network_cards;
  network.default_card_max_enis = type->eni_limit;
  network.is_nitro = PrefixDelegationSupported(*type);
  return network;
}

uint64_t Ec2::TruthDigest(const Instance& instance) const {
  uint64_t digest = 0;
  for (const EniIndex index : instance.enis) {
    const Eni& eni = enis_[index];
    const uint64_t of_eni = EniDigest(eni.id);
    digest ^= of_eni;
    for (const Ipv4Address ip : eni.secondary_ips) digest ^= PoolItemDigest(of_eni, Ipv4Cidr(ip));
    for (const Ipv4Cidr prefix : eni.prefixes) digest ^= PoolItemDigest(of_eni, prefix);
  }
  return digest;
}

std::vector<std::string> Ec2::CheckBranches(const Eni& trunk) const {
  std::vector<std::string> wrong;
  if (trunk.branches.empty()) return wrong;
  if (trunk.type != InterfaceType::kTrunk || !trunk.attached()) {
    wrong.push_back(trunk.id + " has branch ENIs but is no attached trunk");
    return wrong;
  }
  const InstanceType& type = *instances_[trunk.instance].type;
  if (static_cast<int>(trunk.branches.size()) > type.branch_enis) {
    wrong.push_back(fmt::format("{} has {} branch ENIs of {}", trunk.id, trunk.branches.size(),
                                type.branch_enis));
  }
  std::set<int> vlans;
  for (const EniIndex index : trunk.branches) {
    const Eni& branch = enis_[index];
    const bool in_range = branch.vlan >= kFirstBranchVlan && branch.vlan <= kLastBranchVlan;
    if (branch.type != InterfaceType::kBranch || branch.state != EniState::kAssociated ||
        branch.slots_used() > 0 || !in_range || !vlans.insert(branch.vlan).second) {
      wrong.push_back(fmt::format("{} is no proper branch ENI, or VLAN {} of {} is not its own",
                                  branch.id, branch.vlan, trunk.id));
    }
  }
  return wrong;
}

std::vector<std::string> Ec2::CheckInvariants() const {
  std::vector<std::string> wrong;
  Levels counted;
  std::vector<Ipv4Cidr> held;
  std::vector<int64_t> held_in(subnets_.size());
  const auto hold = [&](const Eni& eni, Ipv4Cidr cidr) {
    const SubnetAllocator& allocator = subnets_[eni.subnet].allocator;
    if (allocator.IsReserved(cidr.network()) || allocator.IsReserved(cidr.last())) {
      wrong.push_back(fmt::format("{} holds {}, which is reserved", eni.id, cidr.ToString()));
    }
    if (!allocator.IsTaken(cidr.network()) || !allocator.IsTaken(cidr.last())) {
      wrong.push_back(fmt::format("{} holds {}, which is free", eni.id, cidr.ToString()));
    }
    held.push_back(cidr);
    held_in[eni.subnet] += static_cast<int64_t>(cidr.size());
  };
  for (const Eni& eni : enis_) {
    if (eni.state == EniState::kGone) continue;
    hold(eni, Ipv4Cidr(eni.primary_ip));
    for (const Ipv4Address ip : eni.secondary_ips) hold(eni, Ipv4Cidr(ip));
    for (const Ipv4Cidr prefix : eni.prefixes) hold(eni, prefix);
    if (eni.slots_used() > SlotLimit(eni)) {
      wrong.push_back(
          fmt::format("{} uses {} slots of {}", eni.id, eni.slots_used(), SlotLimit(eni)));
    }
    if (eni.attached()) {
      counted.enis += 1;
      counted.prefixes += static_cast<int64_t>(eni.prefixes.size());
    }
    counted.branches += eni.state == EniState::kAssociated ? 1 : 0;
    for (std::string& text : CheckBranches(eni)) wrong.push_back(std::move(text));
  }
  std::sort(held.begin(), held.end());
  for (size_t i = 1; i < held.size(); ++i) {
    if (held[i - 1].Overlaps(held[i])) {
      wrong.push_back(
          fmt::format("{} and {} are both held", held[i - 1].ToString(), held[i].ToString()));
    }
  }
  for (size_t i = 0; i < subnets_.size(); ++i) {
    const SubnetState& state = subnets_[i];
    counted.addresses += held_in[i];
    if (!state.allocator.CountsAreRight()) {
      wrong.push_back(fmt::format("{}: counts differ from its bitmap", state.id));
    }
    const auto size = static_cast<int64_t>(state.spec.cidr.size());
    const int64_t expected =
        size - SubnetAllocator::kReservedAddresses - state.spec.used_at_start - held_in[i];
    if (state.allocator.free_count() != expected) {
      wrong.push_back(fmt::format("{}: {} addresses free, {} expected", state.id,
                                  state.allocator.free_count(), expected));
    }
  }
  if (counted.addresses != levels_.addresses || counted.enis != levels_.enis ||
      counted.prefixes != levels_.prefixes || counted.branches != levels_.branches) {
    wrong.push_back("held addresses, attached ENIs, prefixes or branch ENIs differ from a recount");
  }
  for (const Instance& instance : instances_) {
    if (!instance.running) continue;
    std::vector<int> per_card(static_cast<size_t>(instance.type->network_cards));
    for (const EniIndex index : instance.enis) {
      ++per_card[static_cast<size_t>(enis_[index].network_card)];
    }
    if (*std::max_element(per_card.begin(), per_card.end()) > instance.type->eni_limit) {
      wrong.push_back(
          fmt::format("{} has more ENIs than {} may", instance.id, instance.type->name));
    }
    if (instance.metadata->settled() &&
        instance.metadata->VisibleDigest() != TruthDigest(instance)) {
      wrong.push_back(fmt::format("{}: settled metadata differs from EC2", instance.id));
    }
  }
  if (!endpoint_.TokensValid()) wrong.push_back("a token bucket is out of bounds");
  return wrong;
}

}  // namespace cnisim
