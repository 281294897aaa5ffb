// What the kernels of a simulated Calico cluster's nodes hold: planned anew, from the datastore's
// blocks and the nodes' pods, whenever somebody looks after something has happened.
//
// Felix and BIRD are taken to have caught up: a block claimed now is a route on every node now.
// Complexity: a look costs a pass over blocks and pods, and the node's own routes.
#ifndef CNISIM_SIM_CLUSTER_CALICO_KERNELS_H_
#define CNISIM_SIM_CLUSTER_CALICO_KERNELS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/ipam/calico/block_store.h"
#include "core/routing/calico_planner.h"
#include "core/routing/host_state.h"
#include "sim/cloud/ec2.h"
#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node.h"

namespace cnisim {

using CalicoNodes = std::map<std::string, const Node*, std::less<>>;

class CalicoKernels {
 public:
  // All outlive this.
  CalicoKernels(const ClusterContext& context, const Ec2& ec2, const BlockStore& store,
                const CalicoNodes& nodes)
      : context_(context), ec2_(ec2), store_(store), nodes_(nodes) {}

  // Null if the node is none of `nodes`, or its pods and blocks contradict each other. Valid until
  // the next event.
  const HostState* Of(const Node& node);

 private:
  CalicoCluster ClusterNow() const;
  CalicoNode NodeNow(const Node& node) const;

  const ClusterContext& context_;
  const Ec2& ec2_;
  const BlockStore& store_;
  const CalicoNodes& nodes_;
  // As of so many events and changes of pods' addresses.
  std::pair<uint64_t, uint64_t> as_of_;
  CalicoCluster cluster_;
  std::map<std::string, HostState, std::less<>> states_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_CALICO_KERNELS_H_
