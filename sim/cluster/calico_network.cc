#include "sim/cluster/calico_network.h"

#include <algorithm>
#include <cassert>

#include "sim/cluster/network_model.h"
#include "sim/cluster/node.h"
#include "sim/cluster/pod_store.h"

namespace cnisim {
namespace {

std::optional<CalicoTunnel> TunnelOf(Encapsulation encapsulation) {
  switch (encapsulation) {
    case Encapsulation::kNone:
      return std::nullopt;
    case Encapsulation::kVxlan:
    case Encapsulation::kVxlanCrossSubnet:
      return CalicoTunnel::kVxlan;
    case Encapsulation::kIpip:
    case Encapsulation::kIpipCrossSubnet:
      return CalicoTunnel::kIpip;
  }
  return std::nullopt;
}

CalicoIpamConfig ConfigOf(const CalicoSpec& spec) {
  CalicoIpamConfig config;
  config.strict_affinity = spec.strict_affinity;
  config.max_blocks_per_host = spec.max_blocks_per_host;
  return config;
}

}  // namespace

class CalicoFactory::NodeIpam final : public NodeNetwork {
 public:
  NodeIpam(CalicoFactory& cluster, Node& node)
      : cluster_(cluster),
        node_(node),
        stream_(cluster.context_.seed, HashName(node.name()), HashName("calico")) {}

  void Start(std::function<void()> on_ready) override {
    on_ready_ = std::move(on_ready);
    flow_ = RunContainer(Duration::zero());
    flow_.Start();
  }

  // Felix restarts; the CNI plugin needs no agent and goes on working.
  void Restart() override {
    flow_ = RunContainer(node_.Sample(Constants().node_agent_start, "restart"));
    flow_.Start();
  }

  bool Serving() const override { return true; }
  void Stop() override { flow_ = Task<void>(); }

  Task<Result<PodNetwork>> Add(Pod& pod) override {
    AssignRequest request;
    request.host = node_.name();
    request.handle = SandboxHandle(pod.sandbox_id);
    request.pod_namespace = node_.NamespaceOf(pod);
    request.pod = pod.name;
    const AssignReply reply = cluster_.ipam_.AutoAssign(request, Now());
    if (!reply.status) {
      last_error_ = reply.status.error().code;
      co_await Simulation().SleepUntil(AfterCalls(reply.cost));
      co_return tl::unexpected(reply.status.error());
    }
    // A pod that is deleted while it waits has its address already: its DEL gives it back.
    pod.ip = reply.addresses.front().address;
    pod.ip_since = Now();
    co_await Simulation().SleepUntil(AfterCalls(reply.cost));
    PodNetwork network;
    network.ip = reply.addresses.front().address;
    co_return network;
  }

  WaitReason ExplainFailure(const Pod&) override {
    if (last_error_ == calico_error::kPoolsExhausted) return WaitReason::kPoolEmpty;
    return WaitReason::kIpamError;
  }

  Task<void> Del(Pod& pod) override {
    pod.disconnected = true;
    ++cluster_.context_.address_changes;
    if (cluster_.context_.network_model != nullptr && pod.ip) {
      cluster_.context_.network_model->OnPodGone(ClusterPodOf(pod));
    }
    const ReleaseReply reply =
        cluster_.ipam_.ReleasePod(pod.sandbox_id, node_.NamespaceOf(pod), pod.name, Now());
    co_await Simulation().SleepUntil(AfterCalls(reply.cost));
  }

  void Tell() override {}
  const HostState* Kernel() override {
    return cluster_.context_.track_kernels ? cluster_.kernels_.Of(node_) : nullptr;
  }
  std::vector<std::string> CheckInvariants() override { return {}; }

 private:
  Task<void> RunContainer(Duration start_delay) {
    co_await Simulation().Sleep(start_delay);
    for (const CalicoTunnel tunnel : cluster_.tunnels_) {
      const AssignReply reply = cluster_.ipam_.AssignTunnelAddress(node_.name(), tunnel, Now());
      if (!reply.status) {
        cluster_.context_.TellFinding(
            "tunnel-without-address", Severity::kError,
            node_.name() + ": no address for its tunnel device: " + reply.status.error().message);
      }
      co_await Simulation().SleepUntil(AfterCalls(reply.cost));
    }
    on_ready_();
  }

  // When the calls of one operation are answered, if it gets the host-wide lock in turn.
  TimePoint AfterCalls(const DatastoreCost& cost) {
    if (cluster_.context_.warming_up) return Now();
    Duration total{};
    for (int64_t i = 0; i < cost.calls(); ++i) {
      total += Constants().calico_datastore_write.Sample(stream_);
    }
    lock_free_ = std::max(lock_free_, Now()) + total;
    return lock_free_;
  }

  const cnisim::Constants& Constants() const { return cluster_.context_.scenario.constants; }
  cnisim::Simulation& Simulation() { return cluster_.context_.simulation; }
  TimePoint Now() const { return cluster_.context_.Now(); }

  CalicoFactory& cluster_;
  Node& node_;
  RandomStream stream_;
  TimePoint lock_free_ = kLongAgo;
  std::string last_error_;
  std::function<void()> on_ready_;
  Task<void> flow_;
};

CalicoFactory::CalicoFactory(ClusterContext& context, const Ec2& ec2)
    : context_(context),
      ipam_(store_, ConfigOf(context.scenario.network.calico)),
      collector_(ipam_),
      kernels_(context, ec2, store_, nodes_) {
  for (const IpPoolSpec& spec : context.scenario.network.calico.ip_pools) {
    IpPool pool;
    pool.name = spec.name;
    pool.cidr = spec.cidr;
    pool.block_size = spec.block_size;
    pool.tunnel = TunnelOf(spec.encapsulation);
    if (pool.tunnel) tunnels_.insert(*pool.tunnel);
    const Status added = store_.AddPool(std::move(pool));
    assert(added);
    static_cast<void>(added);
  }
  CollectLater();
}

int CalicoFactory::MaxPods(const InstanceType&) const {
  return 110;  // the kubelet's own default: no ENI limits the number of pods
}

std::unique_ptr<NodeNetwork> CalicoFactory::MakeNetwork(Node& node) {
  nodes_.emplace(node.name(), &node);
  return std::make_unique<NodeIpam>(*this, node);
}

void CalicoFactory::OnNodeGone(Node& node) { nodes_.erase(node.name()); }

void CalicoFactory::TellLevels() {}

std::vector<std::string> CalicoFactory::CheckInvariants() { return store_.CheckInvariants(); }

bool CalicoFactory::NodeExists(std::string_view node) const { return nodes_.contains(node); }

bool CalicoFactory::PodHasAddress(std::string_view pod_namespace, std::string_view pod,
                                  Ipv4Address address) const {
  const auto it = pods_by_address_.find(address);
  if (it == pods_by_address_.end()) return false;
  const Pod& holder = *it->second;
  return holder.name == pod && holder.node->NamespaceOf(holder) == pod_namespace;
}

void CalicoFactory::CollectLater() {
  context_.simulation.Call(context_.Now() + collector_.sync_period(), [this] {
    pods_by_address_.clear();
    for (const auto& [name, node] : nodes_) {
      for (const Pod* pod : node->pods()) {
        if (pod->ip) pods_by_address_.emplace(*pod->ip, pod);
      }
    }
    collector_.Sync(context_.Now(), *this);
    CollectLater();
  });
}

}  // namespace cnisim
