// Calico's address management: which address a pod or tunnel gets, which blocks a host owns, and
// how both are given back.
//
// One per cluster, over the cluster's BlockStore; each call names the host on whose behalf it is
// made. A host takes addresses from blocks it owns, then claims a free block, then takes over
// another host's empty one, then borrows single addresses from anybody, as far as the
// configuration allows. Rule ids (A1, C3, ...) are those of vectors/ and of the tests here.
//
// A call is atomic: conflicts of concurrent writers do not arise (nor does the error of having
// retried a hundred times), and what a writer leaves behind that died half way is repaired by the
// next call that meets it (A3, C6, C7). `now` never decreases from call to call.
//
// Every reply carries the datastore calls that the real client would have made, so that a host
// can charge their time. What they amount to: AutoAssign from an affine block, 5 calls before it
// looks at blocks, 2 for each block looked at, 3 to assign; a claim, one list of all blocks of the
// cluster and 3 writes; borrowing, one read for every block on the walk (B5). Not counted is how a
// release learns that its block's pool still selects the host (R6).
//
// Complexity here: O(log n) in blocks, hosts and handles, plus the host's own blocks and the
// addresses of one block.
// IPv4 only, Linux nodes only. Single-threaded. Source: Calico v3.32, libcalico-go/lib/ipam.
#ifndef CNISIM_CORE_IPAM_CALICO_CALICO_IPAM_H_
#define CNISIM_CORE_IPAM_CALICO_CALICO_IPAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ipam/calico/block_store.h"
#include "core/ipam/calico/ip_pool.h"
#include "core/net/ipv4.h"
#include "core/ports/clock.h"
#include "core/ports/result.h"

namespace cnisim {

// Blocks a host may own if neither configuration nor request says (A2).
inline constexpr int kDefaultMaxBlocksPerHost = 20;
// Longest ipCooldownSeconds.
inline constexpr Duration kMaxIpCooldown = std::chrono::seconds(1200);

// The cluster's IPAMConfiguration, with Calico's defaults, and what depends on its release.
struct CalicoIpamConfig {
  bool strict_affinity = false;
  bool auto_allocate_blocks = true;
  int max_blocks_per_host = 0;  // 0: not set
  Duration ip_cooldown{0};      // ipCooldownSeconds, later than v3.32
  // C3, which Calico has from v3.32.
  bool reclaim_empty_blocks = true;
};

// kInvalidConfig by A14: autoAllocateBlocks off or maxBlocksPerHost set needs strictAffinity; a
// limit is not negative; a cooldown is between 0 and kMaxIpCooldown.
Status ValidateConfig(const CalicoIpamConfig& config);

// Handles as Calico writes them (R8, 3.10): of a sandbox, of a pod, of a node's tunnel device.
std::string SandboxHandle(std::string_view container_id);
std::string WorkloadHandle(std::string_view pod_namespace, std::string_view pod);
std::string TunnelHandle(CalicoTunnel tunnel, std::string_view node);

// The pools a pod asks for by name, from its annotation ipv4pools, its namespace's, or the CNI
// configuration: the first that names any (P1).
std::vector<std::string> RequestedPools(std::vector<std::string> pod_annotation,
                                        std::vector<std::string> namespace_annotation,
                                        std::vector<std::string> cni_configuration);

struct AssignRequest {
  std::string host;
  std::string handle;
  std::string pod_namespace;
  std::string pod;
  std::optional<CalicoTunnel> tunnel;  // the address is for the host's tunnel device
  // Names, in order of preference (P1); empty: whatever pools select host and namespace (P2).
  std::vector<std::string> pools;
  int max_blocks = 0;                // limit of this request (A2); 0: not set
  int count = 1;                     // of addresses
  PoolUse use = PoolUse::kWorkload;  // P3
  int finest_block = kMaxBlockSize;  // pools of smaller blocks are left out (P5)
};

// For one certain address (3.7).
struct AssignAddressRequest {
  Ipv4Address address;
  AllocationOwner owner;       // owner.node is the host
  std::optional<PoolUse> use;  // nullopt: any
  // The handle may have a certain number of addresses only: having this one already is success.
  bool capped = false;
};

struct AssignedAddress {
  Ipv4Address address;
  Ipv4Cidr block;
  bool borrowed = false;       // other nodes need a /32 route to the host (B2)
  bool block_claimed = false;  // the host came to own `block` in this call
  std::string reclaimed_from;  // the host that owned it before (C3), or empty
};

struct AssignReply {
  std::vector<AssignedAddress> addresses;
  Status status;  // why there are fewer than asked for (A7)
  DatastoreCost cost;
};

struct ReleaseAddressRequest {
  Ipv4Address address;
  std::optional<std::string> handle;
  std::optional<uint64_t> sequence;
};

struct ReleaseReply {
  std::vector<Ipv4Address> released;
  std::vector<Ipv4Address> unallocated;  // were free or cooling already: no error (R2)
  std::vector<Error> errors;             // one for each block that refused (R1)
  DatastoreCost cost;
};

struct AffinityReleaseReply {
  std::vector<Ipv4Cidr> deleted;   // blocks that were empty and are gone
  std::vector<Ipv4Cidr> orphaned;  // blocks that live on without a host
  Status status;
  DatastoreCost cost;
};

class CalicoIpam {
 public:
  // `store` outlives this. Requires ValidateConfig(config).
  CalicoIpam(BlockStore& store, CalicoIpamConfig config);

