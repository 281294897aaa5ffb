#include "sim/scenario/advice/node_pool.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace cnisim {

int NodePool::max_enis() const {
  int enis = type->eni_limit;
  if (settings.max_eni) enis = std::min(enis, *settings.max_eni);
  if (settings.enable_pod_eni && CountsAsTrunkCompatible(*type)) --enis;
  return std::max(enis, 1);
}

int64_t NodePool::most_addresses() const {
  if (settings.provisioning_disabled()) return 0;
  const int serving = max_enis() - (primary_serves_pods ? 0 : 1);
  return int64_t{serving} * slots_per_eni() * addresses_per_slot();
}

Holding HoldingOf(const NodePool& node, int pods) {
  if (node.settings.mode() == PoolMode::kIpv6 || node.settings.provisioning_disabled()) return {};
  PoolConfig config;
  config.prefix_mode = node.prefixes();
  config.warm_eni_target = node.settings.warm_eni_target;
  config.warm_ip_target = node.settings.warm_ip_target;
  config.minimum_ip_target = node.settings.minimum_ip_target;
  config.warm_prefix_target = node.settings.warm_prefix_target;
  config.max_pods = node.max_pods;
  config.slots_per_eni = node.slots_per_eni();

  std::vector<int> used{0};  // slots of each ENI, the primary one first
  const auto stats = [&] {
    const int slots = std::accumulate(used.begin(), used.end(), 0);
    PoolStats stats;
    stats.total_ips = int64_t{slots} * node.addresses_per_slot();
    stats.assigned_ips = std::min<int64_t>(pods, stats.total_ips);
    if (node.prefixes()) {
      stats.total_prefixes = slots;
      stats.free_prefixes =
          slots - DivideRoundingUp(static_cast<int>(stats.assigned_ips), kAddressesPerPrefix);
    }
    return stats;
  };
  for (;;) {
    const PoolStats now = stats();
    if (!IsTooLow(now, config)) break;
    const auto first = used.begin() + (node.primary_serves_pods ? 0 : 1);
    const auto room =
        std::find_if(first, used.end(), [&](int slots) { return slots < config.slots_per_eni; });
    int quantity = 0;
    if (room != used.end()) {
      quantity = AssignQuantity(now, config, *room);
      *room += std::max(quantity, 0);
    } else if (std::ssize(used) < node.max_enis()) {
      quantity = NewEniQuantity(now, config);
      if (quantity >= 1) used.push_back(quantity);
    }
    if (quantity < 1) break;
  }
  Holding holding;
  holding.primary_slots = used.front();
  holding.other_enis = static_cast<int>(used.size()) - 1;
  holding.other_slots = std::accumulate(used.begin() + 1, used.end(), 0);
  return holding;
}

}  // namespace cnisim
