// Calico's block IPAM for a simulated cluster: no EC2 call, no pool of warm addresses; nodes own
// blocks of a cluster-wide pool and pods take addresses from them.
//
// The datastore calls that an ADD or DEL makes cost time (constant calico.datastoreWrite), one
// host's calls one after the other, as under the plugin's host-wide lock. Leaked addresses and
// empty blocks are collected as kube-controllers does.
#ifndef CNISIM_SIM_CLUSTER_CALICO_NETWORK_H_
#define CNISIM_SIM_CLUSTER_CALICO_NETWORK_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/ipam/calico/block_store.h"
#include "core/ipam/calico/calico_ipam.h"
#include "core/ipam/calico/errors.h"
#include "core/ipam/calico/garbage_collector.h"
#include "sim/cluster/calico_kernels.h"
#include "sim/cluster/network_factory.h"

namespace cnisim {

class CalicoFactory final : public NetworkFactory, private CalicoClusterView {
 public:
  CalicoFactory(ClusterContext& context, const Ec2& ec2);

  int MaxPods(const InstanceType& type) const override;
  std::unique_ptr<NodeNetwork> MakeNetwork(Node& node) override;
  void SetEnv(const std::map<std::string, std::optional<std::string>>&) override {}  // has none
  void OnNodeGone(Node& node) override;
  void TellLevels() override;
  void TellFindings() override {}
  std::vector<std::string> CheckInvariants() override;

 private:
  class NodeIpam;

  bool NodeExists(std::string_view node) const override;
  bool PodHasAddress(std::string_view pod_namespace, std::string_view pod,
                     Ipv4Address address) const override;
  void CollectLater();

  ClusterContext& context_;
  std::set<CalicoTunnel> tunnels_;  // that any pool has
  BlockStore store_;
  CalicoIpam ipam_;
  CalicoGarbageCollector collector_;
  CalicoNodes nodes_;
  std::unordered_map<IpAddress, const Pod*> pods_by_address_;  // as of the last collection
  CalicoKernels kernels_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_CALICO_NETWORK_H_
