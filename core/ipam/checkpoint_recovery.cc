#include "core/ipam/checkpoint_recovery.h"

#include <algorithm>

#include "core/net/veth_name.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

// RS-3: an entry that names its pod is stale unless the pod's host interface is there.
bool IsStale(const Allocation& allocation, const std::vector<std::string>& links) {
  const IpamMetadata& pod = allocation.metadata;
  if (pod.pod_namespace.empty() || pod.pod_name.empty()) return false;
  const std::string suffix = VethSuffix(pod.pod_namespace, pod.pod_name);
  return std::ranges::none_of(links,
                              [&](const std::string& link) { return link.ends_with(suffix); });
}

Task<void> DeletePodRules(AgentState& agent, IpAddress pod) {
  const Status to_pod = co_await agent.ports.host.DeleteToPodRule(pod);
  const Status from_pod = co_await agent.ports.host.DeleteFromPodRule(pod);
  static_cast<void>(to_pod);  // failures are only logged by the real agent
  static_cast<void>(from_pod);
}

Task<Status> Recover(AgentState& agent, Datastore& pool) {
  CheckpointStore& checkpoint = agent.ports.checkpoints.ForCard(pool.network_card());
  Result<std::optional<std::vector<Allocation>>> loaded = checkpoint.Load();
  if (!loaded) co_return tl::unexpected(loaded.error());
  if (!*loaded) co_return Status();
  agent_log::RecoveryBegins(agent.log());
  Result<std::vector<std::string>> links = co_await agent.ports.host.ListLinks();
  if (!links) co_return tl::unexpected(links.error());

  std::vector<Allocation> alive;
  for (Allocation& allocation : **loaded) {
    if (!IsStale(allocation, *links)) {
      alive.push_back(std::move(allocation));
      continue;
    }
    agent_log::AllocationStale(agent.log(), allocation.key, allocation.ip);
    co_await DeletePodRules(agent, allocation.ip);
  }
  const Result<std::vector<Allocation>> dropped = pool.Restore(alive);
  if (!dropped) co_return tl::unexpected(dropped.error());
  for (const Allocation& allocation : *dropped) {
    agent_log::AllocationUnknown(agent.log(), allocation.key, allocation.ip);
  }
  if (agent.log().enabled(LogLevel::kDebug)) {
    for (const Allocation& allocation : alive) {
      const auto held = pool.Find(allocation.key);
      if (held) agent_log::Recovered(agent.log(), allocation.key, held->eni_id, held->ip);
    }
  }
  pool.RewriteCheckpoint();
  co_return Status();
}

}  // namespace

Task<Status> RecoverFromCheckpoint(AgentState& agent) {
  for (const auto& pool : agent.pools) {
    const Status recovered = co_await Recover(agent, *pool);
    if (!recovered) co_return recovered;
  }
  co_return Status();
}

Task<void> ReleaseAddressesOfGonePods(AgentState& agent) {
  // Before the links are listed: pods that are added meanwhile have theirs a little later.
  std::vector<std::pair<Datastore*, Allocation>> restored;
  for (const auto& pool : agent.pools) {
    for (Allocation& allocation : pool->AllAllocations()) {
      restored.emplace_back(pool.get(), std::move(allocation));
    }
  }
  const Result<std::vector<std::string>> links = co_await agent.ports.host.ListLinks();
  if (!links) co_return;
  for (const auto& [pool, allocation] : restored) {
    if (!IsStale(allocation, *links)) continue;
    if (!pool->Unassign(allocation.key, agent.Now())) continue;  // its DEL came after all
    agent_log::AllocationStale(agent.log(), allocation.key, allocation.ip);
    co_await DeletePodRules(agent, allocation.ip);
  }
}

}  // namespace cnisim
