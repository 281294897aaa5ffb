#include "core/ipam/pool_policy.h"

#include <algorithm>

namespace cnisim {

TargetState TargetStateOf(const PoolStats& stats, const PoolConfig& config) {
  if (!config.ip_targets_defined()) return {};
  // IPv4 only, so the counts are small.
  const auto total = static_cast<int>(stats.total_ips);
  const auto assigned = static_cast<int>(stats.assigned_ips);
  const auto available = static_cast<int>(stats.available_ips());
  const int warm = config.warm_ip_target;
  const int minimum = config.minimum_ip_target;
  TargetState state;
  state.defined = true;
  const int short_ips = std::max(std::max(warm - available, 0), minimum - total);
  if (config.prefix_mode && !config.targets_in_addresses) {
    const int needed = DivideRoundingUp(assigned + warm, kAddressesPerPrefix);
    const int floor = DivideRoundingUp(minimum, kAddressesPerPrefix);
    state.short_by = DivideRoundingUp(short_ips, kAddressesPerPrefix);
    state.over_by = std::max(std::min(stats.free_prefixes, stats.total_prefixes - needed), 0);
    state.over_by = std::max(std::min(state.over_by, stats.total_prefixes - floor), 0);
  } else {
    state.short_by = short_ips;
    state.over_by = std::max(std::min(std::max(available - warm, 0), total - minimum), 0);
  }
  return state;
}

int PrefixesNeeded(const PoolStats& stats, const PoolConfig& config) {
  const TargetState state = TargetStateOf(stats, config);
  if (state.defined) return std::max(1, state.short_by);
  return std::max(1, config.warm_prefix_target - stats.free_prefixes);
}

bool IsTooLow(const PoolStats& stats, const PoolConfig& config) {
  if (stats.total_ips >= config.max_pods) return false;
  const TargetState state = TargetStateOf(stats, config);
  if (state.defined) return state.short_by > 0;
  const int64_t available = stats.available_ips();
  const int warm = config.prefix_mode ? config.warm_prefix_target : config.warm_eni_target;
  const int unit = config.prefix_mode ? kAddressesPerPrefix : config.slots_per_eni;
  return available < warm * unit || (warm == 0 && available == 0);
}

bool IsTooHigh(const PoolStats& stats, const PoolConfig& config) {
  return ReleaseBudget(stats, config) > 0;
}

int AssignQuantity(const PoolStats& stats, const PoolConfig& config, int used_slots) {
  const int room = config.slots_per_eni - used_slots;
  if (config.prefix_mode) return std::min(room, PrefixesNeeded(stats, config));
  const TargetState state = TargetStateOf(stats, config);
  return std::min(room, state.defined ? state.short_by : config.slots_per_eni);
}

int NewEniQuantity(const PoolStats& stats, const PoolConfig& config) {
  return AssignQuantity(stats, config, 0);
}

int ReleaseBudget(const PoolStats& stats, const PoolConfig& config) {
  const TargetState state = TargetStateOf(stats, config);
  if (state.defined) return state.over_by;
  if (config.prefix_mode) return std::max(stats.free_prefixes - config.warm_prefix_target, 0);
  return 0;
}

bool ShouldTryRemoveEni(const PoolStats& stats, const PoolConfig& config, bool has_empty_eni) {
  if (config.ip_targets_defined()) return true;
  if (config.prefix_mode && has_empty_eni) return true;
  const int warm = config.prefix_mode ? config.warm_prefix_target : config.warm_eni_target;
  return stats.available_ips() >= (warm + 1) * config.ips_per_eni();
}

}  // namespace cnisim
