// The CNI plugin: one execution of the binary that a container runtime starts for a pod.
//
//   CniPlugin plugin(version, {backend, policy_agent, driver});
//   CniOutcome outcome = co_await plugin.Run(call);     // what to print, and the exit code
//   CniResult<PodResult> result = co_await plugin.Add(pod);  // the same without JSON around it
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
#include "core/cni/pod_result.h"
#include "core/cni/previous_result.h"
#include "core/ports/log.h"
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
  Log log = {};
};

// How long the plugin waits for the network policy agent to accept.
inline constexpr Duration kPolicyAgentConnectLimit = std::chrono::seconds(2);

// What an ADD or DEL is about, once its texts are read. All texts are UTF-8; the configuration's
// version is not looked at.
struct PodAttachment {
  std::string container_id;
  std::string netns;  // empty: the namespace is gone
  std::string if_name;
  PodArgs pod;
  const NetworkConfig& config;
};

class CniPlugin {
 public:
  // `version` must be the agent's.
  CniPlugin(std::string version, const PluginPorts& ports)
      : version_(std::move(version)), ports_(ports) {}

  // The argument must live until the run is done.
  Task<CniOutcome> Run(const CniCall& call);
  Task<CniResult<PodResult>> Add(const PodAttachment& attachment);
  Task<CniResult<void>> Del(const PodAttachment& attachment);

 private:
  Task<CniResult<std::string>> Execute(const CniCall& call);

  Task<Status> Setup(const PodAttachment& attachment, const rpc::AddNetworkReply& reply,
                     const std::vector<PodInterface>& interfaces);
  Task<Status> EnforcePolicy(const PodAttachment& attachment, const rpc::AddNetworkReply& reply);

  // With the previous result alone; `vlan_id` is what it tells.
  Task<CniResult<void>> DelBranch(const PodAttachment& attachment, const PreviousResult& previous,
                                  int vlan_id);
  Task<Status> Teardown(const PodAttachment& attachment, const rpc::DelNetworkReply& reply);
  Task<Status> DeletePolicy(const PodAttachment& attachment);

  rpc::AddNetworkRequest AddRequest(const PodAttachment& attachment) const;
  rpc::DelNetworkRequest DelRequest(const PodAttachment& attachment, std::string_view reason) const;

  std::string version_;
  PluginPorts ports_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_PLUGIN_H_
