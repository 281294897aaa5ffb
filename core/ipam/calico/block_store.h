// What Calico's IPAM keeps in the cluster's datastore: pools, blocks, affinities and handles; and
// the labels of nodes and namespaces, which pools select by.
//
// One per cluster; CalicoIpam is the algorithm over it. Operations that the real client makes as
// API calls are counted (cost()), whatever they take here: a walk over ten thousand blocks counts
// ten thousand reads and is answered from an index. Calls marked "not counted" are for routing,
// statistics and tests.
//
// Orders: pools by name, blocks by address, hosts and handles by name, a host's affinities by
// object name `a-b-c-d-len` as text, as the Kubernetes datastore lists them (rule A1).
//
// Invariants (CheckInvariants)
//  - No address is in two blocks, nor in two hands within its block.
//  - Free + allocated + cooling = size, for every block.
//  - A confirmed affinity has a block of that host; a block with a host has that host's affinity.
//  - A handle counts, block by block, the addresses it holds, and no others but those that it was
//    counted up for and did not get (A12).
//  - Statistics and indices agree with the blocks.
// A crash in the middle of a claim leaves an affinity that is pending, or (with writes lost) one
// that contradicts its block; the primitives can produce both, and CalicoIpam repairs them.
//
// Complexity: O(log n) in blocks, handles and hosts, plus what AllocationBlock says. Times passed
// in never decrease. Single-threaded. Source of the model: Calico v3.32, libcalico-go/lib/ipam.
#ifndef CNISIM_CORE_IPAM_CALICO_BLOCK_STORE_H_
#define CNISIM_CORE_IPAM_CALICO_BLOCK_STORE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ipam/calico/block.h"
#include "core/ipam/calico/index_set.h"
#include "core/ipam/calico/ip_pool.h"
#include "core/ipam/calico/selector.h"
#include "core/net/ipv4.h"
#include "core/ports/clock.h"
#include "core/ports/result.h"

namespace cnisim {

// Age at which another host's empty block may be taken over (C3).
inline constexpr Duration kReclaimMinAge = std::chrono::seconds(60);

// Calls to the datastore. A list call also transfers its items, whose number grows with the
// cluster.
struct DatastoreCost {
  int64_t reads = 0;
  int64_t writes = 0;  // create, update and delete
  int64_t lists = 0;
  int64_t listed_items = 0;

  int64_t calls() const { return reads + writes + lists; }
  friend bool operator==(const DatastoreCost&, const DatastoreCost&) = default;
};

enum class AffinityState { kPending, kConfirmed, kPendingDeletion };

struct BlockAffinity {
  Ipv4Cidr cidr;
  AffinityState state = AffinityState::kPending;

  friend bool operator==(const BlockAffinity&, const BlockAffinity&) = default;
};

struct IpamStatistics {
  int64_t blocks = 0;
  int64_t affine_blocks = 0;  // blocks with a host
  int64_t allocated = 0;
  int64_t borrowed = 0;  // allocated to a node that is not the block's host
  int64_t cooling = 0;

  friend bool operator==(const IpamStatistics&, const IpamStatistics&) = default;
};

struct HandleCount {
  Ipv4Cidr block;
  int count = 0;

  friend bool operator==(const HandleCount&, const HandleCount&) = default;
};

class BlockStore {
 public:
  // `reservations`: addresses that are never assigned (IPReservation).
  explicit BlockStore(std::vector<Ipv4Cidr> reservations = {});
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  // Counted since construction.
  const DatastoreCost& cost() const { return cost_; }
  // Counts calls that need no answer here: the node, the configuration.
  void CountReads(int64_t n) { cost_.reads += n; }
  void CountList(int64_t items);

  // --- Pools, not counted.
  // kInvalidPool also for a name or a range that is taken.
  Status AddPool(IpPool pool);
  // Replaces the pool of that name. kInvalidPool if that would change its range or block size (S3),
  // kUnknownPool if there is none.
  Status UpdatePool(IpPool pool);
  // Null if there is none.
  const IpPool* FindPool(std::string_view name) const;
  const IpPool* PoolOf(Ipv4Address address) const;
  std::vector<const IpPool*> Pools() const;

