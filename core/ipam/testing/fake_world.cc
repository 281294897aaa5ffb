#include "core/ipam/testing/fake_world.h"

#include <fmt/format.h>

#include <algorithm>

namespace cnisim {
namespace {

constexpr std::array<std::string_view, kEc2Actions> kNames{
    "Create",          "Attach",          "Detach",      "Delete",   "Modify", "DescribeInterfaces",
    "DescribeDevices", "DescribeSubnets", "Assign",      "Unassign", "Tag",    "Find",
    "AssignIpv6",      "UnassignIpv6",    "DescribeType"};

// Addresses that AWS keeps at the start of a subnet; it keeps the last one too.
constexpr size_t kReservedAtStart = 4;

constexpr const char* kInstance = "i-1";

tl::unexpected<Error> FailWith(std::string_view code, std::string message) {
  return Fail(std::string(code), std::move(message));
}

}  // namespace

// --- Clock ---

TimerId FakeClock::StartTimer(TimePoint at, Timer& timer) {
  timers_.push_back({std::max(at, now_), ++last_id_, &timer});
  return last_id_;
}

void FakeClock::CancelTimer(TimerId id) {
  std::erase_if(timers_, [id](const Entry& entry) { return entry.id == id; });
}

std::vector<FakeClock::Entry>::iterator FakeClock::Next() {
  return std::ranges::min_element(timers_, [](const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at < b.at : a.id < b.id;
  });
}

void FakeClock::Fire(std::vector<Entry>::iterator entry) {
  now_ = entry->at;
  Timer* timer = entry->timer;
  timers_.erase(entry);
  timer->Fire();
}

void FakeClock::Advance(Duration d) {
  const TimePoint end = now_ + d;
  for (auto next = Next(); next != timers_.end() && next->at <= end; next = Next()) Fire(next);
  now_ = end;
}

bool FakeClock::Step() {
  const auto next = Next();
  if (next == timers_.end()) return false;
  Fire(next);
  return true;
}

// --- EC2 ---

std::string_view NameOf(FakeEc2Action action) { return kNames[static_cast<size_t>(action)]; }

std::optional<FakeEc2Action> Ec2ActionNamed(std::string_view name) {
  const auto it = std::ranges::find(kNames, name);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<FakeEc2Action>(it - kNames.begin());
}

std::string Ec2Call::ToString() const {
  std::string arguments = target;
  if (action == FakeEc2Action::kCreate || action == FakeEc2Action::kAttach ||
      action == FakeEc2Action::kAssign) {
    arguments += fmt::format(",{}", number);
  }
  for (const Ipv4Cidr& cidr : cidrs) arguments += "," + cidr.ToString();
  return fmt::format("{}({})", NameOf(action), arguments);
}

FakeSubnet::FakeSubnet(std::string id, Ipv4Cidr cidr, Tags tags)
    : id(std::move(id)), cidr(cidr), tags(std::move(tags)), taken(cidr.size()) {
  std::fill_n(taken.begin(), kReservedAtStart, true);
  taken.back() = true;
}

FakeEc2::FakeEc2(const Clock& clock, FakeInstance instance, std::vector<FakeSubnet> subnets)
    : clock_(clock), instance_(instance), subnets_(std::move(subnets)) {
  enis_.reserve(static_cast<size_t>(instance_.max_enis) + 1);
  if (!instance_.with_primary_eni) return;
  FakeSubnet& subnet = subnets_.front();
  subnet.taken[kReservedAtStart] = true;
  ++created_enis_;
  AttachByHand("eni-1", 0, subnet.cidr.network().Offset(kReservedAtStart));
}

void FakeEc2::FailNext(FakeEc2Action action, int times, std::string_view code) {
  Script& script = scripts_[static_cast<size_t>(action)];
  script.times += times;
  script.code = code;
}

void FakeEc2::FailAlways(FakeEc2Action action, std::string_view code) {
  scripts_[static_cast<size_t>(action)] = {-1, std::string(code)};
}

void FakeEc2::StopFailing() { scripts_ = {}; }

NetworkInterface& FakeEc2::AttachByHand(std::string id, int device, Ipv4Address primary_ip) {
  NetworkInterface& eni = enis_.emplace_back();
  eni.id = std::move(id);
  eni.subnet_id = subnets_.front().id;
  eni.primary_ip = primary_ip;
  eni.attachment_id = fmt::format("attach-{}", ++attachments_);
  eni.instance_id = kInstance;
  eni.device_index = device;
  return eni;
}

void FakeEc2::DetachByHand(std::string_view id) {
  std::erase_if(enis_, [id](const NetworkInterface& eni) { return eni.id == id; });
}

NetworkInterface* FakeEc2::Find(std::string_view id) {
  const auto it = std::ranges::find(enis_, id, &NetworkInterface::id);
  return it == enis_.end() ? nullptr : &*it;
}

Status FakeEc2::Receive(FakeEc2Action action, std::string target, int number,
                        std::vector<Ipv4Cidr> cidrs) {
  calls_.push_back({clock_.Now(), action, std::move(target), number, std::move(cidrs)});
  Script& script = scripts_[static_cast<size_t>(action)];
  if (script.times == 0) return {};
  if (script.times > 0) --script.times;
  return FailWith(script.code, "scripted failure");
}

FakeSubnet* FakeEc2::SubnetOf(Ipv4Address ip) {
  for (FakeSubnet& subnet : subnets_) {
    if (subnet.cidr.Contains(ip)) return &subnet;
  }
  return nullptr;
}

Status FakeEc2::Take(FakeSubnet& subnet, int ips, int prefixes, NetworkInterface& eni,
                     AssignedAddresses* assigned) {
  if (static_cast<int>(eni.secondary_ips.size() + eni.ipv4_prefixes.size()) + ips + prefixes >
      instance_.slots_per_eni) {
    return FailWith(ec2_error::kPrivateIpLimitExceeded, "the ENI cannot hold so many");
  }
  std::vector<bool> taken = subnet.taken;
  AssignedAddresses found;
  for (size_t at = 0; at < taken.size() && ips > 0; ++at) {
    if (taken[at]) continue;
    taken[at] = true;
    found.ips.push_back(subnet.cidr.network().Offset(static_cast<uint32_t>(at)));
    --ips;
  }
  if (ips > 0) return FailWith(ec2_error::kInsufficientFreeAddresses, subnet.id);
  for (size_t at = 0; at < taken.size() && prefixes > 0; at += kAddressesPerPrefix) {
    const auto first = taken.begin() + static_cast<std::ptrdiff_t>(at);
    if (std::find(first, first + kAddressesPerPrefix, true) != first + kAddressesPerPrefix) {
      continue;
    }
    std::fill_n(first, kAddressesPerPrefix, true);
    found.prefixes.emplace_back(subnet.cidr.network().Offset(static_cast<uint32_t>(at)),
                                kPrefixLength);
    --prefixes;
  }
  if (prefixes > 0) return FailWith(ec2_error::kInsufficientCidrBlocks, subnet.id);
  subnet.taken = std::move(taken);
  eni.secondary_ips.insert(eni.secondary_ips.end(), found.ips.begin(), found.ips.end());
  eni.ipv4_prefixes.insert(eni.ipv4_prefixes.end(), found.prefixes.begin(), found.prefixes.end());
  if (assigned != nullptr) *assigned = std::move(found);
  return {};
}

void FakeEc2::GiveBack(Ipv4Cidr cidr) {
  FakeSubnet* subnet = SubnetOf(cidr.network());
  if (subnet == nullptr) return;
  const uint32_t at = cidr.network().bits() - subnet->cidr.network().bits();
  std::fill_n(subnet->taken.begin() + at, cidr.size(), false);
}

Task<Result<NetworkInterface>> FakeEc2::CreateNetworkInterface(
    CreateNetworkInterfaceRequest request) {
  const Status received = Receive(FakeEc2Action::kCreate, request.subnet_id,
                                  request.secondary_private_ip_address_count +
                                      request.ipv4_prefix_count + request.ipv6_address_count);
  if (!received) co_return tl::unexpected(received.error());
  FakeSubnet& subnet = *std::ranges::find(subnets_, request.subnet_id, &FakeSubnet::id);
  const auto free = std::ranges::find(subnet.taken, false);
  if (free == subnet.taken.end()) {
    co_return FailWith(ec2_error::kInsufficientFreeAddresses, subnet.id);
  }
  *free = true;
  NetworkInterface eni;
  eni.subnet_id = subnet.id;
  eni.description = request.description;
  eni.primary_ip = subnet.cidr.network().Offset(static_cast<uint32_t>(free - subnet.taken.begin()));
  eni.tags = request.tags;
  eni.security_group_ids = request.security_group_ids;
  eni.connection_tracking = request.connection_tracking;
  const Status filled = Take(subnet, request.secondary_private_ip_address_count,
                             request.ipv4_prefix_count, eni, nullptr);
  if (!filled) {
    GiveBack(Ipv4Cidr(eni.primary_ip));
    co_return tl::unexpected(filled.error());
  }
  eni.id = fmt::format("eni-{}", ++created_enis_);
  ipv6_addresses_[eni.id] = request.ipv6_address_count;
  enis_.push_back(eni);
  co_return eni;
}

Task<Result<std::string>> FakeEc2::AttachNetworkInterface(AttachNetworkInterfaceRequest request) {
  const Status received =
      Receive(FakeEc2Action::kAttach, request.network_interface_id, request.device_index);
  if (!received) co_return tl::unexpected(received.error());
  NetworkInterface* eni = Find(request.network_interface_id);
  if (eni == nullptr) co_return FailWith(ec2_error::kEniNotFound, request.network_interface_id);
  int attached = 0;
  for (const NetworkInterface& other : enis_) {
    if (other.device_index < 0 || other.network_card_index != request.network_card_index) continue;
    ++attached;
    if (other.device_index == request.device_index) {
      co_return FailWith(ec2_error::kInvalidParameterValue, "the device index is in use");
    }
  }
  if (attached >= instance_.max_enis) {
    co_return FailWith(ec2_error::kAttachmentLimitExceeded, request.instance_id);
  }
  eni->attachment_id = fmt::format("attach-{}", ++attachments_);
  eni->instance_id = request.instance_id;
  eni->device_index = request.device_index;
  eni->network_card_index = request.network_card_index;
  co_return eni->attachment_id;
}

Task<Status> FakeEc2::DetachNetworkInterface(std::string attachment_id) {
  const Status received = Receive(FakeEc2Action::kDetach, attachment_id);
  if (!received) co_return received;
  const auto eni = std::ranges::find(enis_, attachment_id, &NetworkInterface::attachment_id);
  if (attachment_id.empty() || eni == enis_.end()) {
    co_return FailWith(ec2_error::kAttachmentNotFound, attachment_id);
  }
  eni->attachment_id.clear();
  eni->instance_id.clear();
  eni->device_index = -1;
  co_return Status();
}

Task<Status> FakeEc2::DeleteNetworkInterface(std::string network_interface_id) {
  const Status received = Receive(FakeEc2Action::kDelete, network_interface_id);
  if (!received) co_return received;
  const auto eni = std::ranges::find(enis_, network_interface_id, &NetworkInterface::id);
  if (eni == enis_.end()) co_return FailWith(ec2_error::kEniNotFound, network_interface_id);
  if (eni->device_index >= 0) co_return FailWith(ec2_error::kEniInUse, network_interface_id);
  GiveBack(Ipv4Cidr(eni->primary_ip));
  for (const Ipv4Address ip : eni->secondary_ips) GiveBack(Ipv4Cidr(ip));
  for (const Ipv4Cidr& prefix : eni->ipv4_prefixes) GiveBack(prefix);
  enis_.erase(eni);
  co_return Status();
}

Task<Status> FakeEc2::ModifyNetworkInterfaceAttribute(
    ModifyNetworkInterfaceAttributeRequest request) {
  const Status received = Receive(FakeEc2Action::kModify, request.network_interface_id);
  if (!received) co_return received;
  NetworkInterface* eni = Find(request.network_interface_id);
  if (eni == nullptr) co_return FailWith(ec2_error::kEniNotFound, request.network_interface_id);
  if (request.delete_on_termination_of.empty()) {
    eni->security_group_ids = request.security_group_ids;
  }
  co_return Status();
}

Task<Result<std::vector<NetworkInterface>>> FakeEc2::DescribeNetworkInterfaces(
    std::vector<std::string> ids) {
  const Status received = Receive(FakeEc2Action::kDescribeInterfaces, ids.empty() ? "" : ids.front(),
                                  static_cast<int>(ids.size()));
  if (!received) co_return tl::unexpected(received.error());
  std::vector<NetworkInterface> result;
  for (const std::string& id : ids) {
    const NetworkInterface* eni = Find(id);
    if (eni == nullptr) co_return FailWith(ec2_error::kEniNotFound, "no ENI '" + id + "'");
    result.push_back(*eni);
  }
  co_return result;
}

Task<Result<std::vector<int>>> FakeEc2::DescribeInstanceDevices(std::string instance_id,
                                                                int network_card_index) {
  const Status received = Receive(FakeEc2Action::kDescribeDevices, instance_id);
  if (!received) co_return tl::unexpected(received.error());
  std::vector<int> devices;
  for (const NetworkInterface& eni : enis_) {
    if (eni.device_index >= 0 && eni.network_card_index == network_card_index) {
      devices.push_back(eni.device_index);
    }
  }
  co_return devices;
}

Task<Result<std::vector<Subnet>>> FakeEc2::DescribeSubnets(std::string, std::string zone) {
  const Status received = Receive(FakeEc2Action::kDescribeSubnets, {});
  if (!received) co_return tl::unexpected(received.error());
  std::vector<Subnet> result;
  for (const FakeSubnet& subnet : subnets_) {
    Subnet& shown = result.emplace_back();
    shown.id = subnet.id;
    shown.availability_zone = zone;
    shown.available_ip_address_count = std::ranges::count(subnet.taken, false);
    shown.tags = subnet.tags;
  }
  co_return result;
}

Task<Result<AssignedAddresses>> FakeEc2::AssignPrivateIpAddresses(
    AssignPrivateIpAddressesRequest request) {
  const Status received =
      Receive(FakeEc2Action::kAssign, request.network_interface_id,
              request.secondary_private_ip_address_count + request.ipv4_prefix_count);
  if (!received) co_return tl::unexpected(received.error());
  NetworkInterface* eni = Find(request.network_interface_id);
  if (eni == nullptr) co_return FailWith(ec2_error::kEniNotFound, request.network_interface_id);
  FakeSubnet& subnet = *std::ranges::find(subnets_, eni->subnet_id, &FakeSubnet::id);
  AssignedAddresses assigned;
  const Status taken = Take(subnet, request.secondary_private_ip_address_count,
                            request.ipv4_prefix_count, *eni, &assigned);
  if (!taken) co_return tl::unexpected(taken.error());
  co_return assigned;
}

Task<Status> FakeEc2::UnassignPrivateIpAddresses(UnassignPrivateIpAddressesRequest request) {
  std::vector<Ipv4Cidr> cidrs = request.prefixes;
  for (const Ipv4Address ip : request.ips) cidrs.emplace_back(ip);
  const Status received = Receive(FakeEc2Action::kUnassign, request.network_interface_id,
                                  static_cast<int>(cidrs.size()), cidrs);
  if (!received) co_return received;
  NetworkInterface* eni = Find(request.network_interface_id);
  if (eni == nullptr) co_return FailWith(ec2_error::kEniNotFound, request.network_interface_id);
  for (const Ipv4Cidr& cidr : cidrs) {
    const size_t removed = cidr.length() == 32 ? std::erase(eni->secondary_ips, cidr.network())
                                               : std::erase(eni->ipv4_prefixes, cidr);
    if (removed == 0) co_return FailWith(ec2_error::kInvalidParameterValue, cidr.ToString());
    GiveBack(cidr);
  }
  co_return Status();
}

Task<Status> FakeEc2::CreateTags(std::string resource_id, Tags tags) {
  const Status received = Receive(FakeEc2Action::kTag, resource_id, static_cast<int>(tags.size()));
  if (!received) co_return received;
  NetworkInterface* eni = Find(resource_id);
  if (eni == nullptr) co_return FailWith(ec2_error::kEniNotFound, resource_id);
  for (const auto& [key, value] : tags) eni->tags[key] = value;
  co_return Status();
}

Task<Result<NetworkInterfacePage>> FakeEc2::FindNetworkInterfaces(NetworkInterfaceFilter filter,
                                                                  std::string token) {
  const Status received = Receive(FakeEc2Action::kFind, token);
  if (!received) co_return tl::unexpected(received.error());
  const auto matches = [&](const NetworkInterface& eni) {
    const bool has_tags = std::ranges::all_of(filter.tags, [&](const auto& tag) {
      const auto it = eni.tags.find(tag.first);
      return it != eni.tags.end() && it->second == tag.second;
    });
    return has_tags && eni.tags.contains(filter.tag_key) &&
           (!filter.available || eni.attachment_id.empty());
  };
  NetworkInterfacePage page;
  for (size_t at = token.empty() ? 0 : std::stoul(token); at < enis_.size(); ++at) {
    if (!matches(enis_[at])) continue;
    if (page.interfaces.size() == page_size) {
      page.next_token = std::to_string(at);
      break;
    }
    page.interfaces.push_back(enis_[at]);
  }
  co_return page;
}

Task<Result<std::vector<Ipv6Cidr>>> FakeEc2::AssignIpv6Prefixes(std::string network_interface_id,
                                                                int count) {
  const Status received = Receive(FakeEc2Action::kAssignIpv6, network_interface_id, count);
  if (!received) co_return tl::unexpected(received.error());
  NetworkInterface* eni = Find(network_interface_id);
  if (eni == nullptr) co_return FailWith(ec2_error::kEniNotFound, network_interface_id);
  std::vector<Ipv6Cidr> assigned;
  for (int i = 0; i < count; ++i) {
    const uint64_t block = static_cast<uint64_t>(++ipv6_prefixes_) << 48;
    assigned.emplace_back(Ipv6Address(0x20010db800000000, block), kIpv6PrefixLength);
    eni->ipv6_prefixes.push_back(assigned.back());
  }
  co_return assigned;
}

Task<Status> FakeEc2::UnassignIpv6Prefixes(std::string network_interface_id,
                                           std::vector<Ipv6Cidr> prefixes) {
  const Status received =
      Receive(FakeEc2Action::kUnassignIpv6, network_interface_id, static_cast<int>(prefixes.size()));
  if (!received) co_return received;
  NetworkInterface* eni = Find(network_interface_id);
  if (eni == nullptr) co_return FailWith(ec2_error::kEniNotFound, network_interface_id);
  for (const Ipv6Cidr& prefix : prefixes) std::erase(eni->ipv6_prefixes, prefix);
  co_return Status();
}

Task<Result<InstanceTypeNetwork>> FakeEc2::DescribeInstanceType(std::string name) {
  const Status received = Receive(FakeEc2Action::kDescribeType, name);
  if (!received) co_return tl::unexpected(received.error());
  co_return type;
}

// --- Metadata ---

std::vector<MetadataEni> FakeMetadata::Truth() const {
  std::vector<MetadataEni> result;
  for (const NetworkInterface& eni : ec2_.enis()) {
    if (eni.device_index < 0) continue;
    MetadataEni& shown = result.emplace_back();
    shown.id = eni.id;
    shown.subnet_id = eni.subnet_id;
    shown.device_number = eni.device_index;
    shown.network_card = eni.network_card_index;
    shown.has_addresses = !eni.is_efa_only;
    for (int i = 0; i < ec2_.Ipv6AddressesOf(eni.id); ++i) {
      shown.ipv6_addresses.push_back(Ipv6Address(1, static_cast<uint64_t>(i)));
    }
    shown.primary_ip = eni.primary_ip;
    shown.secondary_ips = eni.secondary_ips;
    shown.ipv4_prefixes = eni.ipv4_prefixes;
  }
  return result;
}

Task<Result<InstanceIdentity>> FakeMetadata::GetIdentity() {
  if (failing) co_return FailWith(ec2_error::kInternalError, "metadata");
  co_return identity;
}

Task<Result<std::vector<MetadataEni>>> FakeMetadata::GetAttachedEnis() {
  if (failing) co_return FailWith(ec2_error::kInternalError, "metadata");
  std::vector<MetadataEni> enis = view ? *view : Truth();
  for (MetadataEni& eni : enis) {
    if (eni.secondary_ips.size() > most_items) eni.secondary_ips.resize(most_items);
    if (eni.ipv4_prefixes.size() > most_items) eni.ipv4_prefixes.resize(most_items);
  }
  co_return enis;
}

Task<Result<std::vector<IpCidr>>> FakeMetadata::GetVpcCidrs(bool) {
  if (failing) co_return FailWith(ec2_error::kInternalError, "metadata");
  co_return vpc_cidrs;
}

Task<Result<std::vector<std::string>>> FakeMetadata::GetSecurityGroups() {
  if (failing) co_return FailWith(ec2_error::kInternalError, "metadata");
  co_return security_groups;
}

// --- Host ---

Task<Status> FakeHost::SetupHost(IpAddress, std::vector<IpCidr>) { co_return Status(); }

Task<Status> FakeHost::CleanUpStaleChains() { co_return Status(); }

Task<Status> FakeHost::UpdateVpcCidrs(std::vector<IpCidr> vpc_cidrs) {
  calls.push_back(fmt::format("UpdateVpcCidrs({})", vpc_cidrs.size()));
  co_return Status();
}

Task<Status> FakeHost::RefreshPodRules(std::vector<IpAddress>) { co_return Status(); }

Task<Result<int>> FakeHost::LinkIndex(IpAddress) { co_return 3; }

Task<Result<std::vector<int>>> FakeHost::TablesOfSource(IpAddress) { co_return source_tables; }

Task<Status> FakeHost::SetupEni(IpAddress eni_primary_ip, int device_number, int, int route_table) {
  if (link_missing) co_return Fail(std::string(kLinkNotFound), "scripted failure");
  if (eni_setup_fails) co_return Fail("Netlink", "scripted failure");
  calls.push_back(
      fmt::format("SetupEni({},{},{})", eni_primary_ip.ToString(), device_number, route_table));
  co_return Status();
}

Task<Status> FakeHost::DeleteEniRule(IpAddress eni_primary_ip) {
  if (rule_deletion_fails) co_return Fail("Netlink", "scripted failure");
  calls.push_back(fmt::format("DeleteEniRule({})", eni_primary_ip.ToString()));
  co_return Status();
}

Task<Result<std::vector<std::string>>> FakeHost::ListLinks() {
  if (link_listing_fails) co_return Fail("Netlink", "scripted failure");
  if (links_vanish_once_listed) co_return std::exchange(links, {});
  co_return links;
}

Task<Status> FakeHost::DeleteToPodRule(IpAddress pod) {
  calls.push_back(fmt::format("DeleteToPodRule({})", pod.ToString()));
  co_return Status();
}

Task<Status> FakeHost::DeleteFromPodRule(IpAddress pod) {
  calls.push_back(fmt::format("DeleteFromPodRule({})", pod.ToString()));
  co_return Status();
}

// --- Checkpoint ---

Result<std::optional<std::vector<Allocation>>> MemoryCheckpointStore::Load() { return saved; }

Status MemoryCheckpointStore::Save(const AllocationChange& change, const AllocationSource& all) {
  if (failing) return Fail("Checkpoint", "scripted failure");
  std::vector<Allocation> now = all.AllAllocations();
  std::vector<Allocation> expected = saved.value_or(std::vector<Allocation>());
  if (change.added != nullptr) expected.push_back(*change.added);
  if (change.removed != nullptr) {
    std::erase_if(expected, [&](const Allocation& old) { return old.key == *change.removed; });
  }
  if (!std::ranges::is_permutation(now, expected)) ++wrong_changes;
  saved = std::move(now);
  return {};
}

Status MemoryCheckpointStore::Rewrite(const AllocationSource& all) {
  if (failing) return Fail("Checkpoint", "scripted failure");
  saved = all.AllAllocations();
  return {};
}

// --- Kubernetes ---

Task<Result<PodObject>> FakeKubernetes::GetPod(std::string pod_namespace, std::string name) {
  if (failing) co_return Fail("InternalError", "scripted failure");
  if (pod_error) co_return tl::unexpected(*pod_error);
  const auto pod = pods.find(pod_namespace + "/" + name);
  if (pod == pods.end()) co_return FailWith(kubernetes_error::kNotFound, name);
  co_return pod->second;
}

Task<Status> FakeKubernetes::PatchPodAnnotation(std::string pod_namespace, std::string name,
                                                std::string key, std::string value) {
  if (failing) co_return Fail("InternalError", "scripted failure");
  ++pod_patches;
  if (conflicts > 0) {
    --conflicts;
    co_return FailWith(kubernetes_error::kConflict, "the pod changed");
  }
  const auto pod = pods.find(pod_namespace + "/" + name);
  if (pod == pods.end()) co_return FailWith(kubernetes_error::kNotFound, name);
  pod->second.annotations[key] = value;
  co_return Status();
}

Task<Result<NodeObject>> FakeKubernetes::GetNode() {
  if (failing) co_return Fail("InternalError", "scripted failure");
  co_return node;
}

Task<Result<EniConfig>> FakeKubernetes::GetEniConfig(std::string name) {
  const auto config = eni_configs.find(name);
  if (failing || config == eni_configs.end()) co_return FailWith(kubernetes_error::kNotFound, name);
  co_return config->second;
}

Task<Status> FakeKubernetes::PatchCniNode(std::vector<CniNodeFeature> patched) {
  if (failing) co_return Fail("InternalError", "scripted failure");
  ++cni_node_patches;
  for (const CniNodeFeature& feature : patched) {
    std::erase_if(features, [&](const CniNodeFeature& old) { return old.name == feature.name; });
    features.push_back(feature);
  }
  co_return Status();
}

// --- Pacer, world, node ---

Task<void> PollingPacer::HalfPeriod() { co_await clock_.Sleep(kPoolLoopHalfPeriod); }

Task<IdleEnd> PollingPacer::SkipIdle(IdleOffer offer) {
  co_await clock_.Sleep(kPoolLoopHalfPeriod);
  IdleEnd end;
  end.last_pool_action = offer.last_pool_action;
  co_return end;
}

Task<void> PollingPacer::UntilRead(PolledMetadata) {
  co_await clock_.Sleep(kPolledMetadataInterval);
}

FakeWorld::FakeWorld(FakeInstance instance, std::vector<FakeSubnet> subnets)
    : ec2(clock, instance, std::move(subnets)), metadata(ec2), pacer(clock) {
  kubernetes.node.capacity_pods = 500;
  metadata.identity.instance_id = kInstance;
  metadata.identity.primary_eni_id = "eni-1";
  metadata.identity.primary_subnet_id = ec2.subnets().front().id;
  metadata.identity.availability_zone = "a";
  metadata.identity.vpc_id = "vpc-1";
  if (!ec2.enis().empty()) metadata.identity.primary_ip = ec2.enis().front().primary_ip;
}

void FakeNode::Start() {
  life_ = Task<void>();
  ready_ = false;
  life_ = Live();
  life_.Start();
}

Task<void> FakeNode::Live() {
  for (;;) {
    agent_ = std::make_unique<Agent>(world_.ports(), settings_, limits_, choice_, nullptr);
    const Status ready = co_await agent_->Init();
    if (ready) break;
    co_await world_.clock.Sleep(kCrashPause);
  }
  ready_ = true;
  co_await agent_->Run();
}

}  // namespace cnisim
