#include "sim/cloud/metadata.h"

#include <algorithm>
#include <cassert>

#include "core/ipam/pool_digest.h"

namespace cnisim {
namespace {

constexpr uint64_t kLagPurpose = HashName("imds-lag");
constexpr uint64_t kRequestPurpose = HashName("imds-request");

// availability zone, local-ipv4, instance id, type, mac, interface id, subnet id, vpc id
// (amazon-vpc-cni-k8s v1.23.1, pkg/awsutils/awsutils.go).
constexpr int kIdentityRequests = 8;

template <typename T>
void EraseAll(std::vector<T>& from, const std::vector<T>& what) {
  std::erase_if(
      from, [&](const T& item) { return std::find(what.begin(), what.end(), item) != what.end(); });
}

}  // namespace

MetadataService::MetadataService(CloudContext& context, uint64_t entity_hash,
                                 InstanceIdentity identity,
                                 std::vector<std::string> security_groups)
    : context_(context),
      entity_hash_(entity_hash),
      identity_(std::move(identity)),
      security_groups_(std::move(security_groups)) {
  const Distribution& request = context.timing.imds_request;
  const Duration mean = request.Mean();
  if (request == Distribution::Fixed(mean).value()) fixed_request_time_ = mean;
}

MetadataService::~MetadataService() {
  if (timer_) context_.simulation.CancelTimer(*timer_);
}

Duration MetadataService::RequestTime(int requests, TimePoint at) const {
  if (fixed_request_time_) return requests * *fixed_request_time_;
  return requests * SampleKeyed(context_.timing.imds_request, context_.seed, entity_hash_,
                                kRequestPurpose,
                                static_cast<uint64_t>(at.time_since_epoch().count()));
}

void MetadataService::CountRequests(int64_t n) {
  requests_ += n;
  context_.metadata_requests += n;
}

Status MetadataService::Begin(int requests) {
  CountRequests(error_ ? 1 : requests);
  if (error_) return tl::unexpected<Error>(*error_);
  return {};
}

Task<Result<InstanceIdentity>> MetadataService::GetIdentity() {
  const Status status = Begin(kIdentityRequests);
  co_await context_.simulation.Sleep(Cost(status ? kIdentityRequests : 1));
  if (!status) co_return tl::unexpected<Error>(status.error());
  co_return identity_;
}

Task<Result<std::vector<MetadataEni>>> MetadataService::GetAttachedEnis() {
  const int requests = EnumerationRequests(visible_.size());
  const Status status = Begin(requests);
  std::vector<MetadataEni> enis;
  if (status) {
    enis.reserve(visible_.size());
    for (const VisibleEni& v : visible_) enis.push_back(v.eni);
  }
  co_await context_.simulation.Sleep(Cost(status ? requests : 1));
  if (!status) co_return tl::unexpected<Error>(status.error());
  co_return enis;
}

Task<Result<std::vector<IpCidr>>> MetadataService::GetVpcCidrs(bool ipv6) {
  const Status status = Begin(1);
  co_await context_.simulation.Sleep(Cost(1));
  if (!status) co_return tl::unexpected<Error>(status.error());
  std::vector<IpCidr> blocks = context_.vpc_cidrs;
  std::erase_if(blocks, [ipv6](const IpCidr& block) { return block.is_v4() == ipv6; });
  co_return blocks;
}

Task<Result<std::vector<std::string>>> MetadataService::GetSecurityGroups() {
  const Status status = Begin(1);
  co_await context_.simulation.Sleep(Cost(1));
  if (!status) co_return tl::unexpected<Error>(status.error());
  co_return security_groups_;
}

void MetadataService::AttachedAtBoot(uint64_t attachment, MetadataEni eni) {
  Show(attachment, std::move(eni));
  Changed();
}

void MetadataService::Attached(uint64_t attachment, MetadataEni eni) {
  Add(attachment, Kind::kAttach, std::move(eni));
}

void MetadataService::DetachStarted() {
  ++detaching_;
  Changed();
}

void MetadataService::Detached(uint64_t attachment) {
  --detaching_;
  Add(attachment, Kind::kDetach, MetadataEni());
}

void MetadataService::Assigned(uint64_t attachment, std::vector<Ipv4Address> ips,
                               std::vector<Ipv4Cidr> prefixes) {
  MetadataEni eni;
  eni.secondary_ips = std::move(ips);
  eni.ipv4_prefixes = std::move(prefixes);
  Add(attachment, Kind::kAssign, std::move(eni));
}

void MetadataService::Unassigned(uint64_t attachment, std::vector<Ipv4Address> ips,
                                 std::vector<Ipv4Cidr> prefixes) {
  MetadataEni eni;
  eni.secondary_ips = std::move(ips);
  eni.ipv4_prefixes = std::move(prefixes);
  Add(attachment, Kind::kUnassign, std::move(eni));
}

void MetadataService::Add(uint64_t attachment, Kind kind, MetadataEni eni) {
  const Duration lag = SampleKeyed(context_.timing.imds_lag, context_.seed, entity_hash_,
                                   kLagPurpose, changes_made_++);
  Change change;
  change.visible_at = context_.simulation.Now() + lag;
  change.attachment = attachment;
  change.kind = kind;
  change.eni = std::move(eni);
  for (const Change& earlier : pending_) {
    if (earlier.attachment == attachment) {
      change.visible_at = std::max(change.visible_at, earlier.visible_at);
    }
  }
  const auto at = std::upper_bound(
      pending_.begin(), pending_.end(), change,
      [](const Change& a, const Change& b) { return a.visible_at < b.visible_at; });
  pending_.insert(at, std::move(change));
  Arm();
  Changed();
}

void MetadataService::Arm() {
  if (timer_) context_.simulation.CancelTimer(*timer_);
  timer_.reset();
  if (pending_.empty() || frozen_) return;
  timer_ = context_.simulation.StartTimer(pending_.front().visible_at, *this);
}

void MetadataService::Fire() {
  timer_.reset();
  const TimePoint now = context_.simulation.Now();
  size_t due = 0;
  while (due < pending_.size() && pending_[due].visible_at <= now) Apply(pending_[due++]);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(due));
  Arm();
  Changed();
}

