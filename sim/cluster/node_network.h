// A node's network plugin as the node sees it: what the kubelet's CNI calls reach.
//
// One implementation per plugin; nothing else in the cluster knows which one it is.
#ifndef CNISIM_SIM_CLUSTER_NODE_NETWORK_H_
#define CNISIM_SIM_CLUSTER_NODE_NETWORK_H_

#include <functional>
#include <string>
#include <vector>

#include "core/ipam/pool_snapshot.h"
#include "core/net/ip.h"
#include "core/ports/result.h"
#include "core/ports/task.h"
#include "core/routing/host_state.h"
#include "sim/cluster/node_logs.h"
#include "sim/cluster/pod.h"
#include "sim/observe/observer.h"

namespace cnisim {

struct PodNetwork {
  IpAddress ip;
  std::string eni;  // empty without ENIs
};

class NodeNetwork {
 public:
  virtual ~NodeNetwork() = default;

  // Starts the agent's container; `on_ready` is called each time it has become able to serve.
  virtual void Start(std::function<void()> on_ready) = 0;
  // The container is killed and started again.
  virtual void Restart() = 0;
  // Whether the agent answers.
  virtual bool Serving() const = 0;
  // The node is going away for good.
  virtual void Stop() = 0;

  // What a CNI ADD costs besides the plugin's own time; the address is taken when it returns.
  virtual Task<Result<PodNetwork>> Add(Pod& pod) = 0;
  // Why the last Add, of this pod, failed.
  virtual WaitReason ExplainFailure(const Pod& pod) = 0;
  // Never fails for good: what the agent does not hear of now it finds out later.
  virtual Task<void> Del(Pod& pod) = 0;

  // Tells the observer the state of the pool, if there is one, and accounts for work that was left
  // out as idle. Called at time zero and at the end.
  virtual void Tell() = 0;
  // The run ends: whoever wants the node's logs gets what the agent shows now.
  virtual void TellPages() {}
  // A page that the agent serves; empty if it does not.
  virtual std::string AgentPage(NodeLogFile) { return ""; }
  // What the agent's pools hold now.
  virtual std::vector<PoolSnapshot> Pools() const { return {}; }
  // How long an address rests before it is given out again.
  virtual Duration IpCooldown() const { return {}; }
  // What the node's kernel holds now; null unless kernels are tracked. Valid until the next event.
  virtual const HostState* Kernel() { return nullptr; }
  // A quirk of the agent has made it lose sight of pods' addresses, which it may hand out again:
  // told as a finding, and no violation.
  virtual bool ForgotAddresses() const { return false; }
  // Broken invariants, in words.
  virtual std::vector<std::string> CheckInvariants() = 0;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_NODE_NETWORK_H_
