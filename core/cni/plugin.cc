#include "core/cni/plugin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "core/cni/interface_names.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

using Addresses = google::protobuf::RepeatedPtrField<rpc::IPAllocationMetadata>;

// Linux's IFNAMSIZ without the terminator.
constexpr size_t kLongestInterfaceName = 15;

CniResult<void> CheckEnvironment(const CniCall& call) {
  std::vector<std::string_view> missing;
  const auto require = [&](std::string_view name, const std::string& value, bool needed = true) {
    if (needed && value.empty()) missing.push_back(name);
  };
  require("CNI_COMMAND", call.command);
  if (call.command == "ADD" || call.command == "DEL") {
    require("CNI_CONTAINERID", call.container_id);
    require("CNI_NETNS", call.netns, call.command == "ADD");
    require("CNI_IFNAME", call.if_name);
    require("CNI_PATH", call.path);
  }
  if (!missing.empty()) {
    return CniFail(CniErrorCode::kInvalidEnvironment,
                   fmt::format("required env variables [{}] missing", fmt::join(missing, ",")));
  }
  // They go into messages and JSON, which carry UTF-8 only.
  for (const std::string* value :
       {&call.command, &call.container_id, &call.netns, &call.if_name, &call.args}) {
    if (!std::ranges::all_of(*value, [](char c) { return c >= ' ' && c <= '~'; })) {
      return CniFail(CniErrorCode::kInvalidEnvironment, "env variables must be printable ASCII");
    }
  }
  return {};
}

CniResult<void> CheckNames(const CniCall& call) {
  if (!IsCniName(call.container_id)) {
    return CniFail(CniErrorCode::kInvalidEnvironment, "invalid characters in containerID",
                   call.container_id);
  }
  const auto bad = [&](const char* why) {
    return CniFail(CniErrorCode::kInvalidEnvironment, why, call.if_name);
  };
  if (call.if_name.size() > kLongestInterfaceName) return bad("interface name is too long");
  if (call.if_name == "." || call.if_name == "..") return bad("interface name is . or ..");
  if (call.if_name.find_first_of("/: ") != std::string::npos) {
    return bad("interface name contains / or : or whitespace characters");
  }
  return {};
}

CniResult<void> CheckVersion(const NetworkConfig& config) {
  // The reference library reads a missing version as the first one.
  const std::string version = config.cni_version.empty() ? "0.1.0" : config.cni_version;
  if (IsSupportedCniVersion(version)) return {};
  return CniFail(CniErrorCode::kIncompatibleVersion, "incompatible CNI versions",
                 fmt::format("config is \"{}\", plugin supports [\"{}\"]", version,
                             fmt::join(kCniVersions, "\" \"")));
}

std::string RenderVersions() {
  Json json;
  json["cniVersion"] = kCniVersions.back();
  json["supportedVersions"] = kCniVersions;
  return json.dump();
}

std::string RenderError(const CniError& error) {
  Json json;
  json["code"] = static_cast<int>(error.code);
  json["msg"] = error.message;
  if (!error.details.empty()) json["details"] = error.details;
  return json.dump(4, ' ', false, Json::error_handler_t::replace);
}

// CNI_ARGS as container runtimes write them.
std::string ArgsText(const PodArgs& pod) {
  return fmt::format(
      "K8S_POD_NAMESPACE={};K8S_POD_NAME={};K8S_POD_INFRA_CONTAINER_ID={};K8S_POD_UID={}",
      pod.pod_namespace, pod.pod_name, pod.infra_container_id, pod.pod_uid);
}

// nullopt if an address is none.
std::optional<std::vector<PodInterface>> InterfacesOf(const Addresses& addresses, bool branch,
                                                      const PodAttachment& attachment) {
  const std::string_view prefix = branch ? BranchHostPrefix(attachment.config)
                                         : std::string_view(attachment.config.veth_prefix);
  std::vector<PodInterface> interfaces;
  for (const rpc::IPAllocationMetadata& address : addresses) {
    const auto ip =
        IpAddress::Parse(address.ipv4addr().empty() ? address.ipv6addr() : address.ipv4addr());
    if (!ip) return std::nullopt;
    const size_t index = interfaces.size();
    interfaces.push_back({*ip, address.devicenumber(), address.routetableid(),
                          HostInterfaceName(prefix, attachment.pod, index),
                          PodInterfaceName(attachment.if_name, index)});
  }
  return interfaces;
}

