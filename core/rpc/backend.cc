#include "core/rpc/backend.h"

#include <fmt/format.h>

#include <array>

#include "core/rpc/branch_eni.h"
#include "core/rpc/pod_ip_annotation.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

using Addresses = google::protobuf::RepeatedPtrField<rpc::IPAllocationMetadata>;

RpcStatus Ok() { return {}; }
RpcStatus Unknown(std::string message) { return {StatusCode::kUnknown, std::move(message)}; }

void AddTo(Addresses* addresses, const PodIp& pod) {
  rpc::IPAllocationMetadata* added = addresses->Add();
  if (pod.ip.is_v4()) {
    added->set_ipv4addr(pod.ip.ToString());
  } else {
    added->set_ipv6addr(pod.ip.ToString());
  }
  added->set_devicenumber(pod.device_number);
  added->set_routetableid(pod.route_table);
}

// The pod's addresses as its annotation tells them.
std::string TextOf(const Addresses& addresses) {
  std::string text;
  for (const rpc::IPAllocationMetadata& address : addresses) {
    if (!text.empty()) text += ',';
    text += address.ipv4addr().empty() ? address.ipv6addr() : address.ipv4addr();
  }
  return text;
}

// Decodes, handles and encodes one call. The messages live in an arena whose first block, larger
// than they usually need, is part of the frame.
template <typename Request, typename Reply>
Task<RpcStatus> Serve(Backend& backend, Task<RpcStatus> (Backend::*handler)(const Request&, Reply*),
                      std::string_view bytes, std::string* reply_bytes) {
  std::array<uint64_t, 128> block;
  google::protobuf::Arena arena(reinterpret_cast<char*>(block.data()), sizeof block);
  auto* request = google::protobuf::Arena::CreateMessage<Request>(&arena);
  if (!request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    co_return RpcStatus{StatusCode::kInternal, "the request cannot be decoded"};
  }
  auto* reply = google::protobuf::Arena::CreateMessage<Reply>(&arena);
  RpcStatus status = co_await (backend.*handler)(*request, reply);
  if (status.ok()) reply->SerializeToString(reply_bytes);
  co_return status;
}

}  // namespace

RpcStatus Backend::CheckVersion(const std::string& client_version) const {
  if (client_version == settings_.version) return Ok();
  return {StatusCode::kFailedPrecondition, fmt::format("wrong client version \"{}\" (!= \"{}\")",
                                                       client_version, settings_.version)};
}

Task<RpcStatus> Backend::AddNetwork(const rpc::AddNetworkRequest& request,
                                    rpc::AddNetworkReply* reply) {
  ++counts_.adds;
  agent_log::AddReceived(ports_.log, {request.k8s_pod_namespace(), request.k8s_pod_name(),
                                      request.containerid(), request.ifname()});
  reply->Clear();
  RpcStatus status = CheckVersion(request.clientversion());
  if (status.ok()) status = co_await Add(request, reply);
  if (status.ok()) agent_log::AddReplied(ports_.log, reply->success());
  co_return status;
}

Task<RpcStatus> Backend::Add(const rpc::AddNetworkRequest& request, rpc::AddNetworkReply* reply) {
  Result<bool> branch = false;
  if (settings_.enable_pod_eni) branch = co_await AddBranchEni(request, reply);
  if (!branch) co_return Ok();
  if (!*branch) {
    if (const Status assigned = AddFromCards(request, reply); !assigned) co_return Ok();
  }

  const Result<std::vector<IpCidr>> vpc = co_await ports_.node.VpcCidrs();
  if (!vpc) {
    reply->Clear();
    co_return Unknown(vpc.error().message);
  }
  auto* cidrs = settings_.ipv6 ? reply->mutable_vpcv6cidrs() : reply->mutable_vpcv4cidrs();
  for (const IpCidr& cidr : *vpc) cidrs->Add(cidr.ToString());
  if (!settings_.ipv6) {
    reply->set_useexternalsnat(settings_.external_snat);
    if (!settings_.external_snat) {
      for (const IpCidr& cidr : settings_.snat_exclusions) cidrs->Add(cidr.ToString());
    }
  }
  reply->set_networkpolicymode(settings_.network_policy_mode);

  Status annotated;
  if (settings_.annotate_pod_ip) {
    PodIpAnnotation annotation(ports_.kubernetes, ports_.clock, ports_.choice);
    annotated = co_await annotation.Set(request.k8s_pod_namespace(), request.k8s_pod_name(),
                                        TextOf(reply->ipallocationmetadata()));
  }
  reply->set_success(annotated.has_value());
  co_return Ok();
}

Task<Result<bool>> Backend::AddBranchEni(const rpc::AddNetworkRequest& request,
                                         rpc::AddNetworkReply* reply) {
  const Result<PodObject> pod =
      co_await ports_.kubernetes.GetPod(request.k8s_pod_namespace(), request.k8s_pod_name());
  if (!pod) co_return tl::unexpected(pod.error());
  if (!WantsBranchEni(*pod)) co_return false;

  const Result<int> trunk = co_await ports_.node.TrunkLinkIndex();
  if (!trunk) co_return tl::unexpected(trunk.error());
  const auto annotation = pod->annotations.find(std::string(kPodEniKey));
  if (annotation == pod->annotations.end()) {
    co_return Fail("pod-eni", "the pod has no branch ENI yet");
  }
  const Result<BranchEni> eni = ParseBranchEni(annotation->second);
  if (!eni) co_return tl::unexpected(eni.error());
  const Result<BranchAddress> address = AddressOf(*eni, settings_.ipv6);
  if (!address) co_return tl::unexpected(address.error());

  AddTo(reply->mutable_ipallocationmetadata(), {address->ip, -1, 0});
  reply->set_podvlanid(eni->vlan_id);
  reply->set_podenimac(eni->mac);
  reply->set_podenisubnetgw(address->gateway.ToString());
  reply->set_parentifindex(*trunk);
  co_return true;
}

