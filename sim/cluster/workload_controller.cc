#include "sim/cluster/workload_controller.h"

#include <fmt/format.h>

#include <algorithm>

namespace cnisim {
namespace {

template <typename T>
const T* As(const WorkloadSpec& spec) {
  return std::get_if<T>(&spec.kind);
}

}  // namespace

WorkloadController::WorkloadController(ClusterContext& context, PodStore& pods,
                                       VpcResourceController& vpc_resources)
    : context_(context),
      pods_(pods),
      vpc_resources_(vpc_resources),
      kubelet_(context, pods, *this),
      scheduler_(context, pods,
                 [this](Pod& pod) {
                   vpc_resources_.OnPodBound(pod);
                   kubelet_.Start(pod);
                 }),
      rate_(context.scenario.constants.controller_rate,
            context.scenario.constants.controller_burst),
      workloads_(context.scenario.workloads.size()) {}

void WorkloadController::Start() {
  for (int w = 0; w < static_cast<int>(workloads_.size()); ++w) {
    const auto* deployment = As<DeploymentSpec>(Spec(w));
    if (deployment != nullptr && !deployment->start_at) Scale(w, deployment->replicas);
  }
}

void WorkloadController::StartMeasured() {
  for (int w = 0; w < static_cast<int>(workloads_.size()); ++w) {
    const WorkloadSpec& spec = Spec(w);
    if (const int misplaced = workloads_[static_cast<size_t>(w)].misplaced; misplaced > 0) {
      context_.TellFinding("placed-pods-do-not-fit", Severity::kWarning,
                           fmt::format("{} pods of {} had no room on the node that placedOn gives "
                                       "them; the scheduler placed them",
                                       misplaced, spec.name));
    }
    if (const auto* deployment = As<DeploymentSpec>(spec); deployment && deployment->start_at) {
      const int replicas = deployment->replicas;
      context_.simulation.Call(*deployment->start_at, [this, w, replicas] { Scale(w, replicas); });
    } else if (const auto* cron = As<CronJobSpec>(spec)) {
      workloads_[static_cast<size_t>(w)].arrivals =
          std::make_unique<RandomStream>(context_.seed, spec.name, "arrivals");
      if (cron->start_at) {
        context_.simulation.Call(*cron->start_at, [this, w] { RunBatch(w); });
      } else {
        NextBatch(w);
      }
    } else if (As<TraceSpec>(spec) != nullptr) {
      NextTracePod(w);
    }
  }
}

void WorkloadController::Scale(int workload, int replicas) {
  workloads_[static_cast<size_t>(workload)].desired = replicas;
  Reconcile(workload);
}

void WorkloadController::Reconcile(int workload) {
  Workload& state = workloads_[static_cast<size_t>(workload)];
  const int missing = state.desired - static_cast<int>(state.alive.size()) - state.creating;
  for (int i = 0; i < missing; ++i) {
    ++state.creating;
    CreateLater(workload, {});
  }
  const int surplus = static_cast<int>(state.alive.size()) - state.desired - state.deleting;
  if (surplus <= 0) return;
  // As a ReplicaSet: pods that do not run yet go first, then the youngest.
  std::vector<Pod*> victims = state.alive;
  std::erase_if(victims, [](const Pod* pod) { return pod->deletion_planned; });
  std::ranges::sort(victims, [](const Pod* a, const Pod* b) {
    const bool a_runs = a->phase == PodPhase::kRunning;
    const bool b_runs = b->phase == PodPhase::kRunning;
    return a_runs != b_runs ? b_runs : a->id > b->id;
  });
  victims.resize(static_cast<size_t>(surplus));
  state.deleting += surplus;
  for (Pod* victim : victims) {
    victim->deletion_planned = true;
    const PodId id = victim->id;
    context_.simulation.Call(NextCreation(), [this, id] {
      Pod* pod = pods_.Find(id);
      if (pod == nullptr || !pod->deletion_planned) return;
      Workload& owner = workloads_[static_cast<size_t>(pod->workload)];
      pod->deletion_planned = false;
      --owner.deleting;
      if (static_cast<int>(owner.alive.size()) > owner.desired) Delete(*pod);
    });
  }
}

TimePoint WorkloadController::NextCreation() {
  return context_.warming_up ? context_.Now() : rate_.Reserve(context_.Now());
}

void WorkloadController::CreateLater(int workload, std::string name) {
  context_.simulation.Call(NextCreation(), [this, workload, name = std::move(name)]() mutable {
    Workload& state = workloads_[static_cast<size_t>(workload)];
    --state.creating;
    const bool deployment = As<DeploymentSpec>(Spec(workload)) != nullptr;
    if (deployment && static_cast<int>(state.alive.size()) >= state.desired) return;
    Pod& pod = Create(workload, std::move(name));
    if (!PlaceAtStart(pod)) scheduler_.Submit(pod);
  });
}

bool WorkloadController::PlaceAtStart(Pod& pod) {
  const auto* deployment = As<DeploymentSpec>(Spec(pod.workload));
  Workload& state = workloads_[static_cast<size_t>(pod.workload)];
  if (!context_.warming_up || deployment == nullptr) return false;
  while (state.next_place < deployment->placed_on.size()) {
    const PlacedPods& on = deployment->placed_on[state.next_place];
    if (state.pods_at_place == on.pods) {
      ++state.next_place;
      state.pods_at_place = 0;
      continue;
    }
    ++state.pods_at_place;
    const auto group = static_cast<size_t>(on.node_group);
    Node* node = scheduler_.FindNode(
        on.node_group, fmt::format("{}-{}", context_.scenario.node_groups[group].name, on.number));
    if (node != nullptr && scheduler_.BindTo(pod, *node)) return true;
    ++state.misplaced;
    return false;
  }
  return false;
}

Pod& WorkloadController::Create(int workload, std::string name) {
  Workload& state = workloads_[static_cast<size_t>(workload)];
  ++state.created;
  if (name.empty()) name = fmt::format("{}-{}", Spec(workload).name, state.created);
  Pod& pod = pods_.Create(workload, std::move(name));
  pod.index_in_workload = state.alive.size();
  state.alive.push_back(&pod);
  DrawLifetime(pod);
  return pod;
}

void WorkloadController::DrawLifetime(Pod& pod) {
  const WorkloadSpec& spec = Spec(pod.workload);
  RandomStream stream(context_.seed, HashName(pod.name), HashName("lifetime"));
  if (const auto* cron = As<CronJobSpec>(spec)) {
    pod.lifetime = cron->active_for.Sample(stream);
  } else if (const auto* deployment = As<DeploymentSpec>(spec);
             deployment && deployment->pod_lifetime) {
    pod.lifetime = deployment->pod_lifetime->Sample(stream);
    if (context_.warming_up) {
      // At time zero it is somewhere in the middle of its life.
      const double left = stream.NextDouble();
      pod.lifetime =
          Duration(static_cast<int64_t>(static_cast<double>(pod.lifetime->count()) * left));
    }
  }
}

void WorkloadController::Leave(Pod& pod) {
  Workload& state = workloads_[static_cast<size_t>(pod.workload)];
  if (pod.deletion_planned) --state.deleting;
  pod.deletion_planned = false;
  std::vector<Pod*>& alive = state.alive;
  alive[pod.index_in_workload] = alive.back();
  alive[pod.index_in_workload]->index_in_workload = pod.index_in_workload;
  alive.pop_back();
}

void WorkloadController::Delete(Pod& pod) {
  if (pod.phase == PodPhase::kTerminating) return;
  const int workload = pod.workload;
  Leave(pod);
  if (pod.node == nullptr) {
    scheduler_.Forget(pod);
    pods_.SetPhase(pod, PodPhase::kTerminating);
    pods_.Remove(pod);
  } else {
    kubelet_.Stop(pod);
  }
  if (As<DeploymentSpec>(Spec(workload)) != nullptr) Reconcile(workload);
}

void WorkloadController::OnPodFinished(Pod& pod) {
  Leave(pod);
  if (As<DeploymentSpec>(Spec(pod.workload)) != nullptr) Reconcile(pod.workload);
}

void WorkloadController::OnPodGone(Pod& pod) {
  vpc_resources_.OnPodGone(pod);
  scheduler_.Release(pod);
  pods_.Remove(pod);
}

void WorkloadController::OnNodeReady(Node& node) {
  for (int w = 0; w < static_cast<int>(workloads_.size()); ++w) {
    if (As<DaemonSetSpec>(Spec(w)) == nullptr) continue;
    const std::optional<std::vector<int>>& only = Spec(w).pod.node_groups;
    if (only && std::ranges::find(*only, node.config().node_group) == only->end()) continue;
    Pod& pod = Create(w, fmt::format("{}-{}", Spec(w).name, node.name()));
    if (!scheduler_.BindTo(pod, node)) {
      context_.TellFinding("daemonset-pod-does-not-fit", Severity::kWarning,
                           fmt::format("{} does not fit on {}", pod.name, node.name()));
      Delete(pod);
    }
  }
}

void WorkloadController::RunBatch(int workload) {
  const auto& cron = std::get<CronJobSpec>(Spec(workload).kind);
  Workload& state = workloads_[static_cast<size_t>(workload)];
  ++state.batches;
  for (int i = 1; i <= cron.parallelism; ++i) {
    ++state.creating;
    CreateLater(workload, fmt::format("{}-{}-{}", Spec(workload).name, state.batches, i));
  }
  NextBatch(workload);
}

void WorkloadController::NextBatch(int workload) {
  const auto& cron = std::get<CronJobSpec>(Spec(workload).kind);
  Duration gap{};
  if (cron.every) {
    gap = *cron.every;
  } else {
    const auto mean = Duration(static_cast<int64_t>(1e9 / *cron.poisson_rate_per_second));
    gap = Distribution::Exponential(mean).value().Sample(
        *workloads_[static_cast<size_t>(workload)].arrivals);
  }
  context_.simulation.Call(context_.Now() + gap, [this, workload] { RunBatch(workload); });
}

void WorkloadController::NextTracePod(int workload) {
  const auto& trace = std::get<TraceSpec>(Spec(workload).kind);
  const size_t next = workloads_[static_cast<size_t>(workload)].next_trace_pod++;
  if (next >= trace.pods.size()) return;
  const TracePod& spec = trace.pods[next];
  context_.simulation.Call(spec.created, [this, workload, &spec] {
    Pod& pod = Create(workload, spec.name);
    pod.cpu_milli = spec.cpu_milli;
    pod.memory_mib = spec.memory_mib;
    pod.host_network = spec.host_network;
    if (pod.host_network) pod.wants_branch_eni = false;
    scheduler_.Submit(pod);
    if (spec.deleted) {
      const PodId id = pod.id;
      context_.simulation.Call(*spec.deleted, [this, id] {
        if (Pod* gone = pods_.Find(id)) Delete(*gone);
      });
    }
    NextTracePod(workload);
  });
}

}  // namespace cnisim
