// Why a packet was lost or changed: the walk's end put beside what the hosts and the fabric hold,
// in words that name the entry at fault and the remedy.
#ifndef CNISIM_CORE_ROUTING_REACHABILITY_DIAGNOSIS_H_
#define CNISIM_CORE_ROUTING_REACHABILITY_DIAGNOSIS_H_

#include <map>
#include <string>

#include "core/routing/forwarding_walk.h"
#include "core/routing/reachability.h"
#include "core/routing/vpc_fabric.h"

namespace cnisim {

struct Diagnosis {
  ReachabilityProblem problem = ReachabilityProblem::kPodUnreachable;
  DropReason reason = DropReason::kNone;
  std::string node;
  std::string cause;
};

// Of a walk that did not bring the packet from the one to the other as it was sent, or that had to
// cut it. Either may be an agent.
Diagnosis Diagnose(const std::map<std::string, const HostState*>& nodes, const VpcFabric& fabric,
                   const ClusterPod& from, const ClusterPod& to, const WalkResult& walk);

// Of a pod that its node's agent does not reach, or that cannot answer it.
Diagnosis DiagnoseAgent(const std::map<std::string, const HostState*>& nodes,
                        const VpcFabric& fabric, const ClusterPod& pod);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_REACHABILITY_DIAGNOSIS_H_