// For each address the host's and the pod's interface, the pod's with the route table as Mac; then
// the dummy.
PodResult ResultOf(const std::vector<PodInterface>& interfaces, int vlan_id,
                   const PodAttachment& attachment) {
  PodResult result;
  for (const PodInterface& each : interfaces) {
    result.interfaces.push_back({each.host_name, "", ""});
    const int index = static_cast<int>(result.interfaces.size());
    result.interfaces.push_back(
        {each.container_name, std::to_string(each.route_table), attachment.netns});
    result.ips.push_back({each.ip, each.ip.is_v4() ? 32 : 128, index});
  }
  const int device = interfaces.front().device_number;
  result.interfaces.push_back({DummyInterfaceName(attachment.pod), std::to_string(vlan_id),
                               vlan_id == 0 ? std::to_string(device) : ""});
  return result;
}

}  // namespace

Task<CniOutcome> CniPlugin::Run(const CniCall& call) {
  const CniResult<std::string> done = co_await Execute(call);
  if (done) co_return CniOutcome{0, *done};
  co_return CniOutcome{1, RenderError(done.error())};
}

Task<CniResult<std::string>> CniPlugin::Execute(const CniCall& call) {
  if (const auto checked = CheckEnvironment(call); !checked) {
    co_return tl::unexpected(checked.error());
  }
  if (call.command == "VERSION") co_return RenderVersions();
  if (call.command != "ADD" && call.command != "DEL") {
    co_return CniFail(CniErrorCode::kInvalidEnvironment, "unknown CNI_COMMAND: " + call.command);
  }
  const CniResult<NetworkConfig> config = ParseNetworkConfig(call.config);
  if (!config) co_return tl::unexpected(config.error());
  if (const auto checked = CheckNames(call); !checked) co_return tl::unexpected(checked.error());
  if (const auto checked = CheckVersion(*config); !checked) {
    co_return tl::unexpected(checked.error());
  }
  CniResult<PodArgs> args = ParsePodArgs(call.args);
  if (!args) {
    co_return CniFail(fmt::format("{} cmd: failed to load k8s config from arg: {}",
                                  call.command == "ADD" ? "add" : "del", args.error().message));
  }
  const PodAttachment attachment{call.container_id, call.netns, call.if_name, *std::move(args),
                                 *config};
  if (call.command == "ADD") {
    const CniResult<PodResult> added = co_await Add(attachment);
    if (!added) co_return tl::unexpected(added.error());
    co_return RenderResult(*added, config->cni_version);
  }
  const CniResult<void> deleted = co_await Del(attachment);
  if (!deleted) co_return tl::unexpected(deleted.error());
  co_return std::string();
}

rpc::AddNetworkRequest CniPlugin::AddRequest(const PodAttachment& attachment) const {
  rpc::AddNetworkRequest request;
  request.set_k8s_pod_name(attachment.pod.pod_name);
  request.set_k8s_pod_namespace(attachment.pod.pod_namespace);
  request.set_k8s_pod_infra_container_id(attachment.pod.infra_container_id);
  request.set_netns(attachment.netns);
  request.set_ifname(attachment.if_name);
  request.set_networkname(attachment.config.name);
  request.set_containerid(attachment.container_id);
  request.set_clientversion(version_);
  request.set_requiresmultinicattachment(attachment.config.multi_nic);
  return request;
}

rpc::DelNetworkRequest CniPlugin::DelRequest(const PodAttachment& attachment,
                                             std::string_view reason) const {
  rpc::DelNetworkRequest request;
  request.set_k8s_pod_name(attachment.pod.pod_name);
  request.set_k8s_pod_namespace(attachment.pod.pod_namespace);
  request.set_k8s_pod_infra_container_id(attachment.pod.infra_container_id);
  request.set_reason(std::string(reason));
  request.set_ifname(attachment.if_name);
  request.set_networkname(attachment.config.name);
  request.set_containerid(attachment.container_id);
  request.set_clientversion(version_);
  request.set_k8s_pod_uid(attachment.pod.pod_uid);
  return request;
}

