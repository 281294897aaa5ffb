#include "core/ipam/agent.h"

#include "core/ipam/checkpoint_recovery.h"
#include "core/ipam/leaked_enis.h"
#include "core/ipam/node_init.h"
#include "core/ipam/pool_manager.h"
#include "core/ipam/reconciler.h"
#include "core/ipam/refresh.h"
#include "core/ipam/release.h"
#include "core/ipam/trunk.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

constexpr Duration kTrunkPoll = std::chrono::seconds(5);

// LP-1 without pool updates.
Task<void> ReconcileOnly(AgentState& agent) {
  for (;;) {
    co_await agent.ports.pacer.HalfPeriod();
    if (ReconcileDue(agent)) co_await Reconcile(agent);
  }
}

// V6-3: IPv6 has no pool loop.
Task<void> WaitForTrunk(AgentState& agent) {
  while (agent.WaitsForTrunk()) {
    co_await RequestTrunk(agent);
    co_await agent.ports.clock.Sleep(kTrunkPoll);
    co_await AdoptTrunk(agent);
  }
}

// LP-1: sleep, update, sleep, reconcile if due. Idle stretches are offered to the pacer.
Task<void> UpdateAndReconcile(AgentState& agent) {
  PoolLoopPacer& pacer = agent.ports.pacer;
  bool idle = false;
  uint64_t idle_version = 0;
  TimePoint next_change;
  for (;;) {
    IdleEnd idle_end;
    // Only a single pool, whose CIDRs nobody else changes and whose reconcile metadata alone can
    // answer, may be left alone.
    const bool may_skip = idle && agent.pools.size() == 1 && agent.PoolsVersion() == idle_version &&
                          !agent.WaitsForTrunk() && !agent.default_pool().DelMayGiveUpCidrs() &&
                          !ReconcileWouldVerify(agent);
    if (may_skip) {
      const Datastore& pool = agent.default_pool();
      IdleOffer offer;
      offer.last_pool_action = agent.last_pool_action;
      offer.next_decision_change = next_change;
      offer.pool_digest = pool.digest();
      offer.enis = pool.enis().size();
      idle_end = co_await pacer.SkipIdle(offer);
      agent.last_pool_action = idle_end.last_pool_action;
    } else {
      co_await pacer.HalfPeriod();
    }
    if (!idle_end.at_reconcile_check) {
      idle_version = agent.PoolsVersion();
      const bool acted = co_await UpdatePool(agent);
      idle = !acted;
      next_change = NextDecisionChange(agent);
      co_await pacer.HalfPeriod();
    }
    if (ReconcileDue(agent)) co_await Reconcile(agent);
  }
}

}  // namespace

void Agent::StartFlow(Task<void> flow) {
  std::erase_if(flows_, [](const Task<void>& task) { return task.done(); });
  flows_.push_back(std::move(flow));
  flows_.back().Start();
}

Task<Status> Agent::Init() {
  const TimePoint begun = state_.Now();
  const ActionInProgress running(state_.metrics, IpamdAction::kNodeInit);
  const Status ready = co_await InitNode();
  const double took = ToSeconds(state_.Now() - begun);
  AgentMetrics::StartupOutcome outcome;
  outcome.success = ready.has_value();
  outcome.with_api_server = true;  // without one, node init fails here
  if (!ready) outcome.failure = StartupFailure::kNodeInit;
  state_.metrics.node_init_seconds[outcome.success].Observe(took);
  state_.metrics.startup_seconds[outcome].Observe(took);
  co_return ready;
}

Task<Status> Agent::InitNode() {
  const Status begun = co_await BeginNodeInit(state_);
  if (!begun) co_return begun;
  const AgentSettings& settings = state_.settings;
  if (!settings.leaked_eni_cleanup_disabled()) StartFlow(RunLeakedEniCleanup(state_));
  const Status entered = co_await EnterAttachedEnis(state_);
  if (!entered) co_return entered;
  StartFlow(KeepVpcCidrsFresh(state_));
  if (!settings.provisioning_disabled()) {
    const Status groups = co_await RefreshSecurityGroups(state_);
    if (!groups) co_return groups;
    StartFlow(KeepSecurityGroupsFresh(state_));
  }
  const Status finished = co_await FinishNodeInit(state_);
  if (!finished) co_return finished;
  if (!settings.quirks.missedDelsLeak) StartFlow(ReleaseAddressesOfGonePods(state_));
  co_return Status();
}

Task<void> Agent::Run() {
  agent_log::PoolTargets targets;
  targets.max_pods = state_.max_pods;
  targets.warm_eni = state_.settings.warm_eni_target;
  targets.warm_ip = state_.settings.warm_ip_target;
  targets.minimum_ip = state_.settings.minimum_ip_target;
  targets.warm_prefix = state_.settings.warm_prefix_target;
  agent_log::ManagerStarts(state_.log(), targets);
  if (state_.settings.enable_ipv6) {
    co_await WaitForTrunk(state_);
  } else if (state_.settings.provisioning_disabled()) {
    co_await ReconcileOnly(state_);
  } else {
    co_await UpdateAndReconcile(state_);
  }
}

Task<Result<std::vector<PodAddress>>> Agent::DelPod(IpamKey key) {
  const Result<std::vector<ReleasedOnCard>> released = UnassignPodAddresses(state_, key);
  if (!released) co_return tl::unexpected(released.error());
  std::vector<PodAddress> addresses;
  for (const ReleasedOnCard& one : *released) {
    addresses.push_back(one.released.address);
    if (one.released.eni_excluded && one.released.cidr_unused) {
      StartFlow(ForgetCidrOfExcludedEni(state_, one.pool->network_card(),
                                        one.released.address.eni_id, one.released.cidr));
    }
    StartFlow(ReleaseAfterDel(state_, *one.pool, one.released));
  }
  co_return addresses;
}

}  // namespace cnisim
