// What the VPC CNI's agent and plugin meet on a simulated node, beside EC2 and Kubernetes: the
// kernel, the disk and the network policy agent. All of it answers at once; what takes time on a
// real node is charged by the kubelet (cni.rtnlHold).
#ifndef CNISIM_SIM_CLUSTER_VPC_CNI_PORTS_H_
#define CNISIM_SIM_CLUSTER_VPC_CNI_PORTS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/cni/pod_network_driver.h"
#include "core/ports/checkpoint_store.h"
#include "core/ports/host_network.h"
#include "core/rpc/rpc_channel.h"

namespace cnisim {

class Node;

// The node's kernel, as far as the agent asks it: which pods have an interface.
class SimNodeHost final : public HostNetwork {
 public:
  explicit SimNodeHost(const Node& node) : node_(node) {}

  Task<Status> SetupHost(IpAddress, std::vector<IpCidr>) override { co_return Status(); }
  Task<Status> CleanUpStaleChains() override { co_return Status(); }
  Task<Status> UpdateVpcCidrs(std::vector<IpCidr>) override { co_return Status(); }
  Task<Status> RefreshPodRules(std::vector<IpAddress>) override { co_return Status(); }
  Task<Status> SetupEni(IpAddress, int, int, int) override { co_return Status(); }
  // Whatever its number is: only the driver of pods' interfaces would use it.
  Task<Result<int>> LinkIndex(IpAddress) override { co_return 1; }
  Task<Result<std::vector<int>>> TablesOfSource(IpAddress) override {
    co_return std::vector<int>();
  }
  Task<Status> DeleteEniRule(IpAddress) override { co_return Status(); }
  Task<Status> DeleteToPodRule(IpAddress) override { co_return Status(); }
  Task<Status> DeleteFromPodRule(IpAddress) override { co_return Status(); }
  Task<Result<std::vector<std::string>>> ListLinks() override;

 private:
  const Node& node_;
};

// A checkpoint file, kept as what it says.
class SimCheckpoint final : public CheckpointStore {
 public:
  Result<std::optional<std::vector<Allocation>>> Load() override;
  Status Save(const AllocationChange& change, const AllocationSource& all) override;
  Status Rewrite(const AllocationSource& all) override;
  size_t size() const { return allocations_.size(); }

 private:
  bool written_ = false;
  std::unordered_map<IpamKey, Allocation> allocations_;
};

class SimCheckpoints final : public CheckpointStores {
 public:
  CheckpointStore& ForCard(int network_card) override { return cards_[network_card]; }
  size_t size() const;

 private:
  std::map<int, SimCheckpoint> cards_;
};

// Stands in for the network policy agent that the shipped manifest runs beside the agent: it
// enforces nothing and says so at once.
class AllowingPolicyAgent final : public RpcChannel {
 public:
  Task<Status> Connect(Duration) override { co_return Status(); }
  Task<RpcStatus> Call(std::string_view method, std::string_view request,
                       std::string* reply) override;
};

// Pods' interfaces, made and removed without fail.
class InstantDriver final : public PodNetworkDriver {
 public:
  Task<Status> SetupPodNetwork(std::vector<PodInterface>, std::string, int) override {
    co_return Status();
  }
  Task<Status> TeardownPodNetwork(std::vector<PodInterface>) override { co_return Status(); }
  Task<Status> SetupBranchPodNetwork(PodInterface, std::string, BranchLink, int,
                                     EnforcingMode) override {
    co_return Status();
  }
  Task<Status> TeardownBranchPodNetwork(PodInterface, int, EnforcingMode) override {
    co_return Status();
  }
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_VPC_CNI_PORTS_H_
