#include "core/ipam/testing/naive_agent.h"

#include <algorithm>
#include <set>

namespace cnisim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool Insufficient(const Error& error) {
  return error.code == "InsufficientFreeAddressesInSubnet" ||
         error.code == "InsufficientCidrBlocks";
}

// ceil(n / 16), and 0 for what is not positive.
int64_t Prefixes(int64_t n) {
  int prefixes = 0;
  for (; n > 0; n -= 16) ++prefixes;
  return prefixes;
}

// Pause after try number `tried`, doubling up to a minute.
Duration PauseAfter(int tried, Duration first) {
  for (int i = 1; i < tried; ++i) first *= 2;
  return std::min<Duration>(first, seconds(60));
}

}  // namespace

// --- Targets ---

int NaiveNode::Short() const {
  const PoolStats stats = book_.Stats(Now());
  const int64_t available = stats.total_ips - stats.assigned_ips;
  int64_t missing = std::max<int64_t>(0, settings_.warm_ip_target - available);
  missing = std::max(missing, settings_.minimum_ip_target - stats.total_ips);
  return static_cast<int>(settings_.prefix_delegation ? Prefixes(missing) : missing);
}

int NaiveNode::Over() const {
  const PoolStats stats = book_.Stats(Now());
  if (!targets_defined()) {
    if (!settings_.prefix_delegation) return 0;
    return std::max(0, stats.free_prefixes - settings_.warm_prefix_target);
  }
  if (settings_.prefix_delegation) {
    const int64_t by_warm =
        stats.total_prefixes - Prefixes(stats.assigned_ips + settings_.warm_ip_target);
    const int64_t by_minimum = stats.total_prefixes - Prefixes(settings_.minimum_ip_target);
    return static_cast<int>(
        std::max<int64_t>(0, std::min({int64_t{stats.free_prefixes}, by_warm, by_minimum})));
  }
  const int64_t available = stats.total_ips - stats.assigned_ips;
  return static_cast<int>(
      std::max<int64_t>(0, std::min(available - settings_.warm_ip_target,
                                    stats.total_ips - settings_.minimum_ip_target)));
}

bool NaiveNode::TooLow() const {
  const PoolStats stats = book_.Stats(Now());
  const int64_t available = stats.total_ips - stats.assigned_ips;
  if (stats.total_ips >= world_.kubernetes.node.capacity_pods) return false;
  if (targets_defined()) return Short() > 0;
  if (settings_.prefix_delegation) {
    return settings_.warm_prefix_target == 0 ? available == 0
                                             : available < 16 * settings_.warm_prefix_target;
  }
  return settings_.warm_eni_target == 0 ? available == 0
                                        : available < slots_ * settings_.warm_eni_target;
}

int NaiveNode::Wanted() const {
  if (!settings_.prefix_delegation) return targets_defined() ? Short() : slots_;
  if (targets_defined()) return std::max(1, Short());
  return std::max(1, settings_.warm_prefix_target - book_.Stats(Now()).free_prefixes);
}

// --- Pods ---

std::optional<IpAddress> NaiveNode::Add(const IpamKey& key) {
  if (const auto held = book_.Find(key)) return held->ip;
  const auto picked = book_.Pick(Now());
  if (!picked) return std::nullopt;
  book_.Serve(*picked, key, Now(), true);
  checkpoint_[key] = picked->ip;
  return picked->ip;
}

bool NaiveNode::Del(const IpamKey& key) {
  if (!book_.Release(key, Now())) return false;
  checkpoint_.erase(key);
  return true;
}

// --- Life ---

void NaiveNode::Start() {
  life_ = Task<void>();
  ready_ = false;
  life_ = Live();
  life_.Start();
}

Task<void> NaiveNode::Live() {
  for (;;) {
    book_ = NaiveDatastore();
    book_.mode = settings_.mode();
    book_.quirks = settings_.quirks;
    book_.cooldown = settings_.ip_cooldown;
    released_at_.clear();
    last_action_ = last_shrink_ = last_insufficient_ = std::nullopt;
    const bool up = co_await Init();
    if (up) break;
    co_await world_.clock.Sleep(kCrashPause);
  }
  ready_ = true;
  for (;;) {
    co_await world_.clock.Sleep(milliseconds(2500));
    co_await Update();
    co_await world_.clock.Sleep(milliseconds(2500));
    if (!last_action_ || Now() > *last_action_ + seconds(60)) co_await Reconcile();
  }
}

