#include "core/ipam/calico/garbage_collector.h"

#include <utility>

namespace cnisim {
namespace {

enum class Verdict { kValid, kCandidate, kLeaked };

// What the cluster says about one allocation, the candidate's age aside.
Verdict Judge(const AllocationOwner& owner, Ipv4Address address, const CalicoClusterView& view) {
  const bool node_exists = view.NodeExists(owner.node);
  if (owner.tunnel) return node_exists ? Verdict::kValid : Verdict::kLeaked;     // G4
  if (owner.pod.empty() || owner.pod_namespace.empty()) return Verdict::kValid;  // G8
  if (view.PodHasAddress(owner.pod_namespace, owner.pod, address)) return Verdict::kValid;
  return node_exists ? Verdict::kCandidate : Verdict::kLeaked;
}

void Add(DatastoreCost& sum, const DatastoreCost& cost) {
  sum.reads += cost.reads;
  sum.writes += cost.writes;
  sum.lists += cost.lists;
  sum.listed_items += cost.listed_items;
}

}  // namespace

GcReport CalicoGarbageCollector::Sync(TimePoint now, const CalicoClusterView& view) {
  ipam_.store().Advance(now);
  GcReport report;
  const Scan scan = ScanAllocations(now, view);
  ReleaseLeaks(scan, now, report);
  ReleaseEmptyBlocks(now, view, report);
  ReleaseMissingHosts(scan, now, view, report);
  return report;
}

CalicoGarbageCollector::Scan CalicoGarbageCollector::ScanAllocations(
    TimePoint now, const CalicoClusterView& view) {
  Scan scan;
  std::map<Ipv4Address, Candidate> candidates;
  ipam_.store().ForEachBlock([&](const AllocationBlock& block) {
    for (int ordinal = 0; ordinal < block.size(); ++ordinal) {
      const AllocationOwner* owner = block.OwnerOf(ordinal);
      if (owner == nullptr) continue;
      const Ipv4Address address = block.AddressOf(ordinal);
      const Verdict verdict = Judge(*owner, address, view);
      HandleScan& handle = scan.handles[owner->handle];
      if (verdict == Verdict::kValid) {
        handle.all_confirmed = false;
        ++scan.valid_by_node[owner->node];
        continue;
      }
      const uint64_t sequence = block.SequenceOf(ordinal);
      Candidate candidate{sequence, now};
      const auto seen = candidates_.find(address);
      if (seen != candidates_.end() && seen->second.sequence == sequence) candidate = seen->second;
      candidates.emplace(address, candidate);
      const bool confirmed = verdict == Verdict::kLeaked || (leak_grace_ > Duration::zero() &&
                                                             now - candidate.since >= leak_grace_);
      if (!confirmed) handle.all_confirmed = false;
      handle.leaks.push_back(ReleaseAddressRequest{address, owner->handle, sequence});
    }
  });
  candidates_ = std::move(candidates);
  return scan;
}

void CalicoGarbageCollector::ReleaseLeaks(const Scan& scan, TimePoint now, GcReport& report) {
  std::vector<ReleaseAddressRequest> requests;
  for (const auto& [name, handle] : scan.handles) {
    if (!handle.all_confirmed) continue;
    // Handles are released whole, so the one that would pass the limit waits for the next sync.
    if (!requests.empty() && requests.size() + handle.leaks.size() > kMaxReleasesPerSync) break;
    requests.insert(requests.end(), handle.leaks.begin(), handle.leaks.end());
  }
  if (requests.empty()) return;
  ReleaseReply reply = ipam_.ReleaseAddresses(requests, now);
  for (const Ipv4Address address : reply.released) candidates_.erase(address);
  report.released = std::move(reply.released);
  Add(report.cost, reply.cost);
}

void CalicoGarbageCollector::ReleaseEmptyBlocks(TimePoint now, const CalicoClusterView& view,
                                                GcReport& report) {
  std::map<Ipv4Cidr, TimePoint> empty_since;
  for (const std::string& host : ipam_.store().Hosts()) {
    if (!view.NodeExists(host)) continue;
    const std::vector<Ipv4Cidr> blocks = ipam_.store().BlocksOf(host);
    size_t left = blocks.size();
    for (const Ipv4Cidr cidr : blocks) {
      if (!ipam_.store().PeekBlock(cidr)->empty()) continue;
      const auto seen = empty_since_.find(cidr);
      const TimePoint since = seen == empty_since_.end() ? now : seen->second;
      const bool due = leak_grace_ > Duration::zero() && now - since > leak_grace_;
      if (!due || left < 2) {
        empty_since.emplace(cidr, since);
        continue;
      }
      const AffinityReleaseReply reply = ipam_.ReleaseAffinity(host, cidr, true, now);
      Add(report.cost, reply.cost);
      if (!reply.status) continue;
      report.blocks_released.push_back(cidr);
      --left;
    }
  }
  empty_since_ = std::move(empty_since);
}

void CalicoGarbageCollector::ReleaseMissingHosts(const Scan& scan, TimePoint now,
                                                 const CalicoClusterView& view, GcReport& report) {
  for (const std::string& host : ipam_.store().Hosts()) {
    if (view.NodeExists(host) || scan.valid_by_node.contains(host)) continue;
    const AffinityReleaseReply reply = ipam_.ReleaseHostAffinities(host, now);
    Add(report.cost, reply.cost);
    report.hosts_released.push_back(host);
  }
}

}  // namespace cnisim