void MetadataService::SetFrozen(bool frozen) {
  frozen_ = frozen;
  Arm();
}

void MetadataService::ToggleItems(uint64_t eni_digest, const MetadataEni& eni) {
  for (const Ipv4Address ip : eni.secondary_ips)
    digest_ ^= PoolItemDigest(eni_digest, Ipv4Cidr(ip));
  for (const Ipv4Cidr prefix : eni.ipv4_prefixes) digest_ ^= PoolItemDigest(eni_digest, prefix);
}

void MetadataService::Show(uint64_t attachment, MetadataEni eni) {
  VisibleEni shown;
  shown.attachment = attachment;
  shown.digest = EniDigest(eni.id);
  shown.eni = std::move(eni);
  digest_ ^= shown.digest;
  ToggleItems(shown.digest, shown.eni);
  const auto at =
      std::upper_bound(visible_.begin(), visible_.end(), attachment,
                       [](uint64_t number, const VisibleEni& v) { return number < v.attachment; });
  visible_.insert(at, std::move(shown));
}

void MetadataService::Apply(const Change& change) {
  if (change.kind == Kind::kAttach) {
    Show(change.attachment, change.eni);
    return;
  }
  const auto at = std::find_if(visible_.begin(), visible_.end(), [&](const VisibleEni& v) {
    return v.attachment == change.attachment;
  });
  assert(at != visible_.end());
  switch (change.kind) {
    case Kind::kAttach:
      break;
    case Kind::kDetach:
      digest_ ^= at->digest;
      ToggleItems(at->digest, at->eni);
      visible_.erase(at);
      break;
    case Kind::kAssign:
      ToggleItems(at->digest, change.eni);
      at->eni.secondary_ips.insert(at->eni.secondary_ips.end(), change.eni.secondary_ips.begin(),
                                   change.eni.secondary_ips.end());
      at->eni.ipv4_prefixes.insert(at->eni.ipv4_prefixes.end(), change.eni.ipv4_prefixes.begin(),
                                   change.eni.ipv4_prefixes.end());
      break;
    case Kind::kUnassign:
      ToggleItems(at->digest, change.eni);
      EraseAll(at->eni.secondary_ips, change.eni.secondary_ips);
      EraseAll(at->eni.ipv4_prefixes, change.eni.ipv4_prefixes);
      break;
  }
}

}  // namespace cnisim
