// What the agent's procedures share: its doors to the outside, its settings and its memory.
//
// One node, one agent, one flow at a time: the pool loop runs its procedures one after another, and
// ADD and DEL come in only while it waits.
#ifndef CNISIM_CORE_IPAM_AGENT_STATE_H_
#define CNISIM_CORE_IPAM_AGENT_STATE_H_

#include <map>
#include <string>
#include <vector>

#include "core/ipam/datastore.h"
#include "core/ipam/pool_policy.h"
#include "core/ipam/settings.h"
#include "core/ports/checkpoint_store.h"
#include "core/ports/choice.h"
#include "core/ports/clock.h"
#include "core/ports/ec2_api.h"
#include "core/ports/host_network.h"
#include "core/ports/instance_metadata.h"
#include "core/ports/pool_loop_pacer.h"

namespace cnisim {

struct AgentPorts {
  Clock& clock;
  Ec2Api& ec2;
  InstanceMetadata& metadata;
  HostNetwork& host;
  CheckpointStore& checkpoint;
  PoolLoopPacer& pacer;
};

// Of the node's instance type.
struct InstanceLimits {
  int max_enis = 0;
  int ipv4_per_eni = 0;  // the primary address included
  bool supports_prefixes = false;
};

// What the pool loop is doing: why an ADD that finds no address may have to wait.
enum class PoolActivity { kIdle, kAssigning, kCreatingEni, kWaitingForMetadata, kFreeing };

struct AgentState {
  AgentState(AgentPorts ports, AgentSettings settings, InstanceLimits limits, Choice choice,
             PoolListener* listener)
      : ports(ports),
        settings(std::move(settings)),
        limits(limits),
        choice(choice),
        datastore({this->settings.mode(), this->settings.ip_cooldown, 0, this->settings.quirks},
                  ports.checkpoint, choice, listener) {}

  TimePoint Now() const { return ports.clock.Now(); }
  // Addresses, or prefixes, that an ENI can hold besides its primary address (PX-2).
  int SlotsPerEni() const { return limits.ipv4_per_eni - 1; }
  int MaxEnis() const {
    return settings.max_eni && *settings.max_eni < limits.max_enis ? *settings.max_eni
                                                                   : limits.max_enis;
  }
  bool HasRoomForEni() const {  // LO-4
    return static_cast<int>(datastore.enis().size()) < MaxEnis();
  }
  PoolConfig Policy() const {
    return {settings.prefix_delegation,
            settings.warm_eni_target,
            settings.warm_ip_target,
            settings.minimum_ip_target,
            settings.warm_prefix_target,
            settings.max_pods,
            SlotsPerEni()};
  }

  AgentPorts ports;
  AgentSettings settings;
  InstanceLimits limits;
  Choice choice;
  Datastore datastore;

  InstanceIdentity identity;
  std::vector<std::string> security_groups;        // of the primary ENI, sorted
  std::map<std::string, Ipv4Address> primary_ips;  // by ENI
  std::map<IpCidr, TimePoint> released_cidrs;      // RC-5: not re-added before this time

  TimePoint last_pool_action = kLongAgo;
  TimePoint last_decrease = kLongAgo;
  TimePoint last_insufficient = kLongAgo;  // the subnet had no address or no /28

  PoolActivity activity = PoolActivity::kIdle;
  Error last_ec2_error;  // of the last attempt to grow the pool; empty code after a success
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_AGENT_STATE_H_
