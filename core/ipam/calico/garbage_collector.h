// Finds addresses that nobody uses any more and gives them back: the IPAM part of Calico's
// kube-controllers.
//
// The owner calls Sync every sync_period() with a view of the cluster. An address is a candidate
// when its pod is missing or has another address. It is released once it has been a candidate for
// the grace period, or at once if its node is gone, and only together with all other addresses of
// its handle. Blocks that stay empty are taken from hosts that own more than one, and hosts that no
// longer exist lose theirs. Rules G1 to G8; G9 is about older releases.
//
// Candidates are kept per (address, sequence number): an address given out anew starts afresh.
// Complexity of Sync: O(allocated addresses x log). Single-threaded.
// Source: Calico v3.32, kube-controllers, node controller.
#ifndef CNISIM_CORE_IPAM_CALICO_GARBAGE_COLLECTOR_H_
#define CNISIM_CORE_IPAM_CALICO_GARBAGE_COLLECTOR_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/ipam/calico/calico_ipam.h"
#include "core/net/ipv4.h"
#include "core/ports/clock.h"

namespace cnisim {

// leakGracePeriod if it is not set, and the sync period if the grace is 0 (G1).
inline constexpr Duration kDefaultLeakGrace = std::chrono::minutes(15);
inline constexpr Duration kDefaultGcSyncPeriod = std::chrono::minutes(5);
// Releases in one sync at most (G7).
inline constexpr int kMaxReleasesPerSync = 10000;

// What the Kubernetes API says at the time of a sync.
class CalicoClusterView {
 public:
  virtual ~CalicoClusterView() = default;

  virtual bool NodeExists(std::string_view node) const = 0;
  // Whether the pod exists and has this address.
  virtual bool PodHasAddress(std::string_view pod_namespace, std::string_view pod,
                             Ipv4Address address) const = 0;
};

struct GcReport {
  std::vector<Ipv4Address> released;
  std::vector<Ipv4Cidr> blocks_released;    // empty blocks of living hosts (G5)
  std::vector<std::string> hosts_released;  // hosts that are gone (G6)
  DatastoreCost cost;
};

class CalicoGarbageCollector {
 public:
  // `ipam` outlives this. A grace of 0 turns off everything but the cleaning up after nodes that
  // are gone.
  explicit CalicoGarbageCollector(CalicoIpam& ipam, Duration leak_grace = kDefaultLeakGrace)
      : ipam_(ipam), leak_grace_(leak_grace) {}

  Duration sync_period() const {
    return leak_grace_ > Duration::zero() ? leak_grace_ / 2 : kDefaultGcSyncPeriod;
  }

  GcReport Sync(TimePoint now, const CalicoClusterView& view);

 private:
  struct Candidate {
    uint64_t sequence;
    TimePoint since;
  };
  struct HandleScan {
    std::vector<ReleaseAddressRequest> leaks;
    bool all_confirmed = true;
  };
  struct Scan {
    std::map<std::string, HandleScan> handles;
    std::map<std::string, int64_t> valid_by_node;
  };

  Scan ScanAllocations(TimePoint now, const CalicoClusterView& view);
  void ReleaseLeaks(const Scan& scan, TimePoint now, GcReport& report);
  void ReleaseEmptyBlocks(TimePoint now, const CalicoClusterView& view, GcReport& report);
  void ReleaseMissingHosts(const Scan& scan, TimePoint now, const CalicoClusterView& view,
                           GcReport& report);

  CalicoIpam& ipam_;
  const Duration leak_grace_;
  std::map<Ipv4Address, Candidate> candidates_;
  std::map<Ipv4Cidr, TimePoint> empty_since_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CALICO_GARBAGE_COLLECTOR_H_
