// One block of Calico's IPAM: a small range of addresses, as a rule owned by one host (its
// affinity), and who holds which of them.
//
// Addresses are named by ordinal, 0 being the first of the range. Free ordinals queue up: an
// assignment takes the head, a release joins the tail, so the address longest out of use goes next
// (rule A9). Reserved ordinals are passed over and stay where they are. With a cooldown a released
// ordinal is held back, cooling, until Reclaim.
//
// Invariants
//  - Every ordinal is exactly one of free, allocated, cooling.
//  - Every attribute entry is held by at least one ordinal, and no two entries are equal (A11).
//  - sequence() starts at the time of creation in nanoseconds and grows by one with every write
//    (A10); an allocation remembers the number at which it was made.
//
// Assignments, OrdinalsOf and a release into cooling are O(size), other releases O(1). IPv4.
// Data model: Calico v3.32, libcalico-go, model.AllocationBlock.
#ifndef CNISIM_CORE_IPAM_CALICO_BLOCK_H_
#define CNISIM_CORE_IPAM_CALICO_BLOCK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ipam/calico/ip_pool.h"
#include "core/net/ipv4.h"
#include "core/ports/clock.h"

namespace cnisim {

// Who holds an address. A tunnel's address has no pod.
struct AllocationOwner {
  std::string handle;
  std::string pod_namespace;
  std::string pod;
  std::string node;
  std::optional<CalicoTunnel> tunnel;

  friend bool operator==(const AllocationOwner&, const AllocationOwner&) = default;
};

class AllocationBlock {
 public:
  // `reserved[i]` tells whether ordinal i is never to be assigned; empty means none is. `cidr` is
  // a /20 or smaller.
  AllocationBlock(Ipv4Cidr cidr, std::string host, TimePoint claimed_at,
                  const std::vector<bool>& reserved);

  Ipv4Cidr cidr() const { return cidr_; }
  int size() const { return static_cast<int>(slots_.size()); }
  // The affinity; nullopt once it has been released.
  const std::optional<std::string>& host() const { return host_; }
  bool BelongsTo(std::string_view host) const { return host_ && *host_ == host; }
  TimePoint claimed_at() const { return claimed_at_; }
  uint64_t sequence() const { return sequence_; }

  int allocated() const { return allocated_; }
  int cooling() const { return cooling_; }
  // Allocated addresses whose holder's node is not the block's host.
  int borrowed() const { return borrowed_; }
  // Free and not reserved: what Assign can still give.
  int available() const { return available_; }
  // Nothing allocated and nothing cooling.
  bool empty() const { return allocated_ == 0 && cooling_ == 0; }

  Ipv4Address AddressOf(int ordinal) const {
    return cidr_.network().Offset(static_cast<uint32_t>(ordinal));
  }
  // Requires cidr().Contains(address).
  int OrdinalOf(Ipv4Address address) const {
    return static_cast<int>(address.bits() - cidr_.network().bits());
  }
  // Null for an ordinal that is free or cooling.
  const AllocationOwner* OwnerOf(int ordinal) const;
  bool IsCooling(int ordinal) const { return ReleasedAt(ordinal).has_value(); }
  std::optional<TimePoint> ReleasedAt(int ordinal) const;
  // The block's sequence number when the ordinal was last assigned.
  uint64_t SequenceOf(int ordinal) const { return slots_[ordinal].sequence; }
  // Free ordinals, next one first; reserved ones included.
  std::vector<int> FreeOrdinals() const;

  // nullopt if nothing is available.
  std::optional<int> Assign(const AllocationOwner& owner);
  // This very ordinal, reserved or not. False if it is not free.
  bool AssignOrdinal(int ordinal, const AllocationOwner& owner);
  // Requires an allocated ordinal. It is free at once, or cooling if `cool`.
  void Release(int ordinal, TimePoint now, bool cool);
  // Every ordinal of the handle, in ascending order.
  std::vector<int> OrdinalsOf(std::string_view handle) const;
  // Ends the cooling of an ordinal.
  void Reclaim(int ordinal);
  void DropAffinity();
  // To be called once for each write of the block to the datastore.
  void CountWrite() { ++sequence_; }

  // What of the above does not hold, in words; empty if all does.
  std::vector<std::string> CheckInvariants() const;

 private:
  static constexpr int16_t kNone = -1;

  struct Attribute {
    AllocationOwner owner;
    std::optional<TimePoint> released_at;
    int references = 0;  // 0: the entry is unused
  };
  struct Slot {
    uint64_t sequence = 0;
    uint32_t handle_hash = 0;  // of the attribute's handle
    int16_t attribute = kNone;
    int16_t next_free = kNone;
    bool reserved = false;
  };

  // Gives the slot an attribute entry of that content, shared if there is one (A11).
  void AddReference(Slot& slot, const AllocationOwner& owner, std::optional<TimePoint> released_at);
  void DropReference(Slot& slot);
  void AppendFree(int ordinal);
  // Gives the owner the free ordinal that follows `before` in the queue, or its head after kNone.
  int TakeFreeAfter(int16_t before, const AllocationOwner& owner);

  Ipv4Cidr cidr_;
  std::optional<std::string> host_;
  TimePoint claimed_at_;
  uint64_t sequence_;
  std::vector<Slot> slots_;
  std::vector<Attribute> attributes_;
  std::vector<int16_t> unused_attributes_;
  int16_t free_head_ = kNone;
  int16_t free_tail_ = kNone;
  int allocated_ = 0;
  int cooling_ = 0;
  int borrowed_ = 0;
  int available_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CALICO_BLOCK_H_
