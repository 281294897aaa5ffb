// The agent's side of the gRPC services: CNIBackend (AddNetwork, DelNetwork) and
// ConfigServerBackend (GetNetworkPolicyConfigs).
//
//   Backend backend(settings, ports);
//   RpcStatus status = co_await backend.AddNetwork(request, &reply);
//   RpcStatus status = co_await backend.Handle(method, request_bytes, &reply_bytes);
//
// Rules GA-1 to GA-7 of amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd/rpc_handler.go). Made once node init
// is done: no request is served before. Handlers may be under way at the same time wherever one
// waits for a port; each runs without a break up to there. Destroying a handler's task, or the
// backend after its handlers, is a kill.
//
// Errors: as gRPC has them, a status; "no address" and the like are OK with Success=false. Handle
// gives Internal for bytes that are no message, Unimplemented for an unknown method. O(message).
#ifndef CNISIM_CORE_RPC_BACKEND_H_
#define CNISIM_CORE_RPC_BACKEND_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/ip.h"
#include "core/ports/checkpoint_store.h"
#include "core/ports/choice.h"
#include "core/ports/clock.h"
#include "core/ports/kubernetes_api.h"
#include "core/ports/log.h"
#include "core/ports/result.h"
#include "core/ports/task.h"
#include "core/rpc/cni_backend.pb.h"
#include "core/rpc/rpc_channel.h"
#include "core/telemetry/request_counts.h"

namespace cnisim {

struct PodIp {
  IpAddress ip;
  int device_number = 0;
  int route_table = 0;

  friend bool operator==(const PodIp&, const PodIp&) = default;
};

// The addresses of the node's network cards (rules NC-4 and NC-5).
class AddressAllocator {
 public:
  virtual ~AddressAllocator() = default;

  // One address from the first card that has one; or one from every card, where the first error
  // counts and what was taken before it stays assigned until Release. The same key gets the same
  // addresses again.
  virtual Result<std::vector<PodIp>> Assign(const IpamKey& key, const IpamMetadata& metadata,
                                            bool every_card) = 0;
  // What the pod had; error code kUnknownPodError if it had nothing.
  virtual Task<Result<std::vector<PodIp>>> Release(const IpamKey& key) = 0;
};

// What else the handlers ask the node, each time anew.
class NodeSource {
 public:
  virtual ~NodeSource() = default;

  // Of the cluster's address family, from instance metadata (PW-3: one request).
  virtual Task<Result<std::vector<IpCidr>>> VpcCidrs() = 0;
  // The link index of the trunk ENI; an error if there is none.
  virtual Task<Result<int>> TrunkLinkIndex() = 0;
};

struct BackendSettings {
  std::string version;  // a client's must be the same
  bool ipv6 = false;    // the family of the cluster's pods
  bool enable_pod_eni = false;
  bool annotate_pod_ip = false;
  bool enable_multi_nic = false;
  bool external_snat = false;
  std::vector<IpCidr> snat_exclusions;
  std::string network_policy_mode;  // empty: no network policy agent is asked
  std::optional<IpAddress> node_ip;
  std::string instance_id;
  std::string region;
};

struct BackendPorts {
  AddressAllocator& addresses;
  NodeSource& node;
  KubernetesApi& kubernetes;  // asked only with enable_pod_eni or annotate_pod_ip
  Clock& clock;
  Choice choice;
  Log log = {};
};

class Backend {
 public:
  Backend(BackendSettings settings, const BackendPorts& ports)
      : settings_(std::move(settings)), ports_(ports) {}

  // Request and reply must live until the call is done.
  Task<RpcStatus> AddNetwork(const rpc::AddNetworkRequest& request, rpc::AddNetworkReply* reply);
  Task<RpcStatus> DelNetwork(const rpc::DelNetworkRequest& request, rpc::DelNetworkReply* reply);
  void GetNetworkPolicyConfigs(rpc::NetworkPolicyAgentConfigReply* reply) const;

  // The same over bytes. `reply` is empty unless the status is OK.
  Task<RpcStatus> Handle(std::string_view method, std::string_view request, std::string* reply);

  const RequestCounts& counts() const { return counts_; }

 private:
  RpcStatus CheckVersion(const std::string& client_version) const;

  // Each fills the reply; where it fails with an OK status, Success is false.
  Task<RpcStatus> Add(const rpc::AddNetworkRequest& request, rpc::AddNetworkReply* reply);
  // Whether the pod has a branch ENI; an error if it wants one that cannot be used.
  Task<Result<bool>> AddBranchEni(const rpc::AddNetworkRequest& request,
                                  rpc::AddNetworkReply* reply);
  Status AddFromCards(const rpc::AddNetworkRequest& request, rpc::AddNetworkReply* reply);
  Task<RpcStatus> Del(const rpc::DelNetworkRequest& request, rpc::DelNetworkReply* reply);
  Task<RpcStatus> DelUnknownPod(const rpc::DelNetworkRequest& request, rpc::DelNetworkReply* reply);

  BackendSettings settings_;
  BackendPorts ports_;
  RequestCounts counts_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_RPC_BACKEND_H_