Task<bool> NaiveNode::Init() {
  const Result<std::vector<NetworkInterface>> enis = co_await DescribeAll();
  if (!enis) co_return false;
  for (const NetworkInterface& eni : *enis) {
    Tags tags{{"node.k8s.amazonaws.com/instance_id", "i-1"}};
    if (!eni.tags.contains(tags.begin()->first)) {
      const Status tagged = co_await world_.ec2.CreateTags(eni.id, tags);
      if (!tagged) co_return false;
    }
    for (int tried = 1; tried <= 6; ++tried) {
      // Metadata as it was when init began: nothing has changed since.
      MetadataEni shown;
      for (MetadataEni& attached : world_.metadata.Truth()) {
        if (attached.id == eni.id) shown = std::move(attached);
      }
      const bool up = co_await Setup(std::move(shown));
      if (up) break;
      if (tried < 6) co_await world_.clock.Sleep(seconds(10));
    }
  }
  std::map<IpamKey, IpAddress> restored;
  for (const auto& [key, ip] : checkpoint_) {
    for (NaiveEni& eni : book_.enis) {
      for (NaiveCidr& cidr : eni.cidrs) {
        if (!cidr.cidr.Contains(ip)) continue;
        cidr.addresses[ip] = {key, {}};
        restored[key] = ip;
      }
    }
  }
  checkpoint_ = restored;
  std::vector<std::string> ids;
  for (const NaiveEni& eni : book_.enis) ids.push_back(eni.attributes.id);
  for (const std::string& id : ids) {
    ModifyNetworkInterfaceAttributeRequest groups;
    groups.network_interface_id = id;
    const Status modified = co_await world_.ec2.ModifyNetworkInterfaceAttribute(groups);
    if (!modified) co_return false;
  }
  if (!TooLow()) co_return true;
  co_return co_await Grow();
}

Task<Result<std::vector<NetworkInterface>>> NaiveNode::DescribeAll() {
  std::vector<std::string> ids;
  for (const MetadataEni& eni : world_.metadata.Truth()) ids.push_back(eni.id);
  Result<std::vector<NetworkInterface>> described;
  for (int tried = 0; tried < 12; ++tried) {
    described = co_await world_.ec2.DescribeNetworkInterfaces(ids);
    if (described) break;
    co_await world_.clock.Sleep(milliseconds(10) * tried);
  }
  co_return described;
}

Task<bool> NaiveNode::Setup(MetadataEni eni) {
  EniAttributes attributes;
  attributes.id = eni.id;
  attributes.is_primary = eni.device_number == 0;
  attributes.device_number = eni.device_number;
  attributes.route_table = eni.device_number == 0 ? 254 : eni.device_number + 1;
  book_.AddEni(attributes, Now());
  if (settings_.subnet_discovery) {
    const Result<std::vector<Subnet>> subnets = co_await world_.ec2.DescribeSubnets("vpc-1", "a");
    if (!subnets) co_return false;
  }
  Enter(eni.id, eni.secondary_ips, eni.ipv4_prefixes);
  co_return true;
}

void NaiveNode::Enter(const std::string& eni, const std::vector<Ipv4Address>& ips,
                      const std::vector<Ipv4Cidr>& prefixes) {
  for (const Ipv4Address ip : ips) book_.AddCidr(eni, IpCidr(ip));
  for (const Ipv4Cidr& prefix : prefixes) book_.AddCidr(eni, prefix);
}

// --- Pool update ---

Task<void> NaiveNode::Update() {
  const PoolStats stats = book_.Stats(Now());
  const int available = stats.total_ips - stats.assigned_ips;
  bool remove = targets_defined();
  if (settings_.prefix_delegation) {
    remove = remove || available >= (settings_.warm_prefix_target + 1) * 16 * slots_;
    for (const NaiveEni& eni : book_.enis) {
      remove = remove || (!eni.attributes.is_primary && eni.pods() == 0);
    }
  } else {
    remove = remove || available >= (settings_.warm_eni_target + 1) * slots_;
  }

  if (TooLow()) {
    const bool fine = co_await Grow();
    static_cast<void>(fine);
  } else if (Over() > 0 && (!last_shrink_ || Now() > *last_shrink_ + seconds(30))) {
    co_await Shrink(Over());
  }
  if (!remove) co_return;
  for (const NaiveEni& eni : book_.enis) {
    if (!book_.MayRemove(
            eni,
            {settings_.warm_ip_target, settings_.minimum_ip_target, settings_.warm_prefix_target},
            Now())) {
      continue;
    }
    std::string id = eni.attributes.id;
    book_.RemoveEni(id, false);
    co_await Free(std::move(id));
    co_return;
  }
}

Task<bool> NaiveNode::Grow() {
  if (last_insufficient_ && Now() <= *last_insufficient_ + seconds(120)) co_return true;
  const Outcome outcome = co_await GrowExisting();
  if (outcome != Outcome::kNothing) co_return outcome == Outcome::kDone;
  if (static_cast<int>(book_.enis.size()) >= max_enis_) co_return true;
  const int quantity = std::min(slots_, Wanted());
  if (quantity <= 0) {
    last_action_ = Now();
  } else {
    co_await GrowNew(quantity);
  }
  co_return true;
}