// --- ADD ---

Task<CniResult<PodResult>> CniPlugin::Add(const PodAttachment& attachment) {
  if (ports_.log.enabled(LogLevel::kInfo)) {
    agent_log::PluginAdd(ports_.log, {attachment.container_id, attachment.netns, attachment.if_name,
                                      ArgsText(attachment.pod)});
  }
  const rpc::AddNetworkRequest request = AddRequest(attachment);
  rpc::AddNetworkReply reply;
  const RpcStatus called = co_await Call(ports_.backend, rpc_method::kAddNetwork, request, &reply);
  if (!called.ok()) {
    co_return CniFail("add cmd: Error received from AddNetwork gRPC call: " + called.ToString());
  }
  agent_log::PluginReply(ports_.log, attachment.container_id, reply.success());
  if (!reply.success()) {
    agent_log::PluginFailed(ports_.log, attachment.container_id);
    co_return CniFail("add cmd: failed to assign an IP address to container");
  }
  const auto interfaces =
      InterfacesOf(reply.ipallocationmetadata(), reply.podvlanid() != 0, attachment);
  // NC-5 has the agent succeed without an address; the real plugin crashes then.
  if (!interfaces || interfaces->empty()) {
    co_return CniFail("add cmd: the agent's reply holds no usable address");
  }

  const Status set_up = co_await Setup(attachment, reply, *interfaces);
  if (!set_up) {
    const rpc::DelNetworkRequest give_back = DelRequest(attachment, "SetupNSFailed");
    rpc::DelNetworkReply ignored;  // failures are only logged by the real plugin
    static_cast<void>(co_await Call(ports_.backend, rpc_method::kDelNetwork, give_back, &ignored));
    co_return CniFail("add command: failed to setup network: " + set_up.error().message);
  }
  // After a failure the kubelet's DEL cleans up.
  if (!reply.networkpolicymode().empty()) {
    const Status enforced = co_await EnforcePolicy(attachment, reply);
    if (!enforced) co_return CniFail("add cmd: " + enforced.error().message);
  }
  co_return ResultOf(*interfaces, reply.podvlanid(), attachment);
}

Task<Status> CniPlugin::Setup(const PodAttachment& attachment, const rpc::AddNetworkReply& reply,
                              const std::vector<PodInterface>& interfaces) {
  const int mtu = PodMtu(attachment.config.mtu);
  if (reply.podvlanid() == 0) {
    co_return co_await ports_.driver.SetupPodNetwork(interfaces, attachment.netns, mtu);
  }
  const BranchLink link{reply.podvlanid(), reply.podenimac(), reply.podenisubnetgw(),
                        reply.parentifindex()};
  co_return co_await ports_.driver.SetupBranchPodNetwork(interfaces.front(), attachment.netns, link,
                                                         mtu, attachment.config.enforcing_mode);
}

Task<Status> CniPlugin::EnforcePolicy(const PodAttachment& attachment,
                                      const rpc::AddNetworkReply& reply) {
  const Status connected = co_await ports_.policy_agent.Connect(kPolicyAgentConnectLimit);
  if (!connected) co_return connected;
  rpc::EnforceNpRequest request;
  request.set_k8s_pod_name(attachment.pod.pod_name);
  request.set_k8s_pod_namespace(attachment.pod.pod_namespace);
  request.set_network_policy_mode(reply.networkpolicymode());
  request.set_interfacecount(reply.ipallocationmetadata_size());
  rpc::EnforceNpReply enforced;
  const RpcStatus called =
      co_await Call(ports_.policy_agent, rpc_method::kEnforceNpToPod, request, &enforced);
  ports_.log.Debug("Network Policy agent for EnforceNpToPod returned Success : {}",
                   enforced.success());
  if (!called.ok() || !enforced.success()) {
    co_return Fail("policy", "failed to setup network policy");
  }
  co_return Status();
}

