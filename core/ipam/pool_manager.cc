#include "core/ipam/pool_manager.h"

#include <algorithm>
#include <utility>

#include "core/ipam/eni_lifecycle.h"

namespace cnisim {
namespace {

using std::chrono::seconds;

constexpr Duration kInsufficientCooldown = seconds(120);  // UP-2, inclusive
constexpr Duration kDecreaseInterval = seconds(30);       // DN-2
constexpr Duration kReleasedCidrCooldown = seconds(60);   // RC-5

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

Task<Result<AssignedAddresses>> AssignOnce(AgentState& agent, std::string eni_id, int quantity) {
  AssignPrivateIpAddressesRequest request;
  request.network_interface_id = std::move(eni_id);
  const int capped = std::min(quantity, agent.SlotsPerEni());
  (agent.settings.prefix_delegation ? request.ipv4_prefix_count
                                    : request.secondary_private_ip_address_count) = capped;
  co_return co_await agent.ports.ec2.AssignPrivateIpAddresses(request);
}

// UP-5, UP-6: one call; on failure one more for a single item; and if EC2 says that the ENI is
// full, the datastore was out of step and takes over what EC2 knows.
Task<Status> AssignTo(AgentState& agent, std::string eni_id, int quantity) {
  Result<AssignedAddresses> assigned = co_await AssignOnce(agent, eni_id, quantity);
  if (!assigned && assigned.error().code != ec2_error::kPrivateIpLimitExceeded) {
    assigned = co_await AssignOnce(agent, eni_id, 1);
  }
  if (assigned) {
    AddAddresses(agent, eni_id, assigned->ips, assigned->prefixes);
    co_return Status();
  }
  if (assigned.error().code != ec2_error::kPrivateIpLimitExceeded) {
    co_return tl::unexpected(assigned.error());
  }
  std::vector<std::string> ids{eni_id};
  const Result<std::vector<NetworkInterface>> described =
      co_await agent.ports.ec2.DescribeNetworkInterfaces(ids);
  if (!described) co_return tl::unexpected(described.error());
  for (const NetworkInterface& eni : *described) {
    AddAddresses(agent, eni.id, eni.secondary_ips, eni.ipv4_prefixes);
  }
  co_return Status();
}

enum class GrowResult { kDone, kNoCandidate, kAborted };

// UP-3 to UP-8: the first ENI with room that EC2 gives something for.
Task<GrowResult> GrowExistingEni(AgentState& agent) {
  const PoolConfig policy = agent.Policy();
  struct Candidate {
    std::string eni_id;
    int used_slots;
  };
  std::vector<Candidate> candidates;
  for (const Datastore::Eni* eni : agent.datastore.AllocatableEnis(agent.SlotsPerEni())) {
    candidates.push_back({eni->attributes.id, static_cast<int>(eni->cidrs.size())});
  }
  const size_t n = candidates.size();
  const size_t first = agent.choice.Start(n, agent.Now(), kWalkGrow);
  for (size_t i = 0; i < n; ++i) {
    const Candidate& candidate = candidates[(first + i) % n];
    const PoolStats stats = agent.datastore.Stats(agent.Now());
    const int quantity = AssignQuantity(stats, policy, candidate.used_slots);
    if (quantity < 1) continue;
    agent.activity = PoolActivity::kAssigning;
    const Status assigned = co_await AssignTo(agent, candidate.eni_id, quantity);
    if (assigned) {
      agent.last_pool_action = agent.Now();
      agent.last_ec2_error = {};
      co_return GrowResult::kDone;
    }
    agent.last_ec2_error = assigned.error();
    if (agent.settings.subnet_discovery && IsInsufficient(assigned.error())) continue;
    if (IsInsufficient(assigned.error())) agent.last_insufficient = agent.Now();
    co_return GrowResult::kAborted;
  }
  co_return GrowResult::kNoCandidate;
}

// What removes CIDRs from one ENI, at EC2 as well: prefixes first, then addresses (DN-3).
Task<void> ReleaseCidrs(AgentState& agent, std::string eni_id, std::vector<IpCidr> cidrs) {
  UnassignPrivateIpAddressesRequest prefixes;
  UnassignPrivateIpAddressesRequest addresses;
  prefixes.network_interface_id = addresses.network_interface_id = eni_id;
  for (const IpCidr& cidr : cidrs) {
    if (!agent.datastore.DeleteCidr(eni_id, cidr, false)) continue;
    agent.released_cidrs[cidr] = agent.Now() + kReleasedCidrCooldown;
    if (cidr.size() == 1) {
      addresses.ips.push_back(cidr.network().v4());
    } else {
      prefixes.prefixes.push_back(cidr.v4());
    }
  }
  // A failure is only logged by the real agent; reconcile finds what EC2 still holds.
  if (!prefixes.prefixes.empty()) {
    const Status released = co_await agent.ports.ec2.UnassignPrivateIpAddresses(prefixes);
    static_cast<void>(released);
  }
  if (!addresses.ips.empty()) {
    const Status released = co_await agent.ports.ec2.UnassignPrivateIpAddresses(addresses);
    static_cast<void>(released);
  }
}

Task<void> DecreasePool(AgentState& agent) {
  agent.activity = PoolActivity::kFreeing;
  const PoolStats stats = agent.datastore.Stats(agent.Now());
  int budget = ReleaseBudget(stats, agent.Policy());
  std::vector<std::string> enis;
  for (const auto& eni : agent.datastore.enis()) enis.push_back(eni->attributes.id);
  const size_t n = enis.size();
  const size_t first = agent.choice.Start(n, agent.Now(), kWalkShrink);
  for (size_t i = 0; i < n && budget > 0; ++i) {
    const std::string& eni_id = enis[(first + i) % n];
    std::vector<IpCidr> cidrs = agent.datastore.FreeableCidrs(eni_id, agent.Now());
    if (cidrs.empty()) continue;
    const size_t first_cidr = agent.choice.Start(cidrs.size(), agent.Now(), kWalkShrinkCidrs);
    std::rotate(cidrs.begin(), cidrs.begin() + static_cast<std::ptrdiff_t>(first_cidr),
                cidrs.end());
    if (static_cast<int>(cidrs.size()) > budget) cidrs.resize(static_cast<size_t>(budget));
    budget -= static_cast<int>(cidrs.size());
    co_await ReleaseCidrs(agent, eni_id, std::move(cidrs));
  }
  agent.last_decrease = agent.last_pool_action = agent.Now();
}

bool WouldTryRemoval(AgentState& agent, const PoolStats& stats) {
  return ShouldTryRemoveEni(stats, agent.Policy(), agent.datastore.HasEmptyEni());
}

}  // namespace

Task<Status> IncreasePool(AgentState& agent) {
  if (RecentlyInsufficient(agent)) co_return Status();
  const GrowResult grown = co_await GrowExistingEni(agent);
  if (grown == GrowResult::kDone) co_return Status();
  if (grown == GrowResult::kAborted) {
    if (IsInsufficient(agent.last_ec2_error)) co_return Status();
    co_return tl::unexpected(agent.last_ec2_error);
  }
  if (!agent.HasRoomForEni()) co_return Status();
  const int quantity = NewEniQuantity(agent.datastore.Stats(agent.Now()), agent.Policy());
  if (quantity < 1) {
    agent.last_pool_action = agent.Now();
    co_return Status();
  }
  const Status added = co_await AddEniToPool(agent, quantity);
  if (added) {
    agent.last_ec2_error = {};
  } else {
    agent.last_ec2_error = added.error();
    if (IsInsufficient(added.error())) agent.last_insufficient = agent.Now();
  }
  co_return Status();
}

Task<bool> UpdatePool(AgentState& agent) {
  const PoolStats stats = agent.datastore.Stats(agent.Now());
  const PoolConfig policy = agent.Policy();
  const bool try_removal = WouldTryRemoval(agent, stats);
  const uint64_t version = agent.datastore.version();
  const TimePoint last_action = agent.last_pool_action;
  agent.activity = PoolActivity::kIdle;

  if (IsTooLow(stats, policy)) {
    const Status increased = co_await IncreasePool(agent);
    static_cast<void>(increased);  // the next update tries again
  } else if (IsTooHigh(stats, policy) && agent.Now() - agent.last_decrease > kDecreaseInterval) {
    co_await DecreasePool(agent);
  }
  if (try_removal) {
    const std::optional<std::string> removed = agent.datastore.RemoveUnusedEni(
        {policy.warm_ip_target, policy.minimum_ip_target, policy.warm_prefix_target}, agent.Now());
    if (removed) co_await FreeEni(agent, *removed);
  }
  // Whatever calls EC2 says so.
  const bool tried = std::exchange(agent.activity, PoolActivity::kIdle) != PoolActivity::kIdle;
  co_return tried || agent.datastore.version() != version || agent.last_pool_action != last_action;
}

TimePoint NextDecisionChange(AgentState& agent) {
  const TimePoint now = agent.Now();
  const PoolStats stats = agent.datastore.Stats(now);
  const PoolConfig policy = agent.Policy();
  TimePoint next = kForever;
  if (IsTooLow(stats, policy)) {
    // It did nothing because the subnet was exhausted lately, or because every ENI is full and no
    // further one is allowed; only the former passes.
    if (RecentlyInsufficient(agent)) {
      next = agent.last_insufficient + kInsufficientCooldown + Duration(1);
    }
  } else if (IsTooHigh(stats, policy)) {
    next = agent.last_decrease + kDecreaseInterval + Duration(1);
  }
  if (WouldTryRemoval(agent, stats)) {
    next = std::min(next, agent.datastore.NextEniUnprotected(now));
  }
  return next;
}

}  // namespace cnisim
