// Any bytes where the plugin and the agent meet the outside. The first byte says where the rest
// goes:
//   a  AddNetwork's request     c  the plugin's network configuration (ADD)
//   d  DelNetwork's request     p  the same (DEL)
//   m  a method's name          s  CNI_ARGS
//   e  a pod-eni annotation     r  the agent's reply to the plugin (ADD)
// Nothing may crash; a reply is decodable, a plugin's output is JSON, a result reads back.
#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/cni/plugin.h"
#include "core/cni/testing/fake_driver.h"
#include "core/cni/testing/fake_policy_agent.h"
#include "core/rpc/branch_eni.h"
#include "core/rpc/local_channel.h"
#include "core/rpc/testing/fake_backend_world.h"

namespace {

using namespace cnisim;  // NOLINT(google-build-using-namespace): this is all a fuzz target is about

void Check(bool good) {
  if (!good) std::abort();
}

// Answers every call with the same bytes.
class Parrot final : public RpcChannel {
 public:
  explicit Parrot(std::string_view bytes) : bytes_(bytes) {}
  Task<Status> Connect(Duration) override { co_return Status(); }
  Task<RpcStatus> Call(std::string_view, std::string_view, std::string* reply) override {
    *reply = bytes_;
    co_return RpcStatus();
  }

 private:
  std::string_view bytes_;
};

class Node {
 public:
  Node() {
    FakeCard card;
    card.free.push_back({Ipv4Address(10, 0, 0, 4), 0, 254});
    world_.cards.cards.push_back(card);
    world_.node.trunk = 12;
    world_.kubernetes.pods["default/web"].first_container_limits[std::string(kPodEniKey)] = "1";
    BackendSettings settings;
    settings.version = "v1";
    settings.enable_pod_eni = true;
    backend_.emplace(settings, world_.Ports());
    channel_.set_backend(&*backend_);
  }

  void Handle(std::string_view method, std::string_view request) {
    std::string reply;
    const RpcStatus status = RunNow(backend_->Handle(method, request, &reply));
    Check(status.ok() || reply.empty());
    if (method == rpc_method::kAddNetwork) Check(rpc::AddNetworkReply().ParseFromString(reply));
    if (method == rpc_method::kDelNetwork) Check(rpc::DelNetworkReply().ParseFromString(reply));
  }

  // A pod's annotation, which the cluster's users can write.
  void Annotate(std::string_view text) {
    world_.kubernetes.pods["default/web"].annotations[std::string(kPodEniKey)] = text;
  }

  void RunPlugin(const CniCall& call, RpcChannel& backend) {
    const CniOutcome outcome = RunNow(CniPlugin("v1", {backend, policy_, driver_}).Run(call));
    if (call.command == "DEL" && outcome.exit_code == 0) {
      Check(outcome.output.empty());
      return;
    }
    const auto output = ParseJson(outcome.output);
    Check(output.has_value());
    if (outcome.exit_code == 0) Check(ParseResult(*output).has_value());
  }
  RpcChannel& channel() { return channel_; }

 private:
  FakeBackendWorld world_;
  std::optional<Backend> backend_;
  LocalChannel channel_;
  FakePolicyAgent policy_;
  FakeDriver driver_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const google::protobuf::LogSilencer quiet;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Node node;
  CniCall call;
  call.command = "ADD";
  call.container_id = "c";
  call.netns = "/netns";
  call.if_name = "eth0";
  call.args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web";
  call.path = "/opt/cni/bin";
  call.config = R"({"cniVersion":"0.4.0","name":"aws-cni"})";
  switch (data[0]) {
    case 'a':
      node.Handle(rpc_method::kAddNetwork, text);
      break;
    case 'd':
      node.Handle(rpc_method::kDelNetwork, text);
      break;
    case 'm':
      node.Handle(text, "");
      break;
    case 'e':
      node.Annotate(text);
      node.RunPlugin(call, node.channel());
      break;
    case 'c':
      call.config = text;
      node.RunPlugin(call, node.channel());
      break;
    case 'p':
      call.command = "DEL";
      call.config = text;
      node.RunPlugin(call, node.channel());
      break;
    case 's':
      call.args = text;
      node.RunPlugin(call, node.channel());
      break;
    case 'r': {
      Parrot parrot(text);
      node.RunPlugin(call, parrot);
      break;
    }
    default:
      break;
  }
  return 0;
}