Status Backend::AddFromCards(const rpc::AddNetworkRequest& request, rpc::AddNetworkReply* reply) {
  if (request.containerid().empty() || request.ifname().empty() || request.networkname().empty()) {
    return Fail("request", "no IPAM key without container, interface and network");
  }
  if (request.requiresmultinicattachment() && !settings_.enable_multi_nic) {
    return Fail("request", "attachment to several network cards is off");
  }
  const IpamKey key{request.networkname(), request.containerid(), request.ifname()};
  const IpamMetadata metadata{request.k8s_pod_namespace(), request.k8s_pod_name()};
  const Result<std::vector<PodIp>> pod =
      ports_.addresses.Assign(key, metadata, request.requiresmultinicattachment());
  if (!pod) return tl::unexpected(pod.error());
  for (const PodIp& ip : *pod) AddTo(reply->mutable_ipallocationmetadata(), ip);
  return {};
}

Task<RpcStatus> Backend::DelNetwork(const rpc::DelNetworkRequest& request,
                                    rpc::DelNetworkReply* reply) {
  ++counts_.dels_by_reason[request.reason()];
  agent_log::DelReceived(ports_.log, request.containerid());
  reply->Clear();
  RpcStatus status = CheckVersion(request.clientversion());
  if (status.ok()) status = co_await Del(request, reply);
  if (status.ok()) agent_log::DelReplied(ports_.log, reply->success());
  co_return status;
}

Task<RpcStatus> Backend::Del(const rpc::DelNetworkRequest& request, rpc::DelNetworkReply* reply) {
  const IpamKey key{request.networkname(), request.containerid(), request.ifname()};
  const Result<std::vector<PodIp>> released = co_await ports_.addresses.Release(key);
  if (!released) {
    if (released.error().code != kUnknownPodError) co_return Unknown(released.error().message);
    co_return co_await DelUnknownPod(request, reply);
  }
  for (const PodIp& ip : *released) AddTo(reply->mutable_ipallocationmetadata(), ip);
  reply->set_networkpolicymode(settings_.network_policy_mode);

  if (settings_.annotate_pod_ip) {
    PodIpAnnotation annotation(ports_.kubernetes, ports_.clock, ports_.choice);
    const Status cleared = co_await annotation.Clear(
        request.k8s_pod_namespace(), request.k8s_pod_name(), TextOf(reply->ipallocationmetadata()));
    if (!cleared) co_return Unknown(cleared.error().message);
  }
  reply->set_success(true);
  co_return Ok();
}

// A pod with a branch ENI is none of the allocator's.
Task<RpcStatus> Backend::DelUnknownPod(const rpc::DelNetworkRequest& request,
                                       rpc::DelNetworkReply* reply) {
  if (!settings_.enable_pod_eni) co_return Unknown(std::string(kUnknownPodError));
  const Result<PodObject> pod =
      co_await ports_.kubernetes.GetPod(request.k8s_pod_namespace(), request.k8s_pod_name());
  if (!pod) {
    if (pod.error().code != kubernetes_error::kNotFound) co_return Unknown(pod.error().message);
    reply->set_success(true);
    co_return Ok();
  }
  if (pod->uid != request.k8s_pod_uid()) co_return Unknown("pod UID mismatch");
  const auto annotation = pod->annotations.find(std::string(kPodEniKey));
  if (annotation == pod->annotations.end()) co_return Unknown(std::string(kUnknownPodError));
  const Result<BranchEni> eni = ParseBranchEni(annotation->second);
  if (!eni) co_return Unknown(eni.error().message);

  reply->add_ipallocationmetadata()->set_ipv4addr(eni->private_ip);
  reply->set_podvlanid(eni->vlan_id);
  reply->set_networkpolicymode(settings_.network_policy_mode);
  reply->set_success(true);
  co_return Ok();
}

void Backend::GetNetworkPolicyConfigs(rpc::NetworkPolicyAgentConfigReply* reply) const {
  reply->Clear();
  reply->set_networkpolicymode(settings_.network_policy_mode);
  reply->set_multinicenabled(settings_.enable_multi_nic);
  if (settings_.node_ip && settings_.node_ip->is_v4() != settings_.ipv6) {
    if (settings_.ipv6) {
      reply->set_nodeipv6(settings_.node_ip->ToString());
    } else {
      reply->set_nodeipv4(settings_.node_ip->ToString());
    }
  }
  reply->set_instanceid(settings_.instance_id);
  reply->set_region(settings_.region);
}

Task<RpcStatus> Backend::Handle(std::string_view method, std::string_view request,
                                std::string* reply) {
  reply->clear();
  if (request.size() > kMaxMessageBytes) {
    co_return RpcStatus{StatusCode::kResourceExhausted, "the request is too large"};
  }
  if (method == rpc_method::kAddNetwork) {
    co_return co_await Serve(*this, &Backend::AddNetwork, request, reply);
  }
  if (method == rpc_method::kDelNetwork) {
    co_return co_await Serve(*this, &Backend::DelNetwork, request, reply);
  }
  if (method == rpc_method::kGetNetworkPolicyConfigs) {
    rpc::NetworkPolicyAgentConfigReply config;
    GetNetworkPolicyConfigs(&config);
    config.SerializeToString(reply);
    co_return Ok();
  }
  co_return RpcStatus{StatusCode::kUnimplemented, fmt::format("unknown method {}", method)};
}

}  // namespace cnisim