Task<NaiveNode::Outcome> NaiveNode::GrowExisting() {
  std::vector<std::pair<std::string, int>> candidates;
  for (const NaiveEni& eni : book_.enis) {
    candidates.emplace_back(eni.attributes.id, static_cast<int>(eni.cidrs.size()));
  }
  for (const auto& [id, used] : candidates) {
    if (used >= slots_) continue;
    const int quantity = std::min(slots_ - used, Wanted());
    if (quantity < 1) continue;
    Result<AssignedAddresses> assigned = co_await Assign(id, quantity);
    if (!assigned && assigned.error().code != "PrivateIpAddressLimitExceeded") {
      assigned = co_await Assign(id, 1);
    }
    if (!assigned && assigned.error().code == "PrivateIpAddressLimitExceeded") {
      std::vector<std::string> ids{id};
      const Result<std::vector<NetworkInterface>> described =
          co_await world_.ec2.DescribeNetworkInterfaces(ids);
      if (described) {
        assigned =
            AssignedAddresses{described->front().secondary_ips, described->front().ipv4_prefixes};
      } else {
        assigned = tl::unexpected(described.error());
      }
    }
    if (assigned) {
      Enter(id, assigned->ips, assigned->prefixes);
      last_action_ = Now();
      co_return Outcome::kDone;
    }
    if (!Insufficient(assigned.error())) co_return Outcome::kFailed;
    if (settings_.subnet_discovery) continue;
    last_insufficient_ = Now();
    co_return Outcome::kDone;
  }
  co_return Outcome::kNothing;
}

Task<Result<AssignedAddresses>> NaiveNode::Assign(std::string eni, int quantity) {
  AssignPrivateIpAddressesRequest request;
  request.network_interface_id = std::move(eni);
  if (settings_.prefix_delegation) {
    request.ipv4_prefix_count = quantity;
  } else {
    request.secondary_private_ip_address_count = quantity;
  }
  co_return co_await world_.ec2.AssignPrivateIpAddresses(request);
}

Task<void> NaiveNode::GrowNew(int quantity) {
  // Only the primary subnet is usable, discovered or not. If the first description fails, a second
  // one asks whether it is excluded; without discovery an error changes nothing.
  Result<std::vector<Subnet>> subnets = co_await world_.ec2.DescribeSubnets("vpc-1", "a");
  if (!subnets && settings_.subnet_discovery) {
    subnets = co_await world_.ec2.DescribeSubnets("vpc-1", "a");
    if (!subnets) co_return;
  }
  CreateNetworkInterfaceRequest request;
  request.subnet_id = world_.metadata.identity.primary_subnet_id;
  request.description = "aws-K8S-i-1";
  request.tags = {{"node.k8s.amazonaws.com/instance_id", "i-1"}};
  if (settings_.prefix_delegation) {
    request.ipv4_prefix_count = quantity;
  } else {
    request.secondary_private_ip_address_count = quantity;
  }
  const Result<NetworkInterface> created = co_await world_.ec2.CreateNetworkInterface(request);
  if (!created) {
    if (Insufficient(created.error())) last_insufficient_ = Now();
    co_return;
  }
  const Result<std::vector<int>> devices = co_await world_.ec2.DescribeInstanceDevices("i-1", 0);
  bool attached = false;
  if (devices) {
    AttachNetworkInterfaceRequest attach;
    attach.network_interface_id = created->id;
    attach.instance_id = "i-1";
    while (std::ranges::count(*devices, attach.device_index) > 0) ++attach.device_index;
    const Result<std::string> attachment = co_await world_.ec2.AttachNetworkInterface(attach);
    attached = attachment.has_value();
    if (!attached && Insufficient(attachment.error())) last_insufficient_ = Now();
  }
  if (!attached) {
    const bool deleted = co_await Delete(created->id);
    static_cast<void>(deleted);
    co_return;
  }
  ModifyNetworkInterfaceAttributeRequest modify;
  modify.network_interface_id = created->id;
  const Status modified = co_await world_.ec2.ModifyNetworkInterfaceAttribute(modify);
  if (!modified) std::abort();  // never told to fail
  last_action_ = Now();
  for (MetadataEni& eni : world_.metadata.Truth()) {
    if (eni.id != created->id) continue;
    const bool up = co_await Setup(std::move(eni));
    static_cast<void>(up);
    break;
  }
}

