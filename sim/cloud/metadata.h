// Instance metadata (IMDS) of one instance: the truth of EC2, seen late.
//
// EC2 tells this service of every change to the instance's ENIs; each becomes visible after a lag
// of its own (CloudTiming::imds_lag), but never before an earlier change of the same ENI. Requests
// read what is visible when they start and cost CloudTiming::imds_request each.
//
// Draws are keyed: lags by the number of the change, request times by the time of asking, so polls
// that are left out change nothing else. A caller that leaves out polls which could have told it
// nothing accounts for them with CountRequests.
//
// VisibleDigest is O(1); a change costs O(changes in flight + size of the ENI).
#ifndef CNISIM_SIM_CLOUD_METADATA_H_
#define CNISIM_SIM_CLOUD_METADATA_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/instance_metadata.h"
#include "sim/cloud/cloud_context.h"

namespace cnisim {

class MetadataService final : public InstanceMetadata, private Timer {
 public:
  // `entity_hash` names the instance in random draws.
  MetadataService(CloudContext& context, uint64_t entity_hash, InstanceIdentity identity,
                  std::vector<std::string> security_groups);
  ~MetadataService() override;
  MetadataService(const MetadataService&) = delete;
  MetadataService& operator=(const MetadataService&) = delete;

  Task<Result<InstanceIdentity>> GetIdentity() override;
  Task<Result<std::vector<MetadataEni>>> GetAttachedEnis() override;
  Task<Result<std::vector<IpCidr>>> GetVpcCidrs(bool ipv6) override;
  Task<Result<std::vector<std::string>>> GetSecurityGroups() override;

  const InstanceIdentity& identity() const { return identity_; }

  // Metadata equals the truth and no change of it is under way in EC2.
  bool settled() const { return pending_.empty() && detaching_ == 0; }
  // Digest (core/ipam/pool_digest.h) of the visible ENIs and their secondary addresses and
  // prefixes.
  uint64_t VisibleDigest() const { return digest_; }
  size_t visible_enis() const { return visible_.size(); }

  // Called after every change of the truth or of what is visible. It must not change the instance.
  void set_on_change(std::function<void()> on_change) { on_change_ = std::move(on_change); }

  int64_t requests() const { return requests_; }
  // Counts requests that were made in all but simulation.
  void CountRequests(int64_t n);
  // How long `requests` of them take that start at `at`.
  Duration RequestTime(int requests, TimePoint at) const;
  // Of one request, if all take the same.
  std::optional<Duration> fixed_request_time() const { return fixed_request_time_; }
  // No fault keeps it from answering.
  bool Answers() const { return !error_; }

  // Faults. While frozen nothing becomes visible; what fell due shows when it thaws.
  void SetFrozen(bool frozen);
  // Every request fails with `error` until it is reset.
  void SetError(std::optional<Error> error) { error_ = std::move(error); }

  // --- EC2's side. `attachment` numbers attachments in the order in which they were made. ---

  // Visible at once: what an instance has when it boots.
  void AttachedAtBoot(uint64_t attachment, MetadataEni eni);
  void Attached(uint64_t attachment, MetadataEni eni);
  // The ENI is still there, but a detach is under way; Detached follows.
  void DetachStarted();
  void Detached(uint64_t attachment);
  void Assigned(uint64_t attachment, std::vector<Ipv4Address> ips, std::vector<Ipv4Cidr> prefixes);
  void Unassigned(uint64_t attachment, std::vector<Ipv4Address> ips,
                  std::vector<Ipv4Cidr> prefixes);

 private:
  enum class Kind : uint8_t { kAttach, kDetach, kAssign, kUnassign };
  struct Change {
    TimePoint visible_at;
    uint64_t attachment = 0;
    Kind kind = Kind::kAttach;
    MetadataEni eni;  // kAttach: all of it; kAssign, kUnassign: addresses and prefixes
  };
  struct VisibleEni {
    uint64_t attachment = 0;
    uint64_t digest = 0;
    MetadataEni eni;
  };

  void Fire() override;
  void Add(uint64_t attachment, Kind kind, MetadataEni eni);
  void Arm();
  void Apply(const Change& change);
  void Show(uint64_t attachment, MetadataEni eni);
  void ToggleItems(uint64_t eni_digest, const MetadataEni& eni);
  void Changed() const {
    if (on_change_) on_change_();
  }
  Duration Cost(int requests) const { return RequestTime(requests, context_.simulation.Now()); }
  // The start of a request; an error if metadata is down.
  Status Begin(int requests);

  CloudContext& context_;
  uint64_t entity_hash_;
  std::optional<Duration> fixed_request_time_;  // if every request takes the same
  InstanceIdentity identity_;
  std::vector<std::string> security_groups_;
  std::vector<VisibleEni> visible_;  // by attachment
  std::vector<Change> pending_;      // by visible_at, then as made
  uint64_t digest_ = 0;
  uint64_t changes_made_ = 0;
  int detaching_ = 0;
  bool frozen_ = false;
  std::optional<TimerId> timer_;
  std::optional<Error> error_;
  std::function<void()> on_change_;
  int64_t requests_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_METADATA_H_
