// The agent's book of ENIs, their CIDRs and which pod has which address.
//
// A CIDR is a /32 (secondary-IP mode), a /28 (prefix mode) or an IPv6 /80; an ENI may carry several
// kinds after the mode was switched, but only those of the current mode serve pods. Rules DM, ST,
// AS, CD, DL, EX-4 and RM-3 of amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd/datastore). One datastore a
// network card.
//
// Invariants
//  - An address is held by at most one key, and a key holds at most one address.
//  - The checkpoint on disk says the same as memory whenever Assign or Unassign has succeeded.
//  - assigned + unassigned = size for every CIDR; counters per ENI equal a recount. The totals of
//    the whole book do too, but for quirks DM-9 and EX-4.
// Time is a parameter and never goes back. Not thread-safe: one agent is one flow at a time.
// Complexity: Assign is O(ENIs + CIDRs of one ENI), Unassign O(1) plus a walk over one ENI's CIDRs,
// Stats O(ENIs); an instance has at most 24 ENIs of at most 49 CIDRs (15 x 49 on large types).
#ifndef CNISIM_CORE_IPAM_DATASTORE_H_
#define CNISIM_CORE_IPAM_DATASTORE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ipam/pool_policy.h"
#include "core/ipam/quirks.h"
#include "core/net/ip.h"
#include "core/ports/checkpoint_store.h"
#include "core/ports/choice.h"
#include "core/ports/clock.h"
#include "core/ports/log.h"
#include "core/ports/result.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {

namespace datastore_error {
inline constexpr std::string_view kDuplicateEni = "data store: duplicate ENI";
inline constexpr std::string_view kUnknownEni = "datastore: unknown ENI";
inline constexpr std::string_view kUnknownCidr = "datastore: unknown IP";
inline constexpr std::string_view kDuplicateCidr = "datastore: IP already in data store";
inline constexpr std::string_view kCidrInUse = "datastore: IP is used and can not be deleted";
inline constexpr std::string_view kEniInUse = "datastore: ENI is used and can not be deleted";
inline constexpr std::string_view kUnknownPod = "datastore: unknown pod";
inline constexpr std::string_view kNoAddress =
    "AssignPodIPAddress: no available IP/Prefix addresses";
inline constexpr std::string_view kDuplicateAddress = "datastore: address assigned twice";
}  // namespace datastore_error

struct EniAttributes {
  std::string id;
  bool is_primary = false;
  bool is_trunk = false;
  bool is_efa = false;
  int device_number = 0;
  int route_table = 0;
  std::string subnet_id;
};

// What a pod gets, and gets back from on release.
struct PodAddress {
  std::string eni_id;
  IpAddress ip;
  int device_number = 0;
  int route_table = 0;

  friend bool operator==(const PodAddress&, const PodAddress&) = default;
};

// What Unassign tells of the address that a pod gave back.
struct ReleasedAddress {
  PodAddress address;
  int interfaces_count = 1;  // DL-2
  IpCidr cidr;
  bool cidr_is_prefix = false;
  bool cidr_unused = false;  // no pod has an address of it any more
  bool eni_excluded = false;
};

// DM-10: the primary ENI of the default network card uses the main table.
constexpr int RouteTableOf(int device_number, int network_card) {
  if (network_card > 0) return 10000 + 100 * network_card + device_number;
  return device_number == 0 ? 254 : device_number + 1;
}

class PoolListener {
 public:
  virtual ~PoolListener() = default;
  // After every change of the book.
  virtual void OnPoolChanged() = 0;
  // The agent has just done what the quirk describes, and its node may be the worse for it.
  virtual void OnQuirk(Quirk) {}
};

class Datastore final : public AllocationSource {
 public:
  struct Config {
    PoolMode mode = PoolMode::kSecondaryIps;
    Duration ip_cooldown = std::chrono::seconds(30);
    int network_card = 0;
    Quirks quirks;
  };

  struct Cidr;
  struct Eni;

  // `checkpoint` and `listener` must outlive the datastore; `listener` may be null.
  Datastore(Config config, CheckpointStore& checkpoint, Choice choice, PoolListener* listener);
  ~Datastore() override;
  Datastore(const Datastore&) = delete;
  Datastore& operator=(const Datastore&) = delete;

