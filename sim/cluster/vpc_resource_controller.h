// The VPC resource controller of the simulated control plane: gives nodes their trunk ENIs and pods
// with security groups of their own their branch ENIs.
//
// A node whose CNINode has the feature SecurityGroupsForPods, and whose type can, gets a trunk ENI,
// and with it as many of the extended resource vpc.amazonaws.com/pod-eni as the type has branch
// ENIs. A pod that is bound there and wants one gets a branch ENI: created, associated with the
// trunk, written into the pod's annotation. After the pod is gone its branch ENI keeps the address
// and its place on the trunk for a cooldown, and is then deleted; a node that goes takes all of its
// own along at once. With custom networking both kinds are in the subnet of the node's ENIConfig.
//
// Jobs are worked off in the order of their coming by a fixed number of workers. Calls to EC2 go
// through the account's buckets as everybody's do, and through the controller's own rate limits
// before that: one for associations, one for all else; each for logical calls, whose retries the
// SDK makes. What fails is tried again, after pauses that double. A pod for which cooling branch
// ENIs leave no place on the trunk is tried again after the cooldown.
//
// Source: amazon-vpc-resource-controller-k8s (pkg/provider/branch, pkg/worker); its figures are in
// sim/scenario/constants.inc. Left out: IPv6, leader election, leaked-ENI clean-up (nothing leaks
// while the controller does not restart).
// An event costs O(log nodes + branch ENIs of the node).
#ifndef CNISIM_SIM_CLUSTER_VPC_RESOURCE_CONTROLLER_H_
#define CNISIM_SIM_CLUSTER_VPC_RESOURCE_CONTROLLER_H_

#include <bitset>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/ports/kubernetes_api.h"
#include "sim/cloud/ec2.h"
#include "sim/cloud/ec2_client.h"
#include "sim/cluster/cluster_context.h"
#include "sim/cluster/node.h"
#include "sim/cluster/pod_store.h"
#include "sim/cluster/rate_limiter.h"

namespace cnisim {

class VpcResourceController {
 public:
  // `on_capacity` is called when a node has branch ENIs to give, and may not come back at once.
  VpcResourceController(ClusterContext& context, Ec2& ec2, PodStore& pods,
                        std::function<void()> on_capacity);
  VpcResourceController(const VpcResourceController&) = delete;
  VpcResourceController& operator=(const VpcResourceController&) = delete;

  // The node's CNINode has these features, if it had them not before.
  void PatchCniNode(Node& node, const std::vector<CniNodeFeature>& features);
  void OnPodBound(const Pod& pod);
  // Its pods are gone before a node is.
  void OnPodGone(const Pod& pod);
  void OnNodeGone(const Node& node);

  // At time zero: tells levels.
  void TellLevels();
  // Broken invariants, in words.
  std::vector<std::string> CheckInvariants() const;

 private:
  using NodeIndex = uint32_t;  // Node::index

  struct Branch {
    std::string eni_id;
    int vlan = 0;
    NodeIndex node = 0;
    int node_group = 0;
  };

  struct NodeState {
    Node* node = nullptr;
    size_t subnet = 0;  // of its trunk and branch ENIs; an index into VpcSpec::subnets
    bool wants_trunk = false;
    std::string trunk_id;                    // empty: not attached yet
    std::bitset<kLastBranchVlan + 1> vlans;  // from before a branch ENI is made until it is gone
    std::map<PodId, Branch> of_pods;
    std::vector<Branch> cooling;

    int FreeVlan() const;  // 0: none, or the type allows no more branch ENIs
  };

  // To make the branch ENI of a pod; or, with an ENI, to delete that one. VLAN 0: a trunk.
  struct Job {
    PodId pod = 0;
    Branch unwanted;
    int failures = 0;
  };

  NodeState* Find(NodeIndex index);
  Duration Sample(const Distribution& distribution);
  Duration BackOff(int failures);
  Task<void> Grant(RateLimiter& limiter);
  Task<void> PatchKubernetes();
  void Count(int node_group, int change);

  Task<void> MakeTrunk(NodeIndex index);
  Task<bool> TryTrunk(NodeIndex index);
  // The attachment's id.
  Task<Result<std::string>> AttachTrunk(std::string eni_id, std::string instance_id, int device);
  Task<void> DeleteOnTermination(NodeIndex index, std::string eni_id, std::string attachment_id);

  void Submit(Job job);
  void SubmitAfter(Duration pause, Job job);
  void TryAgain(Job job);
  Task<void> Work();
  Task<void> MakeBranch(Job job);
  Task<void> DeleteEni(Job job);
  void Delete(Branch branch);

  ClusterContext& context_;
  Ec2& ec2_;
  PodStore& pods_;
  std::function<void()> on_capacity_;
  Ec2Caller caller_;
  Ec2Client client_;
  RateLimiter calls_;
  RateLimiter associations_;
  uint64_t samples_ = 0;
  std::map<NodeIndex, NodeState> nodes_;  // that the controller has to do with
  std::deque<Job> queue_;
  int workers_ = 0;  // at work
  bool tells_;
  std::vector<int64_t> levels_;  // branch ENIs that exist, by node group
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_VPC_RESOURCE_CONTROLLER_H_
