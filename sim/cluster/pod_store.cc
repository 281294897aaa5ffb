#include "sim/cluster/pod_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cluster/network_model.h"
#include "sim/cluster/node.h"

namespace cnisim {
namespace {

// What happened before the measured run is told as of its start.
TimePoint NotBeforeStart(TimePoint at) { return std::max(at, kTimeZero); }

std::optional<TimePoint> NotBeforeStart(std::optional<TimePoint> at) {
  if (at) at = NotBeforeStart(*at);
  return at;
}

}  // namespace

ClusterPod ClusterPodOf(const Pod& pod) {
  return {fmt::format("{}/{}", pod.node->NamespaceOf(pod), pod.name), pod.node->name(),
          pod.sandbox_id, *pod.ip};
}

Pod& PodStore::Create(int workload, std::string name) {
  const WorkloadSpec& spec = context_.scenario.workloads[static_cast<size_t>(workload)];
  auto pod = std::make_unique<Pod>();
  pod->id = next_id_++;
  pod->workload = workload;
  pod->name = std::move(name);
  pod->cpu_milli = spec.pod.cpu_milli;
  pod->memory_mib = spec.pod.memory_mib;
  pod->host_network = spec.pod.host_network;
  pod->wants_branch_eni = !spec.pod.security_groups.empty();
  pod->created = context_.Now();
  Pod& created = *pod;
  pods_.emplace(created.id, std::move(pod));
  TellGauge(Metric::kPodsPending, ++pending_);
  return created;
}

Pod* PodStore::Find(PodId id) {
  const auto it = pods_.find(id);
  return it == pods_.end() ? nullptr : it->second.get();
}

void PodStore::Remove(Pod& pod) {
  TellPod(pod, /*ended=*/true);
  pods_.erase(pod.id);
}

void PodStore::SetPhase(Pod& pod, PodPhase phase) {
  const auto is_pending = [](PodPhase p) {
    return p == PodPhase::kPending || p == PodPhase::kStarting;
  };
  const int running = (phase == PodPhase::kRunning) - (pod.phase == PodPhase::kRunning);
  const int pending = is_pending(phase) - is_pending(pod.phase);
  pod.phase = phase;
  running_ += running;
  pending_ += pending;
  if (running != 0) TellGauge(Metric::kPodsRunning, running_);
  if (pending != 0) TellGauge(Metric::kPodsPending, pending_);
}

void PodStore::TakeAddress(Pod& pod, IpAddress ip, const std::string& eni) {
  pod.ip = pod.last_ip = ip;
  pod.ip_since = context_.Now();
  pod.disconnected = false;
  ++context_.address_changes;
  pod.eni = eni;
  if (context_.network_model != nullptr) {
    context_.network_model->OnPodConnected(ClusterPodOf(pod));
  }
}

void PodStore::ReturnAddress(Pod& pod) {
  if (!pod.ip) return;
  TellTenure(pod, /*ended=*/true);
  std::optional<ClusterPod> gone;
  if (context_.network_model != nullptr) gone = ClusterPodOf(pod);
  pod.ip.reset();
  ++context_.address_changes;
  if (gone) context_.network_model->OnPodGone(*gone);
}

void PodStore::CountUnschedulable(int change) {
  unschedulable_ += change;
  TellGauge(Metric::kPodsUnschedulable, unschedulable_);
}

void PodStore::TellLevels() {
  TellGauge(Metric::kPodsRunning, running_);
  TellGauge(Metric::kPodsPending, pending_);
  TellGauge(Metric::kPodsUnschedulable, unschedulable_);
}

void PodStore::TellGauge(Metric metric, int level) {
  if (context_.observer != nullptr) {
    context_.observer->OnGauge(metric, kClusterEntity, context_.Now(), level);
  }
}

void PodStore::TellTenure(const Pod& pod, bool ended) {
  if (context_.observer == nullptr) return;
  AddressTenure tenure;
  tenure.ip = *pod.ip;
  tenure.pod = pod.id;
  tenure.node = pod.node->entity();
  tenure.from = NotBeforeStart(pod.ip_since);
  if (ended) tenure.to = context_.Now();
  context_.observer->OnTenure(tenure);
}

void PodStore::TellPod(const Pod& pod, bool ended) {
  if (context_.observer == nullptr) return;
  const WorkloadSpec& spec = context_.scenario.workloads[static_cast<size_t>(pod.workload)];
  const bool before_start = pod.running && *pod.running < kTimeZero;
  PodRecord record;
  record.pod = pod.id;
  record.ns = spec.pod.ns;
  record.name = pod.name;
  record.workload = context_.workloads[static_cast<size_t>(pod.workload)];
  record.node = pod.node != nullptr ? pod.node->entity() : kNoEntity;
  record.host_network = pod.host_network;
  record.eni = pod.eni;
  record.ip = pod.last_ip;
  record.created = NotBeforeStart(pod.created);
  record.scheduled = NotBeforeStart(pod.scheduled);
  if (!before_start) record.first_add = NotBeforeStart(pod.first_add);
  record.ip_assigned = NotBeforeStart(pod.ip_assigned);
  record.running = NotBeforeStart(pod.running);
  if (ended) record.deleted = context_.Now();
  record.add_attempts = before_start ? 0 : pod.add_attempts;
  record.wait_reason = before_start ? WaitReason::kNone : pod.wait_reason;
  context_.observer->OnPod(record);

  // What it was still waiting for, when it went or the run ended, took at least so long.
  const TimePoint now = context_.Now();
  if (record.first_add && !record.ip_assigned) {
    context_.observer->OnSample(Metric::kPodIpWaitSeconds, record.workload, now,
                                now - *record.first_add, /*end_of_run=*/true);
  }
  if (!record.running) {
    context_.observer->OnSample(Metric::kPodStartSeconds, record.workload, now,
                                now - record.created, /*end_of_run=*/true);
  }
}

std::vector<Pod*> PodStore::All() const {
  std::vector<Pod*> all;
  all.reserve(pods_.size());
  for (const auto& [id, pod] : pods_) all.push_back(pod.get());
  std::ranges::sort(all, {}, &Pod::id);
  return all;
}

void PodStore::TellRemaining() {
  for (const Pod* pod : All()) {
    if (pod->ip) TellTenure(*pod, /*ended=*/false);
    TellPod(*pod, /*ended=*/false);
  }
}

void PodStore::StopFlows() {
  for (const auto& [id, pod] : pods_) pod->flow = Task<void>();
}

}  // namespace cnisim
