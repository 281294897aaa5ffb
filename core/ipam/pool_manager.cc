#include "core/ipam/pool_manager.h"

#include <algorithm>
#include <utility>

#include "core/ipam/eni_allocation.h"
#include "core/ipam/eni_removal.h"
#include "core/ipam/eni_setup.h"
#include "core/ipam/release.h"
#include "core/ipam/schedulable.h"
#include "core/ipam/trunk.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

using std::chrono::seconds;

constexpr Duration kInsufficientCooldown = seconds(120);  // UP-2, inclusive
constexpr Duration kDecreaseInterval = seconds(30);       // DN-2

constexpr uint64_t kWalkGrow = 21;
constexpr uint64_t kWalkShrink = 22;
constexpr uint64_t kWalkShrinkCidrs = 23;

bool IsInsufficient(const Error& error) {
  return error.code == ec2_error::kInsufficientFreeAddresses ||
         error.code == ec2_error::kInsufficientCidrBlocks;
}

bool RecentlyInsufficient(const AgentState& agent) {
  return agent.Now() - agent.last_insufficient <= kInsufficientCooldown;
}

void NoteInsufficient(AgentState& agent, const Error& error) {
  agent_log::SubnetExhausted(agent.log(), error);
  agent.last_insufficient = agent.Now();
}

agent_log::PoolFigures FiguresOf(const PoolStats& stats, const PoolConfig& policy) {
  agent_log::PoolFigures figures;
  figures.prefix_mode = policy.prefix_mode;
  figures.total_ips = static_cast<int>(stats.total_ips);
  figures.total_prefixes = stats.total_prefixes;
  figures.assigned_ips = static_cast<int>(stats.assigned_ips);
  figures.cooling_ips = static_cast<int>(stats.cooling_ips);
  figures.max_ips_per_eni = policy.ips_per_eni();
  return figures;
}

Task<Result<AssignedAddresses>> AssignOnce(AgentState& agent, std::string eni_id, int quantity) {
  AssignPrivateIpAddressesRequest request;
  request.network_interface_id = std::move(eni_id);
  const int capped = std::min(quantity, agent.SlotsPerEni());
  (agent.settings.prefix_delegation ? request.ipv4_prefix_count
                                    : request.secondary_private_ip_address_count) = capped;
  agent_log::Allocating(agent.log(), capped, request.network_interface_id);
  co_return co_await agent.ports.ec2.AssignPrivateIpAddresses(request);
}

// UP-5, UP-6: one call; on failure one more for a single item; and if EC2 says that the ENI is
// full, the datastore was out of step and takes over what EC2 knows.
Task<Status> AssignTo(AgentState& agent, Datastore& pool, std::string eni_id, int quantity) {
  Result<AssignedAddresses> assigned = co_await AssignOnce(agent, eni_id, quantity);
  if (!assigned && assigned.error().code != ec2_error::kPrivateIpLimitExceeded) {
    assigned = co_await AssignOnce(agent, eni_id, 1);
  }
  PerLabel<IpamdError>& errors = agent.metrics.ipamd_errors;
  if (assigned) {
    if (agent.settings.prefix_delegation) {
      agent_log::AllocatedPrefixes(agent.log(), static_cast<int>(assigned->prefixes.size()));
    } else {
      agent_log::AllocatedIps(agent.log(), static_cast<int>(assigned->ips.size()));
    }
    EnterAddresses(agent, pool, eni_id, assigned->ips, assigned->prefixes);
    co_return Status();
  }
  if (assigned.error().code != ec2_error::kPrivateIpLimitExceeded) {
    ++errors[IpamdError::kIncreaseAllocAddresses];
    co_return tl::unexpected(assigned.error());
  }
  const Result<NetworkInterface> described = co_await DescribeEni(agent, eni_id);
  if (!described) {
    ++errors[agent.settings.prefix_delegation ? IpamdError::kIncreaseGetPrefixes
                                              : IpamdError::kIncreaseGetAddresses];
    co_return tl::unexpected(described.error());
  }
  EnterAddresses(agent, pool, eni_id, described->secondary_ips, described->ipv4_prefixes);
  co_return Status();
}

enum class GrowResult { kDone, kNoCandidate, kSubnetsExhausted, kAborted };

