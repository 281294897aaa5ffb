#include "sim/cluster/kubelet.h"

#include <fmt/format.h>

#include <algorithm>

namespace cnisim {

Duration Kubelet::Sample(const Distribution& distribution, RandomStream& stream) const {
  const Duration sample = distribution.Sample(stream);
  return context_.warming_up ? Duration::zero() : sample;
}

TimePoint Kubelet::AfterApiCalls(Pod& pod, double calls) const {
  if (context_.warming_up || calls < 1) return context_.Now();
  return pod.node->kubelet_api().Reserve(context_.Now(), static_cast<int>(calls));
}

// 64 hex digits, as container runtimes make them; new for every attempt.
std::string Kubelet::SandboxId(const Pod& pod) const {
  const uint64_t root = HashMix(
      context_.seed ^ HashMix(uint64_t{pod.id} << 20 | static_cast<uint64_t>(pod.add_attempts)));
  return fmt::format("{:016x}{:016x}{:016x}{:016x}", root, HashMix(root + 1), HashMix(root + 2),
                     HashMix(root + 3));
}

void Kubelet::Start(Pod& pod) {
  pods_.SetPhase(pod, PodPhase::kStarting);
  pod.flow = Run(pod);
  pod.flow.Start();
}

void Kubelet::Stop(Pod& pod) {
  pods_.SetPhase(pod, PodPhase::kTerminating);
  pod.flow = TakeDown(pod);
  pod.flow.Start();
}

Task<void> Kubelet::Run(Pod& pod) {
  Simulation& simulation = context_.simulation;
  const Constants& constants = context_.scenario.constants;
  RandomStream stream(context_.seed, HashName(pod.name), HashName("kubelet"));

  co_await simulation.Sleep(Sample(constants.kubelet_sync, stream));
  if (pod.host_network) {
    co_await simulation.Sleep(Sample(constants.kubelet_sandbox, stream));
  } else {
    co_await SetUpNetwork(pod, stream);
  }
  co_await simulation.SleepUntil(AfterApiCalls(pod, constants.kubelet_api_calls_per_start));
  co_await simulation.Sleep(Sample(constants.kubelet_container_start, stream));

  pod.running = context_.Now();
  pods_.SetPhase(pod, PodPhase::kRunning);
  if (context_.observer != nullptr) {
    context_.observer->OnSample(
        Metric::kPodStartSeconds, context_.workloads[static_cast<size_t>(pod.workload)],
        context_.Now(), context_.Now() - std::max(pod.created, kTimeZero), false);
  }
  if (!pod.lifetime) co_return;
  co_await simulation.SleepUntil(std::max(context_.Now(), kTimeZero) + *pod.lifetime);
  pods_.SetPhase(pod, PodPhase::kTerminating);
  events_.OnPodFinished(pod);
  co_await TakeDown(pod);
}

Task<void> Kubelet::SetUpNetwork(Pod& pod, RandomStream& stream) {
  Simulation& simulation = context_.simulation;
  const Constants& constants = context_.scenario.constants;
  Node& node = *pod.node;
  const EntityId workload = context_.workloads[static_cast<size_t>(pod.workload)];
  for (;;) {
    co_await simulation.Sleep(Sample(constants.kubelet_sandbox, stream));
    ++pod.add_attempts;
    pod.sandbox_id = SandboxId(pod);
    const TimePoint add_started = context_.Now();
    if (!pod.first_add) pod.first_add = add_started;
    co_await simulation.Sleep(Sample(constants.cni_exec, stream));
    const Result<PodNetwork> added = co_await node.network->Add(pod);
    if (added) {
      pod.ip_assigned = context_.Now();
      pods_.TakeAddress(pod, added->ip, added->eni);
      if (context_.observer != nullptr) {
        context_.observer->OnSample(Metric::kPodIpWaitSeconds, workload, context_.Now(),
                                    context_.Now() - std::max(*pod.first_add, kTimeZero), false);
      }
      const Duration hold = Sample(constants.cni_rtnl_hold, stream);
      if (hold > Duration::zero()) co_await simulation.SleepUntil(node.HoldRtnl(hold));
      if (context_.observer != nullptr) {
        context_.observer->OnSample(Metric::kPodAddSeconds, workload, context_.Now(),
                                    context_.Now() - std::max(add_started, kTimeZero), false);
      }
      co_return;
    }
    pod.wait_reason = node.network->ExplainFailure(pod);
    // The container runtime takes the failed sandbox down again.
    co_await node.network->Del(pod);
    if (context_.observer != nullptr) {
      context_.observer->OnCount(Metric::kSandboxFailuresTotal, workload, context_.Now(), 1);
    }
    // The kubelet's own pace holds in the warm-up too.
    const Duration delay = constants.kubelet_sandbox_retry.Sample(stream);
    const auto jitter_range = static_cast<int64_t>(static_cast<double>(delay.count()) *
                                                   constants.kubelet_sandbox_retry_jitter);
    const double u = stream.NextDouble();
    const auto jitter = Duration(static_cast<int64_t>(u * static_cast<double>(jitter_range)));
    co_await simulation.Sleep(delay + jitter);
  }
}

Task<void> Kubelet::TakeDown(Pod& pod) {
  Simulation& simulation = context_.simulation;
  RandomStream stream(context_.seed, HashName(pod.name), HashName("kill"));
  co_await simulation.Sleep(Sample(context_.scenario.constants.kubelet_kill, stream));
  // Also of a sandbox whose ADD was still under way.
  if (!pod.sandbox_id.empty() && !pod.host_network) co_await pod.node->network->Del(pod);
  if (pod.ip) pods_.ReturnAddress(pod);
  // Its address is free, but the API server still has the pod, and the node its slot.
  co_await simulation.SleepUntil(
      AfterApiCalls(pod, context_.scenario.constants.kubelet_api_calls_per_stop));
  // The pod goes in an event of its own: this flow belongs to it.
  PodEvents& events = events_;
  PodStore& pods = pods_;
  const PodId id = pod.id;
  simulation.Call(context_.Now(), [&events, &pods, id] { events.OnPodGone(*pods.Find(id)); });
}

}  // namespace cnisim
