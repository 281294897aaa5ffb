// What one node of a type can have and keeps, by the pool policy alone.
#ifndef CNISIM_SIM_SCENARIO_ADVICE_NODE_POOL_H_
#define CNISIM_SIM_SCENARIO_ADVICE_NODE_POOL_H_

#include <cstdint>

#include "core/ipam/settings.h"
#include "sim/cloud/instance_types.h"

namespace cnisim {

struct NodePool {
  const InstanceType* type = nullptr;
  AgentSettings settings;           // as the agent has them on this type
  bool primary_serves_pods = true;  // not with custom networking, nor in an excluded subnet
  int max_pods = 110;

  bool prefixes() const { return settings.mode() == PoolMode::kPrefixes; }
  int addresses_per_slot() const { return prefixes() ? kAddressesPerPrefix : 1; }
  int slots_per_eni() const { return type->slots_per_eni(); }
  // ENIs that the agent may have, the primary one included and a trunk left out.
  int max_enis() const;
  // Addresses that pods can have from the agent at most. Not for IPv6, which has no limit.
  int64_t most_addresses() const;
};

// Slots are secondary addresses or /28s.
struct Holding {
  int primary_slots = 0;  // on the primary ENI
  int other_enis = 0;
  int other_slots = 0;

  int slots() const { return primary_slots + other_slots; }
};

// What the agent settles at when nothing keeps it from it, with so many pods packed onto it.
Holding HoldingOf(const NodePool& node, int pods);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_ADVICE_NODE_POOL_H_