  // --- ENIs and CIDRs ---
  Status AddEni(EniAttributes attributes, TimePoint now);
  // Unforced, refuses while pods hold addresses (DM-9).
  Status RemoveEni(std::string_view eni_id, bool force);
  // kDuplicateCidr if this ENI has it; other ENIs are not looked at (DM-7).
  Status AddCidr(std::string_view eni_id, IpCidr cidr);
  // Unforced, refuses while pods hold addresses of it; cooling ones do not protect it (DM-8).
  Status DeleteCidr(std::string_view eni_id, IpCidr cidr, bool force);
  // EX-4: drops a CIDR of an excluded ENI if no pod has an address of it; false if it stays.
  bool DeleteUnusedCidrOfExcluded(std::string_view eni_id, IpCidr cidr);
  // Excluded ENIs keep their pods but serve no new ones and do not count (EX-2).
  Status SetExcluded(std::string_view eni_id, bool excluded);
  void SetMode(PoolMode mode);

  // --- Pods ---
  // Same key, same address (AS-1). kNoAddress if there is none now; never waits.
  Result<PodAddress> Assign(const IpamKey& key, const IpamMetadata& metadata, TimePoint now);
  // The address cools from `now` on. kUnknownPod if the key holds none (DL-1).
  Result<ReleasedAddress> Unassign(const IpamKey& key, TimePoint now);
  // Takes over what a checkpoint says (RS-4 to RS-6): addresses on no ENI are dropped; one address
  // twice is an error. Returns what was dropped.
  Result<std::vector<Allocation>> Restore(const std::vector<Allocation>& allocations);

  // Writes the checkpoint anew. A failure is only logged by the real agent; the next change of a
  // pod writes all of it.
  void RewriteCheckpoint();

  // --- Reading ---
  int network_card() const { return config_.network_card; }
  PoolMode mode() const { return config_.mode; }
  PoolStats Stats(TimePoint now);
  const std::vector<std::unique_ptr<Eni>>& enis() const { return enis_; }  // oldest first
  const Eni* FindEni(std::string_view eni_id) const;
  const Eni* FindTrunk() const;
  std::optional<PodAddress> Find(const IpamKey& key) const;
  bool Holds(IpCidr cidr) const;  // on any ENI
  // Secondary-mode or prefix-mode capacity left: ENIs that may get more CIDRs (UP-3), oldest first.
  std::vector<const Eni*> AllocatableEnis(int slots_per_eni) const;
  // CIDRs without assigned addresses (DN-3), oldest first; of any kind, or only addresses, or only
  // prefixes of either family. Those with cooling addresses are among them (CD-2), unless that is
  // repaired.
  std::vector<IpCidr> FreeableCidrs(std::string_view eni_id, TimePoint now) const;
  std::vector<IpCidr> FreeableCidrs(std::string_view eni_id, PoolMode kind, TimePoint now) const;
  // Whether an address of the CIDR still cools. False for a CIDR that is not there.
  bool HasCooling(std::string_view eni_id, IpCidr cidr, TimePoint now) const;
  // A DEL may have the agent give up CIDRs: there are some of another mode (PX-4), or on an
  // excluded ENI (EX-4).
  bool DelMayGiveUpCidrs() const;
  // A non-primary, non-trunk, non-EFA ENI without pods exists (RM-1).
  bool HasEmptyEni() const;
  std::vector<Allocation> AllAllocations() const override;
  // DM-6: the raw total over all CIDRs of any mode, as the real agent keeps it.
  int64_t raw_total_ips() const { return raw_total_ips_; }
  // Pods with an address, in any mode.
  int64_t assigned_ips() const { return static_cast<int64_t>(holders_.size()); }
  // The earliest time at which an address that cools now stops to; kForever if none cools.
  TimePoint NextCooled() const;
  int forced_removals_of_enis() const { return forced_removals_of_enis_; }
  int forced_removals_of_ips() const { return forced_removals_of_ips_; }
  // Order-independent digest of all (ENI, CIDR) pairs, see pool_digest.h.
  uint64_t digest() const { return digest_; }
  // Grows with every change.
  uint64_t version() const { return version_; }