Task<void> NaiveNode::Shrink(int budget) {
  std::vector<std::string> ids;
  for (const NaiveEni& eni : book_.enis) ids.push_back(eni.attributes.id);
  for (const std::string& id : ids) {
    if (budget == 0) break;
    UnassignPrivateIpAddressesRequest prefixes;
    UnassignPrivateIpAddressesRequest ips;
    prefixes.network_interface_id = ips.network_interface_id = id;
    std::vector<IpCidr> all;
    for (const NaiveCidr& cidr : book_.FindEni(id)->cidrs) all.push_back(cidr.cidr);
    for (const IpCidr& cidr : all) {
      if (budget == 0 || !book_.DeleteCidr(id, cidr, false)) continue;
      --budget;
      released_at_[cidr] = Now();
      if (cidr.length() == 32) {
        ips.ips.push_back(cidr.network().v4());
      } else {
        prefixes.prefixes.push_back(cidr.v4());
      }
    }
    if (!prefixes.prefixes.empty()) {
      const Status released = co_await world_.ec2.UnassignPrivateIpAddresses(prefixes);
      static_cast<void>(released);
    }
    if (!ips.ips.empty()) {
      const Status released = co_await world_.ec2.UnassignPrivateIpAddresses(ips);
      static_cast<void>(released);
    }
  }
  last_shrink_ = last_action_ = Now();
}

Task<void> NaiveNode::Free(std::string eni) {
  std::vector<std::string> ids{eni};
  const Result<std::vector<NetworkInterface>> described =
      co_await world_.ec2.DescribeNetworkInterfaces(ids);
  if (!described) co_return;
  for (int tried = 1;; ++tried) {
    const Status detached =
        co_await world_.ec2.DetachNetworkInterface(described->front().attachment_id);
    if (detached) break;
    if (tried == 12) co_return;
    co_await world_.clock.Sleep(PauseAfter(tried, milliseconds(200)));
  }
  co_await world_.clock.Sleep(seconds(2));
  const bool deleted = co_await Delete(eni);
  static_cast<void>(deleted);
}

Task<bool> NaiveNode::Delete(std::string eni) {
  for (int tried = 1; tried <= 12; ++tried) {
    const Status deleted = co_await world_.ec2.DeleteNetworkInterface(eni);
    if (deleted) co_return true;
    if (tried < 12) co_await world_.clock.Sleep(PauseAfter(tried, milliseconds(500)));
  }
  co_return false;
}

// --- Reconcile ---

Task<void> NaiveNode::Reconcile() {
  const std::vector<MetadataEni> attached = world_.metadata.Truth();
  bool any_new = false;
  for (const MetadataEni& eni : attached) any_new = any_new || book_.FindEni(eni.id) == nullptr;
  if (any_new) {
    const Result<std::vector<NetworkInterface>> described = co_await DescribeAll();
    if (!described) co_return;
  }
  for (const MetadataEni& eni : attached) {
    if (book_.FindEni(eni.id) != nullptr) {
      co_await ReconcileItems(eni, false);
      co_await ReconcileItems(eni, true);
    } else {
      const bool up = co_await Setup(eni);
      static_cast<void>(up);
    }
  }
  std::vector<std::string> gone;
  for (const NaiveEni& eni : book_.enis) {
    if (std::ranges::count(attached, eni.attributes.id, &MetadataEni::id) == 0) {
      gone.push_back(eni.attributes.id);
    }
  }
  for (const std::string& id : gone) book_.RemoveEni(id, true);
  last_action_ = Now();
}

Task<void> NaiveNode::ReconcileItems(MetadataEni eni, bool prefixes) {
  std::set<IpCidr> pool;
  for (const NaiveCidr& cidr : book_.FindEni(eni.id)->cidrs) {
    if ((cidr.kind == PoolMode::kPrefixes) == prefixes) pool.insert(cidr.cidr);
  }
  std::set<IpCidr> attached(eni.ipv4_prefixes.begin(), eni.ipv4_prefixes.end());
  if (!prefixes) {
    attached.clear();
    for (const Ipv4Address ip : eni.secondary_ips) attached.insert(IpCidr(ip));
  }
  std::vector<std::string> ids{eni.id};
  bool from_metadata = true;
  if (attached != pool) {
    // EC2 and metadata agree in this world; only the call can fail.
    const Result<std::vector<NetworkInterface>> described =
        co_await world_.ec2.DescribeNetworkInterfaces(ids);
    if (!described) co_return;
    from_metadata = false;
  }
  bool verified = false;
  for (const IpCidr& item : attached) {
    const auto released = released_at_.find(item);
    if (released != released_at_.end()) {
      if (Now() < released->second + seconds(60)) {
        book_.DeleteCidr(eni.id, item, true);
        continue;
      }
      if (from_metadata && !verified) {
        const Result<std::vector<NetworkInterface>> described =
            co_await world_.ec2.DescribeNetworkInterfaces(ids);
        if (!described) continue;  // stays as it is
        verified = true;
      }
      released_at_.erase(released);
    }
    book_.AddCidr(eni.id, item);
  }
  for (const IpCidr& item : pool) {
    if (!attached.contains(item)) book_.DeleteCidr(eni.id, item, true);
  }
}

}  // namespace cnisim