  // --- Labels, not counted. What was never labelled has no labels.
  void SetNodeLabels(std::string_view node, Labels labels);
  void SetNamespaceLabels(std::string_view pod_namespace, Labels labels);
  bool SelectsNode(const IpPool& pool, std::string_view node) const;
  bool SelectsNamespace(const IpPool& pool, std::string_view pod_namespace) const;

  // --- Time. Frees every address whose cooling ended by `now`, longest released first, and
  // deletes the blocks that R4 wants deleted. Not counted: kube-controllers makes these writes.
  // Also the time at which FindReclaimable judges the age of blocks.
  void Advance(TimePoint now);

  // --- Affinities: one call each.
  std::vector<BlockAffinity> ListAffinities(std::string_view host);
  std::optional<BlockAffinity> ReadAffinity(std::string_view host, Ipv4Cidr cidr);
  // Creates or updates.
  void WriteAffinity(std::string_view host, Ipv4Cidr cidr, AffinityState state);
  void DeleteAffinity(std::string_view host, Ipv4Cidr cidr);

  // --- Blocks: one call each, but for the walks. Writers require an existing block.
  // Null if it does not exist; valid until the block is deleted.
  const AllocationBlock* ReadBlock(Ipv4Cidr cidr);
  // False if the block exists. Requires a block of the grid of a pool.
  bool CreateBlock(Ipv4Cidr cidr, std::string_view host, TimePoint now);
  // Writes the block unchanged: its sequence number grows.
  void TouchBlock(Ipv4Cidr cidr);
  // As many addresses as are available, up to `count`; no call if there are none. Writes the block,
  // not the handle.
  std::vector<Ipv4Address> Assign(Ipv4Cidr cidr, const AllocationOwner& owner, int count);
  // One address of the block, reserved or not. False, and no call, if it is not free. Writes the
  // block, not the handle.
  bool AssignAddress(Ipv4Cidr cidr, Ipv4Address address, const AllocationOwner& owner);
  // Requires at least one ordinal, all of them allocated. Writes the block, or deletes it if that
  // leaves it empty and without a host (R4). `cooldown` is the same in every call.
  void Release(Ipv4Cidr cidr, const std::vector<int>& ordinals, TimePoint now, Duration cooldown);
  // Takes the affinity off the block: an empty block is deleted, another one stays without (R7).
  void ReleaseBlock(Ipv4Cidr cidr);
  // Lists every block of the cluster: one list call of that many items.
  void ListBlocks() { CountList(statistics_.blocks); }
  // On a walk over the pool's blocks from index `start` upwards and round, wholly reserved ones
  // left out, the first that does not exist, or that belongs to `host` and has an address
  // available (C1, C2). Looks at a list made before, so no call.
  std::optional<Ipv4Cidr> FindClaimable(const IpPool& pool, uint32_t start,
                                        std::string_view host) const;
  // On the same walk the first empty block of another host that has an address available and was
  // claimed kReclaimMinAge or longer before the last Advance (C3); null if there is none. No call.
  const AllocationBlock* FindReclaimable(const IpPool& pool, uint32_t start,
                                         std::string_view host) const;
  // On the same walk, of which `walked` blocks are done and have nothing left, the next block with
  // an address available. One read for every block on the way, absent ones too (B1, B5); they count
  // as walked.
  std::optional<Ipv4Cidr> FindBorrowable(const IpPool& pool, uint32_t start, uint32_t& walked);

  // --- Handles.
  // One read. Blocks in order of address; empty if the handle does not exist.
  std::vector<HandleCount> ReadHandle(std::string_view handle);
  // Counts the handle up by `wanted` for a block that gives it `obtained` (A12). One read and one
  // write.
  void IncrementHandle(std::string_view handle, Ipv4Cidr block, int wanted, int obtained);
  // One write, and one read unless the caller has the handle already. Deletes the handle when
  // nothing is left (R5).
  void DecrementHandle(std::string_view handle, Ipv4Cidr block, int count, bool already_read);