// --- DEL ---

Task<CniResult<void>> CniPlugin::Del(const PodAttachment& attachment) {
  if (ports_.log.enabled(LogLevel::kInfo)) {
    agent_log::PluginDel(ports_.log, {attachment.container_id, attachment.netns, attachment.if_name,
                                      ArgsText(attachment.pod)});
  }
  const PreviousResult previous(attachment.config, attachment.pod, attachment.if_name);
  const Result<int> vlan = previous.VlanId();
  if (!vlan) {
    co_return CniFail("del cmd: failed to delete with prevResult: " + vlan.error().message);
  }
  if (*vlan != 0) co_return co_await DelBranch(attachment, previous, *vlan);

  const rpc::DelNetworkRequest request = DelRequest(attachment, "PodDeleted");
  rpc::DelNetworkReply reply;
  const RpcStatus called = co_await Call(ports_.backend, rpc_method::kDelNetwork, request, &reply);
  if (!called.ok()) {
    const bool unknown = called.message.find(kUnknownPodError) != std::string::npos;
    const auto interfaces = unknown ? std::nullopt : previous.Interfaces();
    if (interfaces) {
      // Rules that stay behind are the agent's to clean up; a failure here is only logged.
      static_cast<void>(co_await ports_.driver.TeardownPodNetwork(*interfaces));
    }
    co_return CniResult<void>();
  }
  if (!reply.success()) co_return CniFail("del cmd: failed to process delete request");

  const Status torn_down = co_await Teardown(attachment, reply);
  if (!torn_down) {
    co_return CniFail("del cmd: failed on tear down pod network: " + torn_down.error().message);
  }
  if (!reply.networkpolicymode().empty()) {
    const Status deleted = co_await DeletePolicy(attachment);
    if (!deleted) co_return CniFail("del cmd: " + deleted.error().message);
  }
  co_return CniResult<void>();
}

Task<CniResult<void>> CniPlugin::DelBranch(const PodAttachment& attachment,
                                           const PreviousResult& previous, int vlan_id) {
  if (attachment.netns.empty()) co_return CniResult<void>();  // the link is gone with the namespace
  const Result<PodInterface> interface = previous.BranchInterface();
  Status done;
  if (interface) {
    done = co_await ports_.driver.TeardownBranchPodNetwork(*interface, vlan_id,
                                                           attachment.config.enforcing_mode);
  } else {
    done = tl::unexpected(interface.error());
  }
  if (!done) {
    co_return CniFail("del cmd: failed to delete with prevResult: " + done.error().message);
  }
  co_return CniResult<void>();
}

Task<Status> CniPlugin::Teardown(const PodAttachment& attachment,
                                 const rpc::DelNetworkReply& reply) {
  const bool branch = reply.podvlanid() != 0;
  const auto interfaces = InterfacesOf(reply.ipallocationmetadata(), branch, attachment);
  // Without an address there is nothing to take down: only logged by the real plugin.
  if (!interfaces || interfaces->empty()) co_return Status();
  if (!branch) co_return co_await ports_.driver.TeardownPodNetwork(*interfaces);
  if (attachment.netns.empty()) co_return Status();
  co_return co_await ports_.driver.TeardownBranchPodNetwork(interfaces->front(), reply.podvlanid(),
                                                            attachment.config.enforcing_mode);
}

Task<Status> CniPlugin::DeletePolicy(const PodAttachment& attachment) {
  const Status connected = co_await ports_.policy_agent.Connect(kPolicyAgentConnectLimit);
  if (!connected) co_return connected;
  rpc::DeleteNpRequest request;
  request.set_k8s_pod_name(attachment.pod.pod_name);
  request.set_k8s_pod_namespace(attachment.pod.pod_namespace);
  rpc::DeleteNpReply deleted;  // a failure of the call is only logged
  static_cast<void>(
      co_await Call(ports_.policy_agent, rpc_method::kDeletePodNp, request, &deleted));
  ports_.log.Debug("Network Policy agent for DeletePodNp returned Success : {}", deleted.success());
  co_return Status();
}

}  // namespace cnisim
