#include "core/cni/testing/rpc_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/cni/entrypoint_checks.h"
#include "core/cni/interface_names.h"
#include "core/net/numbers.h"
#include "core/rpc/branch_eni.h"

namespace cnisim {
namespace {

constexpr const char* kVersion = "1.2.3";

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

IpAddress ToAddress(const std::string& text) {
  const auto ip = IpAddress::Parse(text);
  if (!ip) throw Malformed{"'" + text + "' is not an address"};
  return *ip;
}

std::vector<IpCidr> ToCidrs(const std::string& text) {
  std::vector<IpCidr> cidrs;
  for (const std::string& part : Split(text, ',')) cidrs.push_back(ToCidr(part));
  return cidrs;
}

// "default/web".
PodArgs ToPod(const std::string& text) {
  const std::vector<std::string> parts = Split(text, '/');
  if (parts.size() != 2) throw Malformed{"'" + text + "' is no namespace/pod"};
  PodArgs pod;
  pod.pod_namespace = parts[0];
  pod.pod_name = parts[1];
  return pod;
}

// "10.0.0.1/0/254": address, device, table.
std::string IpsText(const google::protobuf::RepeatedPtrField<rpc::IPAllocationMetadata>& ips) {
  std::vector<std::string> texts;
  for (const rpc::IPAllocationMetadata& ip : ips) {
    texts.push_back(fmt::format("{}{}/{}/{}", ip.ipv4addr(), ip.ipv6addr(), ip.devicenumber(),
                                ip.routetableid()));
  }
  return ListText(texts);
}

}  // namespace

const std::map<std::string, RpcScript::Handler, std::less<>>& RpcScript::Handlers() {
  using S = RpcScript;
  static const std::map<std::string, Handler, std::less<>> handlers{
      {"backend", &S::MakeBackend},
      {"card", &S::AddCard},
      {"address", &S::AddAddress},
      {"vpc", &S::SetVpc},
      {"trunk", &S::SetTrunk},
      {"pod", &S::SetPod},
      {"break", &S::Break},
      {"add", &S::Add},
      {"del", &S::Del},
      {"counts", &S::Counts},
      {"policy-config", &S::PolicyConfig},
      {"config", &S::SetConfig},
      {"previous", &S::AddPrevious},
      {"plugin-add", &S::PluginAdd},
      {"plugin-del", &S::PluginDel},
      {"output", &S::Output},
      {"driver-calls", &S::DriverCalls},
      {"policy-calls", &S::PolicyCalls},
      {"environment", &S::Environment},
  };
  return handlers;
}

std::string RpcScript::Run(const VectorLine& line) {
  std::vector<std::string> words = Words(line.command);
  const auto handler = words.empty() ? Handlers().end() : Handlers().find(words.front());
  if (handler == Handlers().end()) return "unknown command";
  words.erase(words.begin());
  try {
    Arguments arguments(std::move(words));
    const std::string answer = (this->*handler->second)(arguments);
    arguments.ExpectEnd();
    if (line.expected ? MatchesWords(answer, *line.expected) : !answer.starts_with("error")) {
      return {};
    }
    return fmt::format("expected: {}\n       got: {}", line.expected.value_or("no error"), answer);
  } catch (const Malformed& malformed) {
    return "malformed: " + malformed.what;
  }
}

Backend& RpcScript::backend() {
  if (!backend_) throw Malformed{"there is no backend yet"};
  return *backend_;
}

// --- The agent ---

std::string RpcScript::MakeBackend(Arguments& a) {
  BackendSettings settings;
  settings.version = kVersion;
  settings.ipv6 = a.Flag("ipv6");
  settings.enable_pod_eni = a.Flag("pod-eni");
  settings.annotate_pod_ip = a.Flag("annotate");
  settings.enable_multi_nic = a.Flag("multi-nic");
  settings.external_snat = a.Flag("external-snat");
  settings.snat_exclusions = ToCidrs(a.Text("exclude-snat"));
  settings.network_policy_mode = a.Text("policy");
  if (const auto ip = a.Option("node-ip")) settings.node_ip = ToAddress(*ip);
  settings.instance_id = a.Text("instance");
  settings.region = a.Text("region");
  backend_ = std::make_unique<Backend>(settings, world_.Ports());
  channel_.set_backend(backend_.get());
  return "ok";
}

std::string RpcScript::AddCard(Arguments& a) {
  FakeCard card;
  card.index = ToInt(a.Word("the card"));
  card.refuses = a.Flag("refuses");
  world_.cards.cards.push_back(std::move(card));
  return "ok";
}

std::string RpcScript::AddAddress(Arguments& a) {
  const IpAddress ip = ToAddress(a.Word("the address"));
  const int index = a.Int("card");
  const auto card = std::ranges::find(world_.cards.cards, index, &FakeCard::index);
  if (card == world_.cards.cards.end()) throw Malformed{"there is no such card"};
  const int device = a.Int("device");
  card->free.push_back({ip, device, a.Int("table")});
  return "ok";
}

std::string RpcScript::SetVpc(Arguments& a) {
  world_.node.vpc = ToCidrs(a.Word("the CIDRs"));
  return "ok";
}

std::string RpcScript::SetTrunk(Arguments& a) {
  world_.node.trunk = ToInt(a.Word("the link index"));
  return "ok";
}

std::string RpcScript::SetPod(Arguments& a) {
  PodObject pod;
  const std::string name = a.Word("the pod");
  pod.uid = a.Text("uid");
  if (const auto limit = a.Option("limit")) pod.first_container_limits[*limit] = "1";
  if (const auto eni = a.Option("pod-eni")) pod.annotations[std::string(kPodEniKey)] = *eni;
  world_.kubernetes.pods[name] = std::move(pod);
  return "ok";
}

std::string RpcScript::Break(Arguments& a) {
  if (a.Flag("metadata")) world_.node.metadata_fails = true;
  if (a.Flag("kubernetes")) world_.kubernetes.pod_error = Error{"Timeout", "the API times out"};
  if (a.Flag("release"))
    world_.cards.release_error = Error{"EROFS", "the file system is read-only"};
  if (a.Flag("agent")) channel_.set_backend(nullptr);
  if (a.Flag("setup")) driver_.setup_fails = true;
  if (a.Flag("teardown")) driver_.teardown_fails = true;
  if (a.Flag("policy-agent")) policy_agent_.down = true;
  if (a.Flag("policy-calls")) policy_agent_.fails = true;
  if (a.Flag("policy-success")) policy_agent_.refuses = true;
  return "ok";
}

std::string RpcScript::Add(Arguments& a) {
  const PodArgs pod = ToPod(a.Word("the pod"));
  rpc::AddNetworkRequest request;
  request.set_clientversion(a.Option("client").value_or(kVersion));
  request.set_k8s_pod_namespace(pod.pod_namespace);
  request.set_k8s_pod_name(pod.pod_name);
  if (!a.Flag("without-container")) request.set_containerid(pod.pod_name);
  if (!a.Flag("without-interface")) request.set_ifname("eth0");
  if (!a.Flag("without-network")) request.set_networkname("aws-cni");
  request.set_requiresmultinicattachment(a.Flag("multi-nic"));
  rpc::AddNetworkReply reply;
  const RpcStatus status = RunNow(backend().AddNetwork(request, &reply));
  if (!status.ok()) {
    return fmt::format("error {} {}", StatusCodeName(status.code), status.message);
  }
  return fmt::format(
      "Success={} ips={} external-snat={} v4-cidrs={} v6-cidrs={} vlan={} mac={} gateway={} "
      "parent={} policy={}",
      reply.success(), IpsText(reply.ipallocationmetadata()), reply.useexternalsnat(),
      ListText(reply.vpcv4cidrs()), ListText(reply.vpcv6cidrs()), reply.podvlanid(),
      reply.podenimac(), reply.podenisubnetgw(), reply.parentifindex(), reply.networkpolicymode());
}

std::string RpcScript::Del(Arguments& a) {
  const PodArgs pod = ToPod(a.Word("the pod"));
  rpc::DelNetworkRequest request;
  request.set_clientversion(a.Option("client").value_or(kVersion));
  request.set_k8s_pod_namespace(pod.pod_namespace);
  request.set_k8s_pod_name(pod.pod_name);
  request.set_containerid(pod.pod_name);
  request.set_ifname("eth0");
  request.set_networkname("aws-cni");
  request.set_k8s_pod_uid(a.Text("uid"));
  request.set_reason(a.Option("reason").value_or("PodDeleted"));
  rpc::DelNetworkReply reply;
  const RpcStatus status = RunNow(backend().DelNetwork(request, &reply));
  if (!status.ok()) {
    return fmt::format("error {} {}", StatusCodeName(status.code), status.message);
  }
  return fmt::format("Success={} ips={} vlan={} policy={}", reply.success(),
                     IpsText(reply.ipallocationmetadata()), reply.podvlanid(),
                     reply.networkpolicymode());
}

std::string RpcScript::Counts(Arguments&) {
  std::string text =
      fmt::format("adds={} assigned={}", backend().counts().adds, world_.cards.Assigned());
  for (const auto& [reason, count] : backend().counts().dels_by_reason) {
    text += fmt::format(" {}={}", reason, count);
  }
  return text;
}

std::string RpcScript::PolicyConfig(Arguments&) {
  rpc::NetworkPolicyAgentConfigReply reply;
  backend().GetNetworkPolicyConfigs(&reply);
  return fmt::format("mode={} multi-nic={} v4={} v6={} instance={} region={}",
                     reply.networkpolicymode(), reply.multinicenabled(), reply.nodeipv4(),
                     reply.nodeipv6(), reply.instanceid(), reply.region());
}

// --- The plugin ---

std::string RpcScript::SetConfig(Arguments& a) {
  if (const auto version = a.Option("version")) config_["cniVersion"] = *version;
  if (const auto mode = a.Option("mode")) config_["podSGEnforcingMode"] = *mode;
  if (const auto mtu = a.Option("mtu")) config_["mtu"] = *mtu;
  if (const auto prefix = a.Option("prefix")) config_["vethPrefix"] = *prefix;
  if (a.Flag("multi-nic")) {
    config_["runtimeConfig"]["io.kubernetes.cri.pod-annotations"]["k8s.amazonaws.com/nicConfig"] =
        "multi-nic-attachment";
  }
  return "ok";
}

std::string RpcScript::AddPrevious(Arguments& a) {
  if (!previous_) previous_.emplace();
  std::string name = a.Word("the interface");
  if (name == "dummy") name = DummyInterfaceName(ToPod(a.Word("the pod")));
  if (const auto ip = a.Option("ip")) {
    previous_->ips.push_back({ToAddress(*ip), 32, static_cast<int>(previous_->interfaces.size())});
  }
  const std::string mac = a.Text("mac");
  previous_->interfaces.push_back({std::move(name), mac, a.Text("sandbox")});
  return "ok";
}

std::string RpcScript::RunPlugin(const char* command, Arguments& a) {
  const PodArgs pod = ToPod(a.Word("the pod"));
  Json config = config_;
  if (!config.contains("cniVersion")) config["cniVersion"] = "0.4.0";
  config["name"] = "aws-cni";
  if (previous_) config["prevResult"] = Json::parse(RenderResult(*previous_, "0.4.0"));
  CniCall call;
  call.command = command;
  call.container_id = pod.pod_name;
  call.netns = a.Flag("without-netns") ? "" : "/netns";
  call.if_name = "eth0";
  call.args = fmt::format("IgnoreUnknown=1;K8S_POD_NAMESPACE={};K8S_POD_NAME={};K8S_POD_UID={}",
                          pod.pod_namespace, pod.pod_name, a.Text("uid"));
  call.path = "/opt/cni/bin";
  call.config = config.dump();
  CniPlugin plugin(kVersion, {channel_, policy_agent_, driver_});
  const CniOutcome outcome = RunNow(plugin.Run(call));
  output_ = outcome.output;
  if (outcome.exit_code == 0) return "ok";
  const Json error = Json::parse(output_);
  return fmt::format("error {} {}", error["code"].get<int>(), error["msg"].get<std::string>());
}

std::string RpcScript::Output(Arguments&) { return Json::parse(output_).dump(); }

std::string RpcScript::DriverCalls(Arguments&) {
  return ListText(std::exchange(driver_.calls, {}));
}

std::string RpcScript::PolicyCalls(Arguments&) {
  return ListText(std::exchange(policy_agent_.calls, {}));
}

std::string RpcScript::Environment(Arguments& a) {
  const bool ipv6 = a.Flag("ipv6");
  const bool pod_eni = a.Flag("pod-eni");
  std::map<std::string, std::string> variables;
  for (const std::string& word : a.Rest()) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) throw Malformed{"'" + word + "' is not NAME=VALUE"};
    variables[word.substr(0, equals)] = word.substr(equals + 1);
  }
  const Status checked = CheckPluginVariables(variables, ipv6, pod_eni);
  return checked ? "ok" : "error " + checked.error().message;
}

}  // namespace cnisim