  BlockStore& store() { return store_; }
  const BlockStore& store() const { return store_; }
  const CalicoIpamConfig& config() const { return config_; }

  // Addresses for the handle (P1 to P6, A1 to A14, C1 to C7, B1 to B6). Errors: kBlockLimit,
  // kPoolsExhausted, kAutoAllocateOff, all three perhaps with some of the addresses; kNoPools,
  // kUnknownPool, kInvalidRequest (no host, no handle, no number). A handle may hold several
  // addresses: asking twice gives two.
  AssignReply AutoAssign(const AssignRequest& request, TimePoint now);

  // One certain address, reserved or not; its block is claimed for the host if it does not exist
  // yet. Errors: kInvalidRequest, kUnknownPool, kNoPools (the pool is not for this use),
  // kBlockClaimed (with strict affinity: the block is not the host's), kAlreadyExists.
  AssignReply AssignAddress(const AssignAddressRequest& request, TimePoint now);

  // The address of a node's tunnel device: from an enabled pool of that mode that selects the node,
  // or for WireGuard of any mode. If the node has one already, that one (S6).
  AssignReply AssignTunnelAddress(std::string_view host, CalicoTunnel tunnel, TimePoint now);

  // Makes `host` the owner of one block (C5, C6). kBlockClaimed if it is another's or nobody's,
  // kInvalidPool if it is no block of a pool's grid.
  Status ClaimBlock(std::string_view host, Ipv4Cidr block, TimePoint now);

  // Every address of the handle. A handle that does not exist is success with nothing released.
  ReleaseReply Release(std::string_view handle, TimePoint now);
  // CNI DEL: the handles of the sandbox and of the pod (R8).
  ReleaseReply ReleasePod(std::string_view container_id, std::string_view pod_namespace,
                          std::string_view pod, TimePoint now);
  // By address. If one request of a block does not match, none of that block is released (R1).
  ReleaseReply ReleaseAddresses(const std::vector<ReleaseAddressRequest>& requests, TimePoint now);

  // Takes one block from its host (R7). With `require_empty`, kBlockNotEmpty leaves it alone.
  // kNoAffinity if the host has no affinity for it.
  AffinityReleaseReply ReleaseAffinity(std::string_view host, Ipv4Cidr block, bool require_empty,
                                       TimePoint now);
  // All blocks of a host, as on deletion of the node. Addresses stay with their handles, tunnel
  // addresses too (see garbage_collector.h).
  AffinityReleaseReply ReleaseHostAffinities(std::string_view host, TimePoint now);

  // Where a host's walk over a pool starts (C1): the same for every call, except with blocks of one
  // address, where it depends on the time instead of on the host.
  static uint32_t WalkStart(const IpPool& pool, std::string_view host, TimePoint now);

 private:
  using Pools = std::vector<const IpPool*>;

  Result<Pools> SelectPools(const AssignRequest& request) const;
  // Appends to `addresses` until they are as many as requested.
  Status AssignFrom(const Pools& pools, const AssignRequest& request, TimePoint now,
                    std::vector<AssignedAddress>& addresses);
  Result<AssignedAddress> AssignOne(const AssignAddressRequest& request, TimePoint now);
  // The block of an affinity of the host, made or repaired if need be; null if the affinity was
  // stale and is gone (A3, C7).
  const AllocationBlock* BlockOfAffinity(std::string_view host, Ipv4Cidr cidr, TimePoint now);
  // A pending affinity, then the block, then a confirmed affinity (C5, C6).
  Status Claim(std::string_view host, Ipv4Cidr cidr, TimePoint now);
  // A block for the host to claim; nullopt if there is none (C1 to C4).
  std::optional<Ipv4Cidr> FindUsableBlock(const Pools& pools, std::string_view host, TimePoint now,
                                          std::string& reclaimed_from);
  void ReleaseHandle(std::string_view handle, TimePoint now, ReleaseReply& reply);
  // Takes the block from the host if it is empty and its pool no longer selects the host.
  void ReleaseUnlessSelected(std::string_view host, Ipv4Cidr block);
  // The same for the host that owns the block, if there is one (R6).
  void ReleaseUnlessSelected(Ipv4Cidr block);
  void ReleaseOneAffinity(std::string_view host, Ipv4Cidr block, bool require_empty,
                          AffinityReleaseReply& reply);
  DatastoreCost CostSince(const DatastoreCost& before) const;

  BlockStore& store_;
  const CalicoIpamConfig config_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CALICO_CALICO_IPAM_H_
