// The CNI plugin: one execution of the binary that a container runtime starts for a pod.
//
//   CniPlugin plugin(version, {backend, policy_agent, driver});
//   CniOutcome outcome = co_await plugin.Run(call);     // what to print, and the exit code
//
// ADD asks the agent for addresses, has them wired, tells the network policy agent, and prints the
// result. DEL undoes it and succeeds even without the agent, because the kubelet may not try again.
// Source: rules GA-8 and GA-9 of amazon-vpc-cni-k8s v1.23.1 (cmd/routed-eni-cni-plugin); around it,
// the CNI specification 1.0.0 and its reference library (pkg/skel).
// Keeps nothing between runs; several may be under way. Destroying a run's task is a kill.
#ifndef CNISIM_CORE_CNI_PLUGIN_H_
#define CNISIM_CORE_CNI_PLUGIN_H_

#include <string>
#include <string_view>
#include <utility>

#include "core/cni/cni_error.h"
#include "core/cni/network_config.h"
#include "core/cni/pod_args.h"
#include "core/cni/pod_network_driver.h"
#include "core/ports/task.h"
#include "core/rpc/cni_backend.pb.h"
#include "core/rpc/rpc_channel.h"

namespace cnisim {

// The execution's environment, CNI_*, and standard input. Empty: not set.
struct CniCall {
  std::string command;  // ADD, DEL or VERSION
  std::string container_id;
  std::string netns;
  std::string if_name;
  std::string args;
  std::string path;
  std::string config;  // standard input
};

struct CniOutcome {
  int exit_code = 0;
  std::string output;  // standard output: a result, an error, or nothing
};

struct PluginPorts {
  RpcChannel& backend;       // to the agent
  RpcChannel& policy_agent;  // to the network policy agent
  PodNetworkDriver& driver;
};

// How long the plugin waits for the network policy agent to accept.
inline constexpr Duration kPolicyAgentConnectLimit = std::chrono::seconds(2);

class CniPlugin {
 public:
  // `version` must be the agent's.
  CniPlugin(std::string version, const PluginPorts& ports)
      : version_(std::move(version)), ports_(ports) {}

  // `call` must live until the run is done.
  Task<CniOutcome> Run(const CniCall& call);

 private:
  // What an ADD or DEL works on.
  struct Pod {
    const CniCall& call;
    const NetworkConfig& config;
    PodArgs args;
  };

  Task<CniResult<std::string>> Execute(const CniCall& call);
  Task<CniResult<std::string>> Add(const Pod& pod);
  Task<CniResult<std::string>> Del(const Pod& pod);

  Task<Status> Setup(const Pod& pod, const rpc::AddNetworkReply& reply,
                     const std::vector<PodInterface>& interfaces);
  Task<Status> Teardown(const Pod& pod, const rpc::DelNetworkReply& reply);
  Task<void> TeardownWithoutAgent(const Pod& pod);
  Task<Status> EnforcePolicy(const Pod& pod, const rpc::AddNetworkReply& reply);
  Task<Status> DeletePolicy(const Pod& pod);

  rpc::AddNetworkRequest AddRequest(const Pod& pod) const;
  rpc::DelNetworkRequest DelRequest(const Pod& pod, std::string_view reason) const;

  std::string version_;
  PluginPorts ports_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_PLUGIN_H_
