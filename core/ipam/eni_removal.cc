#include "core/ipam/eni_removal.h"

#include "core/ipam/backoff.h"
#include "core/ipam/eni_enumeration.h"
#include "core/ipam/schedulable.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BackoffRule kDetach{milliseconds(200), seconds(60), 15, 2, 12};
constexpr BackoffRule kDelete{milliseconds(500), seconds(60), 15, 2, 12};
constexpr Duration kPauseAfterDetach = seconds(2);

constexpr uint64_t kSaltDetach = 12;
constexpr uint64_t kSaltDelete = 13;

}  // namespace

bool WouldTryEniRemoval(const AgentState& agent, const Datastore& pool, const PoolStats& stats) {
  return ShouldTryRemoveEni(stats, agent.Policy(pool), pool.HasEmptyEni());
}

Task<void> TryRemoveEni(AgentState& agent, Datastore& pool) {
  const bool may = co_await MayChangeEnis(agent);
  if (!may) co_return;
  const PoolConfig policy = agent.Policy(pool);
  Datastore::RemovalTargets targets;
  targets.warm_ips = policy.warm_ip_target;
  targets.minimum_ips = policy.minimum_ip_target;
  targets.warm_prefixes = policy.warm_prefix_target;
  const bool no_warm_enis =
      !policy.ip_targets_defined() && !policy.prefix_mode && policy.warm_eni_target == 0;
  // Without a free address elsewhere, the pool would be low at once (zeroWarmEniOscillates).
  if (no_warm_enis && !agent.settings.quirks.zeroWarmEniOscillates) targets.warm_ips = 1;
  const std::optional<std::string> removed =
      pool.RemoveUnusedEni(targets, agent.Now(), agent.log());
  if (!removed) co_return;
  agent.metrics.card_written_last = pool.network_card();
  co_await FreeEni(agent, *removed);
}

Task<Status> DeleteEniWithRetries(AgentState& agent, std::string eni_id) {
  Backoff backoff(kDelete, agent.choice, kSaltDelete);
  Status deleted;
  while (backoff.Next()) {
    deleted = co_await agent.ports.ec2.DeleteNetworkInterface(eni_id);
    if (deleted || deleted.error().code == ec2_error::kEniNotFound) co_return Status();
    if (backoff.MoreToCome()) co_await agent.ports.clock.Sleep(backoff.Pause(agent.Now()));
  }
  co_return deleted;
}

Task<Status> DetachAndDeleteEni(AgentState& agent, std::string eni_id) {
  const Result<NetworkInterface> described = co_await DescribeEni(agent, eni_id);
  if (!described) {
    if (described.error().code == ec2_error::kEniNotFound) co_return Status();
    agent.metrics.CountAwsUtilsError(AwsUtilsError::kGetAttachmentId, described.error().code);
    co_return Fail("AttachmentNotFound", described.error().message);
  }
  const std::string& attachment = described->attachment_id;

  Backoff backoff(kDetach, agent.choice, kSaltDetach);
  Status detached;
  while (backoff.Next()) {
    detached = co_await agent.ports.ec2.DetachNetworkInterface(attachment);
    if (detached) break;
    if (backoff.MoreToCome()) co_await agent.ports.clock.Sleep(backoff.Pause(agent.Now()));
  }
  if (!detached) co_return Fail("DetachFailed", detached.error().message);
  co_await agent.ports.clock.Sleep(kPauseAfterDetach);
  const Status deleted = co_await DeleteEniWithRetries(agent, eni_id);
  if (!deleted) {
    agent.metrics.CountAwsUtilsError(AwsUtilsError::kFreeEniDelete, deleted.error().code);
    co_return Fail(std::string(kDeleteFailed), deleted.error().message);
  }
  co_return Status();
}

Task<void> FreeEni(AgentState& agent, std::string eni_id) {
  agent.activity = PoolActivity::kFreeing;
  agent_log::FreeingEni(agent.log(), eni_id);
  const Status freed = co_await DetachAndDeleteEni(agent, eni_id);
  PerLabel<IpamdError>& errors = agent.metrics.ipamd_errors;
  if (freed) {
    agent_log::EniFreed(agent.log(), eni_id);
  } else {
    ++errors[IpamdError::kDecreaseFreeEni];
  }
  // After a failed lookup or detach the ENI is still attached: reconcile will adopt it again.
  if (!freed && freed.error().code != kDeleteFailed) co_return;
  const auto primary = agent.primary_ips.find(eni_id);
  if (primary == agent.primary_ips.end()) co_return;
  const IpAddress ip = primary->second;
  agent.primary_ips.erase(primary);
  const Status removed = co_await agent.ports.host.DeleteEniRule(ip);
  if (!removed) ++errors[IpamdError::kFreeEniDeleteRules];
}

}  // namespace cnisim
