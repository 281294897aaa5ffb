// What one ADD and DEL cost: in the core by direct call, over the handlers, over bytes, and the
// whole way from the plugin's arguments to the printed result.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "core/cni/plugin.h"
#include "core/rpc/local_channel.h"
#include "sim/cluster/vpc_cni_ports.h"

namespace cnisim {
namespace {

// One address, and always the same.
class TrivialAllocator final : public AddressAllocator {
 public:
  Result<std::vector<PodIp>> Assign(const IpamKey&, const IpamMetadata&, bool) override {
    return std::vector<PodIp>{ip_};
  }
  Task<Result<std::vector<PodIp>>> Release(const IpamKey&) override {
    co_return std::vector<PodIp>{ip_};
  }

 private:
  PodIp ip_{Ipv4Address(10, 0, 17, 42), 1, 2};
};

class TrivialNode final : public NodeSource {
 public:
  Task<Result<std::vector<IpCidr>>> VpcCidrs() override {
    co_return std::vector<IpCidr>{Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 16)};
  }
  Task<Result<int>> TrunkLinkIndex() override { co_return Fail("trunk", "none"); }
};

class NoKubernetes final : public KubernetesApi {
 public:
  Task<Result<PodObject>> GetPod(std::string, std::string) override { co_return PodObject(); }
  Task<Status> PatchPodAnnotation(std::string, std::string, std::string, std::string) override {
    co_return Status();
  }
  Task<Result<NodeObject>> GetNode() override { co_return NodeObject(); }
  Task<Result<EniConfig>> GetEniConfig(std::string) override { co_return EniConfig(); }
  Task<Status> PatchCniNode(std::vector<CniNodeFeature>) override { co_return Status(); }
};

class NoClock final : public Clock {
 public:
  TimePoint Now() const override { return kTimeZero; }
  TimerId StartTimer(TimePoint, Timer&) override { return 0; }
  void CancelTimer(TimerId) override {}
};

template <typename T>
T RunNow(Task<T> task) {
  task.Start();
  return task.TakeValue();
}

struct Node {
  Node() {
    BackendSettings settings;
    settings.version = "v1.23.1";
    backend.emplace(settings, BackendPorts{allocator, node, kubernetes, clock, Choice::Oldest()});
    channel.set_backend(&*backend);

    call.container_id = std::string(64, 'c');
    call.netns = "/var/run/netns/cni-6f1b4c8e-35d4-2d9a-1f6c-6b1f0e4b8f3a";
    call.if_name = "eth0";
    call.args =
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-7c5ddbdf54-x2x7k;"
        "K8S_POD_INFRA_CONTAINER_ID=" +
        call.container_id + ";K8S_POD_UID=6f1b4c8e-35d4-4d9a-9f6c-6b1f0e4b8f3a";
    call.path = "/opt/cni/bin";
    call.config = R"({"cniVersion":"0.4.0","name":"aws-cni","type":"aws-cni","vethPrefix":"eni",)"
                  R"("mtu":"9001","pluginLogFile":"/var/log/aws-routed-eni/plugin.log",)"
                  R"("pluginLogLevel":"DEBUG","podSGEnforcingMode":"strict",)"
                  R"("capabilities":{"io.kubernetes.cri.pod-annotations":true}})";

    add.set_k8s_pod_name("web-7c5ddbdf54-x2x7k");
    add.set_k8s_pod_namespace("default");
    add.set_k8s_pod_infra_container_id(call.container_id);
    add.set_netns(call.netns);
    add.set_ifname("eth0");
    add.set_networkname("aws-cni");
    add.set_containerid(call.container_id);
    add.set_clientversion("v1.23.1");
    del.set_k8s_pod_name("web-7c5ddbdf54-x2x7k");
    del.set_k8s_pod_namespace("default");
    del.set_k8s_pod_infra_container_id(call.container_id);
    del.set_reason("PodDeleted");
    del.set_ifname("eth0");
    del.set_networkname("aws-cni");
    del.set_containerid(call.container_id);
    del.set_clientversion("v1.23.1");
  }

  TrivialAllocator allocator;
  TrivialNode node;
  NoKubernetes kubernetes;
  NoClock clock;
  InstantDriver driver;
  std::optional<Backend> backend;
  LocalChannel channel;
  CniCall call;
  rpc::AddNetworkRequest add;
  rpc::DelNetworkRequest del;
};

void DirectCall(benchmark::State& state) {
  TrivialAllocator allocator;
  const IpamKey key{"aws-cni", std::string(64, 'c'), "eth0"};
  const IpamMetadata metadata{"default", "web-7c5ddbdf54-x2x7k"};
  for (auto _ : state) {
    benchmark::DoNotOptimize(allocator.Assign(key, metadata, false));
    benchmark::DoNotOptimize(RunNow(allocator.Release(key)));
  }
}
BENCHMARK(DirectCall);

void Handlers(benchmark::State& state) {
  Node node;
  for (auto _ : state) {
    rpc::AddNetworkReply added;
    rpc::DelNetworkReply deleted;
    benchmark::DoNotOptimize(RunNow(node.backend->AddNetwork(node.add, &added)));
    benchmark::DoNotOptimize(RunNow(node.backend->DelNetwork(node.del, &deleted)));
  }
}
BENCHMARK(Handlers);

void HandlersOverBytes(benchmark::State& state) {
  Node node;
  const std::string add = node.add.SerializeAsString();
  const std::string del = node.del.SerializeAsString();
  std::string reply;
  for (auto _ : state) {
    benchmark::DoNotOptimize(RunNow(node.backend->Handle(rpc_method::kAddNetwork, add, &reply)));
    benchmark::DoNotOptimize(RunNow(node.backend->Handle(rpc_method::kDelNetwork, del, &reply)));
  }
}
BENCHMARK(HandlersOverBytes);

void PluginWithoutJson(benchmark::State& state) {
  Node node;
  CniPlugin plugin("v1.23.1", {node.channel, node.channel, node.driver});
  const NetworkConfig config = *ParseNetworkConfig(node.call.config);
  const PodAttachment pod{node.call.container_id, node.call.netns, node.call.if_name,
                          *ParsePodArgs(node.call.args), config};
  for (auto _ : state) {
    benchmark::DoNotOptimize(RunNow(plugin.Add(pod)));
    benchmark::DoNotOptimize(RunNow(plugin.Del(pod)));
  }
}
BENCHMARK(PluginWithoutJson);

void FullPath(benchmark::State& state) {
  Node node;
  CniPlugin plugin("v1.23.1", {node.channel, node.channel, node.driver});
  for (auto _ : state) {
    node.call.command = "ADD";
    benchmark::DoNotOptimize(RunNow(plugin.Run(node.call)));
    node.call.command = "DEL";
    benchmark::DoNotOptimize(RunNow(plugin.Run(node.call)));
  }
}
BENCHMARK(FullPath);

}  // namespace
}  // namespace cnisim

BENCHMARK_MAIN();