  // --- ENI removal (RM-3) ---
  struct RemovalTargets {
    int warm_ips = 0;
    int minimum_ips = 0;
    int warm_prefixes = 0;
  };
  // Takes the first ENI that passes all tests out of the book and returns its id. `log` hears why
  // others are kept.
  std::optional<std::string> RemoveUnusedEni(const RemovalTargets& targets, TimePoint now,
                                             const Log& log = {});
  // The earliest time at which age or cooldown stop protecting an ENI without pods; kForever if
  // neither protects any.
  TimePoint NextEniUnprotected(TimePoint now) const;

 private:
  struct Holder;
  using Holders = std::unordered_map<IpamKey, Holder>;
  struct Released {
    TimePoint at;
    IpAddress ip;
    Eni* eni;
  };

  Eni* MutableEni(std::string_view eni_id);
  Status SaveCheckpoint(const AllocationChange& change);
  // An address of the CIDR that is free now, if any; forgets all whose cooldown is over (AS-5).
  std::optional<IpAddress> TakeAddress(Cidr& cidr, TimePoint now) const;
  void MarkAssigned(Eni& eni, Cidr& cidr, const Holders::value_type& holder);
  void MarkUnassigned(Eni& eni, Cidr& cidr, IpAddress ip);
  // Takes the addresses of a CIDR away from their pods; returns how many.
  int DropHolders(Eni& eni, Cidr& cidr);
  void ForgetCidr(Eni& eni, const Cidr& cidr);
  bool HasCooling(const Cidr& cidr, TimePoint now) const;
  void EraseEni(const Eni& eni);
  // The first test that it fails; nullopt if it may go.
  std::optional<agent_log::EniKeptBecause> KeptBecause(const Eni& eni,
                                                       const RemovalTargets& targets,
                                                       TimePoint now) const;
  bool Cooling(TimePoint unassigned, TimePoint now) const;
  int Mode() const { return static_cast<int>(config_.mode); }
  void Changed();
  // Whether the quirk is on; if so the listener learns that it has made a difference.
  bool Strikes(Quirk quirk);

  Config config_;
  CheckpointStore& checkpoint_;
  Choice choice_;
  PoolListener* listener_;
  std::vector<std::unique_ptr<Eni>> enis_;
  Holders holders_;
  std::deque<Released> released_;  // by time; what may still be cooling
  bool checkpoint_stale_ = false;  // it differs from memory by more than the next change
  int64_t raw_total_ips_ = 0;
  int allocated_prefixes_ = 0;
  int forced_removals_of_enis_ = 0;
  int forced_removals_of_ips_ = 0;
  uint64_t digest_ = 0;
  uint64_t version_ = 0;
};

// --- What the reading functions show ---

struct Datastore::Cidr {
  // ST-1: never used or forgotten, held by a pod, or released (cooling while the period lasts).
  enum class State : uint8_t { kAbsent, kAssigned, kReleased };
  struct Slot {
    State state = State::kAbsent;
    TimePoint unassigned;                         // of a released one
    const Holders::value_type* holder = nullptr;  // of an assigned one
  };

  IpCidr cidr;
  PoolMode kind = PoolMode::kSecondaryIps;  // the mode in which it serves pods
  int assigned = 0;
  // One an address, numerically; of a /80 only as many as were ever used.
  std::vector<Slot> slots;

  bool is_prefix() const { return kind != PoolMode::kSecondaryIps; }
  int64_t size() const { return cidr.size(); }
};

struct Datastore::Eni {
  EniAttributes attributes;
  TimePoint created;
  bool excluded = false;
  uint64_t digest = 0;
  std::vector<Cidr> cidrs;  // oldest first
  // By PoolMode.
  int64_t total[kPoolModes] = {};
  int assigned[kPoolModes] = {};
  int unused_cidrs[kPoolModes] = {};

  int pods() const { return assigned[0] + assigned[1] + assigned[2]; }
  int pods_v4() const { return assigned[0] + assigned[1]; }
  // DM-2, RM-3: neither primary nor holding a role that forbids removal.
  bool removable() const {
    return !attributes.is_primary && !attributes.is_trunk && !attributes.is_efa;
  }
};

struct Datastore::Holder {
  Eni* eni = nullptr;
  IpAddress ip;
  TimePoint allocated;
  IpamMetadata metadata;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_DATASTORE_H_
