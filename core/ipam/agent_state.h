// What the agent's procedures share: its doors to the outside, its settings and its memory.
//
// One node, one agent, one thread: procedures interleave only where they wait for a port. The pool
// loop runs its procedures one after another; ADD and DEL come in while it waits.
#ifndef CNISIM_CORE_IPAM_AGENT_STATE_H_
#define CNISIM_CORE_IPAM_AGENT_STATE_H_

#include <cassert>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/ipam/agent_metrics.h"
#include "core/ipam/counting_ports.h"
#include "core/ipam/datastore.h"
#include "core/ipam/pool_policy.h"
#include "core/ipam/settings.h"
#include "core/ports/checkpoint_store.h"
#include "core/ports/choice.h"
#include "core/ports/civil_time.h"
#include "core/ports/clock.h"
#include "core/ports/ec2_api.h"
#include "core/ports/host_network.h"
#include "core/ports/instance_metadata.h"
#include "core/ports/kubernetes_api.h"
#include "core/ports/log.h"
#include "core/ports/pool_loop_pacer.h"

namespace cnisim {

struct AgentPorts {
  Clock& clock;
  Ec2Api& ec2;
  InstanceMetadata& metadata;
  HostNetwork& host;
  KubernetesApi& kubernetes;
  CheckpointStores& checkpoints;
  PoolLoopPacer& pacer;
  Log log;
  CivilEpoch epoch;  // for times in tags
};

// Of the node's instance type.
struct InstanceLimits {
  int max_enis = 0;      // of the default network card
  int ipv4_per_eni = 0;  // the primary address included
  bool supports_prefixes = false;
  bool trunk_compatible = false;
  int network_cards = 1;
};

// ENIs that are attached but are not the agent's (UM-1, UM-2, NC-1). Known anew whenever all ENIs
// are described.
struct UnmanagedEnis {
  std::set<std::string> ids;  // by their tags
  std::set<std::string> efa_only;
  std::map<int, int> on_card;  // how many of both, by network card
  std::set<int> cards;         // cards of which the agent manages nothing

  int OnCard(int card) const {
    const auto it = on_card.find(card);
    return it == on_card.end() ? 0 : it->second;
  }
};

// What the pool loop is doing: why an ADD that finds no address may have to wait.
enum class PoolActivity { kIdle, kAssigning, kCreatingEni, kWaitingForMetadata, kFreeing };

struct AgentState {
  AgentState(AgentPorts ports, AgentSettings settings, InstanceLimits limits, Choice choice,
             PoolListener* listener)
      : counting_ec2(ports.ec2, ports.clock, metrics),
        counting_metadata(ports.metadata, metrics),
        ports{ports.clock,       counting_ec2, counting_metadata, ports.host, ports.kubernetes,
              ports.checkpoints, ports.pacer,  ports.log,         ports.epoch},
        settings(std::move(settings)),
        limits(limits),
        choice(choice),
        listener(listener) {
    AddPool(0);
  }
  AgentState(const AgentState&) = delete;  // the doors know where the metrics are
  AgentState& operator=(const AgentState&) = delete;

  TimePoint Now() const { return ports.clock.Now(); }
  const Log& log() const { return ports.log; }

  // Whether the quirk is on; if so the listener learns that it has made a difference.
  bool Strikes(Quirk quirk) const {
    if (!(settings.quirks.*quirk)) return false;
    if (listener != nullptr) listener->OnQuirk(quirk);
    return true;
  }

  // --- Pools: one a managed network card, in the order of the cards ---
  Datastore& AddPool(int network_card) {
    const Datastore::Config config{settings.mode(), settings.ip_cooldown, network_card,
                                   settings.quirks};
    pools.push_back(std::make_unique<Datastore>(config, ports.checkpoints.ForCard(network_card),
                                                choice, listener));
    return *pools.back();
  }
  // Of the default network card.
  Datastore& default_pool() { return *pools.front(); }
  // nullptr if the card is not managed.
  Datastore* PoolOfCard(int network_card) {
    for (const auto& pool : pools) {
      if (pool->network_card() == network_card) return pool.get();
    }
    return nullptr;
  }
  Datastore* PoolOfEni(std::string_view eni_id) {
    for (const auto& pool : pools) {
      if (pool->FindEni(eni_id) != nullptr) return pool.get();
    }
    return nullptr;
  }
  // Grows with every change of any pool.
  uint64_t PoolsVersion() const {
    uint64_t version = 0;
    for (const auto& pool : pools) version += pool->version();
    return version;
  }

  // --- Limits ---
  // Addresses, or prefixes, that an ENI can hold besides its primary address (PX-2).
  int SlotsPerEni() const { return limits.ipv4_per_eni - 1; }
  int MaxEnis() const {
    return settings.max_eni && *settings.max_eni < limits.max_enis ? *settings.max_eni
                                                                   : limits.max_enis;
  }
  bool WaitsForTrunk() const {
    return settings.enable_pod_eni && limits.trunk_compatible &&
           pools.front()->FindTrunk() == nullptr;
  }
  bool HasRoomForEni(const Datastore& pool) const {  // LO-4
    const int card = pool.network_card();
    const int reserve = card == 0 && WaitsForTrunk() ? 1 : 0;
    return static_cast<int>(pool.enis().size()) < MaxEnis() - unmanaged.OnCard(card) - reserve;
  }
  PoolConfig Policy(const Datastore& pool) const {
    PoolConfig policy;
    policy.prefix_mode = settings.prefix_delegation;
    policy.warm_eni_target = settings.warm_eni_target;
    policy.warm_ip_target = settings.warm_ip_target;
    policy.minimum_ip_target = settings.minimum_ip_target;
    policy.warm_prefix_target = settings.warm_prefix_target;
    policy.max_pods = max_pods;
    policy.slots_per_eni = SlotsPerEni();
    if (pool.network_card() > 0) {  // fixed targets (section 2.4 of the rules, NC-6)
      policy.warm_ip_target = 1;
      policy.minimum_ip_target = 1;
      policy.targets_in_addresses = settings.quirks.cardTargetsInAddresses;
    }
    return policy;
  }

  // How many ENIs of the default card the agent may have (UM-2).
  int ManageableEnis() const { return MaxEnis() - unmanaged.OnCard(0); }

  AgentMetrics metrics;
  CountingEc2 counting_ec2;
  CountingMetadata counting_metadata;
  AgentPorts ports;  // with these two doors
  AgentSettings settings;
  InstanceLimits limits;
  Choice choice;
  PoolListener* listener;
  std::vector<std::unique_ptr<Datastore>> pools;

  InstanceIdentity identity;
  int max_pods = 0;  // of the node object
  UnmanagedEnis unmanaged;
  std::optional<ConnectionTracking> connection_tracking;  // of the primary ENI, for new ones
  std::vector<IpCidr> vpc_cidrs;
  std::vector<std::string> security_groups;      // of the primary ENI, sorted; empty: not read yet
  std::map<std::string, IpAddress> primary_ips;  // by ENI
  std::map<IpCidr, TimePoint> released_cidrs;    // RC-5: not re-added before this time
  bool terminating = false;                      // SIGTERM was seen (SU-3)

  TimePoint last_pool_action = kLongAgo;
  TimePoint last_decrease = kLongAgo;
  TimePoint last_insufficient = kLongAgo;  // the subnet had no address or no /28

  PoolActivity activity = PoolActivity::kIdle;
  Error last_ec2_error;  // of the last attempt to grow the pool; empty code after a success
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_AGENT_STATE_H_