// UP-3 to UP-8: the first ENI with room that EC2 gives something for.
Task<GrowResult> GrowExistingEni(AgentState& agent, Datastore& pool) {
  const PoolConfig policy = agent.Policy(pool);
  struct Candidate {
    std::string eni_id;
    int used_slots;
  };
  std::vector<Candidate> candidates;
  for (const Datastore::Eni* eni : pool.AllocatableEnis(agent.SlotsPerEni())) {
    // Under custom networking the primary ENI is in the wrong subnet for pods.
    if (eni->attributes.is_primary && agent.settings.custom_networking) continue;
    candidates.push_back({eni->attributes.id, static_cast<int>(eni->cidrs.size())});
  }
  const size_t n = candidates.size();
  const size_t first = agent.choice.Start(n, agent.Now(), kWalkGrow);
  GrowResult result = GrowResult::kNoCandidate;
  for (size_t i = 0; i < n; ++i) {
    const Candidate& candidate = candidates[(first + i) % n];
    const PoolStats stats = pool.Stats(agent.Now());
    const int quantity = AssignQuantity(stats, policy, candidate.used_slots);
    if (quantity < 1) continue;
    agent.activity = PoolActivity::kAssigning;
    const Status assigned = co_await AssignTo(agent, pool, candidate.eni_id, quantity);
    if (assigned) {
      agent.last_pool_action = agent.Now();
      agent.last_ec2_error = {};
      co_return GrowResult::kDone;
    }
    agent.last_ec2_error = assigned.error();
    if (agent.settings.subnet_discovery && IsInsufficient(assigned.error())) {
      result = GrowResult::kSubnetsExhausted;
      continue;
    }
    if (IsInsufficient(assigned.error())) NoteInsufficient(agent, assigned.error());
    co_return GrowResult::kAborted;
  }
  co_return result;
}

Task<void> DecreasePool(AgentState& agent, Datastore& pool) {
  agent.activity = PoolActivity::kFreeing;
  const ActionInProgress running(agent.metrics, IpamdAction::kDecreasePool);
  agent_log::DecreaseStarts(agent.log(), pool.network_card());
  const PoolStats stats = pool.Stats(agent.Now());
  int budget = ReleaseBudget(stats, agent.Policy(pool));
  // Leftover addresses do not count against a budget of prefixes, unless that quirk is wanted.
  const bool prefixes_only =
      pool.mode() == PoolMode::kPrefixes && !agent.settings.quirks.scaleDownSpendsOnLeftovers;
  std::vector<std::string> enis;
  for (const auto& eni : pool.enis()) enis.push_back(eni->attributes.id);
  const size_t n = enis.size();
  const size_t first = agent.choice.Start(n, agent.Now(), kWalkShrink);
  for (size_t i = 0; i < n && budget > 0; ++i) {
    const std::string& eni_id = enis[(first + i) % n];
    std::vector<IpCidr> cidrs = prefixes_only
                                    ? pool.FreeableCidrs(eni_id, PoolMode::kPrefixes, agent.Now())
                                    : pool.FreeableCidrs(eni_id, agent.Now());
    if (cidrs.empty()) continue;
    const size_t first_cidr = agent.choice.Start(cidrs.size(), agent.Now(), kWalkShrinkCidrs);
    std::rotate(cidrs.begin(), cidrs.begin() + static_cast<std::ptrdiff_t>(first_cidr),
                cidrs.end());
    if (static_cast<int>(cidrs.size()) > budget) cidrs.resize(static_cast<size_t>(budget));
    budget -= static_cast<int>(cidrs.size());
    co_await ReleaseCidrs(agent, pool, eni_id, std::move(cidrs), RememberRelease::kYes);
  }
  if (prefixes_only) {
    for (const std::string& eni_id : enis) {
      std::vector<IpCidr> leftovers =
          pool.FreeableCidrs(eni_id, PoolMode::kSecondaryIps, agent.Now());
      co_await ReleaseCidrs(agent, pool, eni_id, std::move(leftovers), RememberRelease::kYes);
    }
  }
  agent.last_decrease = agent.last_pool_action = agent.Now();
}

Task<void> UpdateOne(AgentState& agent, Datastore& pool, bool too_low) {
  const PoolStats stats = pool.Stats(agent.Now());
  const PoolConfig policy = agent.Policy(pool);
  const bool try_removal = WouldTryEniRemoval(agent, pool, stats);
  if (too_low) {
    agent_log::PoolTooLow(agent.log(), pool.network_card());
    const Status increased = co_await IncreasePool(agent, pool);
    static_cast<void>(increased);  // the next update tries again
  } else if (IsTooHigh(stats, policy)) {
    const Duration since_last = agent.Now() - agent.last_decrease;
    if (since_last > kDecreaseInterval) {
      co_await DecreasePool(agent, pool);
    } else {
      agent_log::DecreaseSkipped(agent.log(), since_last);
    }
  }
  if (try_removal) co_await TryRemoveEni(agent, pool);
}

}  // namespace