  // --- Not counted.
  const IpamStatistics& statistics() const { return statistics_; }
  int64_t reservation_count() const { return static_cast<int64_t>(reservations_.size()); }
  int64_t handle_count() const { return static_cast<int64_t>(handles_.size()); }
  const AllocationBlock* PeekBlock(Ipv4Cidr cidr) const;
  // The block that holds the address, if it exists.
  const AllocationBlock* PeekBlockOf(Ipv4Address address) const;
  // Blocks whose affinity is `host`, by address.
  const std::vector<Ipv4Cidr>& BlocksOf(std::string_view host) const;
  const std::vector<BlockAffinity>& AffinitiesOf(std::string_view host) const;
  // Blocks of confirmed affinities: what may cause routes (C8).
  std::vector<Ipv4Cidr> ConfirmedBlocksOf(std::string_view host) const;
  // Every host with an affinity, by name.
  std::vector<std::string> Hosts() const;
  // The addresses a handle holds, in ascending order.
  std::vector<Ipv4Address> AddressesOf(std::string_view handle) const;
  // Every block, by pool and address.
  void ForEachBlock(const std::function<void(const AllocationBlock&)>& visit) const;

  // What of the invariants does not hold, in words; empty if all does. O(addresses).
  std::vector<std::string> CheckInvariants() const;

 private:
  struct PoolState {
    PoolState(IpPool p, uint32_t n)
        : pool(std::move(p)), absent(n), with_space(n), reclaimable(n) {}

    IpPool pool;
    std::map<uint32_t, AllocationBlock> blocks;
    std::vector<std::pair<uint32_t, uint32_t>> reserved;  // wholly reserved: [first, last], sorted
    IndexSet absent;                                      // no block, not wholly reserved
    IndexSet with_space;                                  // blocks with an address available
    IndexSet reclaimable;  // blocks with a host, empty, with an address available, not young
  };
  struct HostState {
    std::vector<BlockAffinity> affinities;
    std::vector<Ipv4Cidr> blocks;
  };
  struct CoolingAddress {
    TimePoint ends;
    Ipv4Cidr block;
    int ordinal;
  };
  using HostMap = std::map<std::string, HostState, std::less<>>;

  // Null if no pool contains the range.
  PoolState* StateOf(Ipv4Cidr cidr) const;
  const PoolState& StateOf(const IpPool& pool) const;
  HostState& HostOf(std::string_view host);
  void ForgetHostIfUnused(HostMap::iterator host);
  void RemoveBlockFromHost(const std::string& host, Ipv4Cidr cidr);
  std::vector<bool> ReservedOrdinals(Ipv4Cidr cidr) const;
  void Account(const AllocationBlock& block, int64_t sign);
  bool IsReclaimable(const AllocationBlock& block) const;
  void Index(PoolState& state, uint32_t index, const AllocationBlock& block);
  // Applies `change` to the block, keeps statistics and indices, and deletes the block if it ends
  // up empty and without a host.
  template <typename Change>
  void Mutate(Ipv4Cidr cidr, Change change);
  void CheckHandles(std::vector<std::string>& violations) const;

  const std::vector<Ipv4Cidr> reservations_;
  std::map<std::string, PoolState, std::less<>> pools_;
  std::map<Ipv4Address, PoolState*> by_network_;
  HostMap hosts_;
  std::map<std::string, std::vector<HandleCount>, std::less<>> handles_;
  int64_t unobtained_ = 0;  // counted by handles, never held (A12)
  std::map<std::string, Labels, std::less<>> node_labels_;
  std::map<std::string, Labels, std::less<>> namespace_labels_;
  std::deque<CoolingAddress> cooling_;                // in order of `ends`
  std::deque<std::pair<TimePoint, Ipv4Cidr>> young_;  // blocks created after mature_until_
  TimePoint mature_until_ = TimePoint::min();
  IpamStatistics statistics_;
  DatastoreCost cost_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CALICO_BLOCK_STORE_H_