Task<Status> IncreasePool(AgentState& agent, Datastore& pool) {
  const bool may = co_await MayChangeEnis(agent);
  if (!may) co_return Status();
  if (RecentlyInsufficient(agent)) {
    agent_log::SubnetExhaustedLately(agent.log());
    co_return Status();
  }
  const ActionInProgress running(agent.metrics, IpamdAction::kIncreasePool);
  agent_log::IncreaseStarts(agent.log(), pool.network_card());
  const GrowResult grown = co_await GrowExistingEni(agent, pool);
  if (grown == GrowResult::kDone) co_return Status();
  if (grown == GrowResult::kAborted) {
    if (IsInsufficient(agent.last_ec2_error)) co_return Status();
    co_return tl::unexpected(agent.last_ec2_error);
  }
  if (!agent.HasRoomForEni(pool)) {
    if (grown == GrowResult::kSubnetsExhausted &&
        !agent.Strikes(&Quirks::noPauseWhenFullAndExhausted)) {
      NoteInsufficient(agent, agent.last_ec2_error);
    }
    co_return Status();
  }
  const int quantity = NewEniQuantity(pool.Stats(agent.Now()), agent.Policy(pool));
  if (quantity < 1) {
    agent.last_pool_action = agent.Now();
    co_return Status();
  }
  const Status added = co_await AddEniToPool(agent, pool, quantity);
  if (added) {
    agent.last_ec2_error = {};
  } else {
    agent.last_ec2_error = added.error();
    if (IsInsufficient(added.error())) NoteInsufficient(agent, added.error());
  }
  co_return Status();
}

Task<bool> UpdatePool(AgentState& agent) {
  const uint64_t version = agent.PoolsVersion();
  const TimePoint last_action = agent.last_pool_action;
  agent.activity = PoolActivity::kIdle;

  if (agent.WaitsForTrunk()) co_await RequestTrunk(agent);
  // All are judged before any is changed (LP-2).
  std::vector<bool> too_low;
  for (const auto& pool : agent.pools) {
    const PoolStats stats = pool->Stats(agent.Now());
    const PoolConfig policy = agent.Policy(*pool);
    too_low.push_back(IsTooLow(stats, policy));
    if (agent.log().enabled(LogLevel::kDebug)) {
      agent_log::IpStats(agent.log(), pool->network_card(), FiguresOf(stats, policy));
      agent_log::PoolStatistics(agent.log(), pool->network_card(), FiguresOf(stats, policy));
    }
  }
  for (size_t i = 0; i < agent.pools.size(); ++i) {
    co_await UpdateOne(agent, *agent.pools[i], too_low[i]);
  }
  // Whatever calls EC2 says so.
  const bool tried = std::exchange(agent.activity, PoolActivity::kIdle) != PoolActivity::kIdle;
  co_return tried || agent.PoolsVersion() != version || agent.last_pool_action != last_action;
}

TimePoint NextDecisionChange(AgentState& agent) {
  const TimePoint now = agent.Now();
  TimePoint next = kForever;
  for (const auto& pool : agent.pools) {
    const PoolStats stats = pool->Stats(now);
    const PoolConfig policy = agent.Policy(*pool);
    // Addresses that have cooled become available, or may be released.
    const Quirks& quirks = agent.settings.quirks;
    if (!quirks.coolingCountsAsAvailable || !quirks.releasesCooling) {
      next = std::min(next, pool->NextCooled());
    }
    if (IsTooLow(stats, policy)) {
      // It did nothing because the subnet was exhausted lately, because every ENI is full and no
      // further one is allowed, or because the node takes no pods; only the first passes by itself.
      if (RecentlyInsufficient(agent)) {
        next = std::min(next, agent.last_insufficient + kInsufficientCooldown + Duration(1));
      }
    } else if (IsTooHigh(stats, policy)) {
      next = std::min(next, agent.last_decrease + kDecreaseInterval + Duration(1));
    }
    if (WouldTryEniRemoval(agent, *pool, stats)) {
      next = std::min(next, pool->NextEniUnprotected(now));
    }
  }
  return next;
}

}  // namespace cnisim
