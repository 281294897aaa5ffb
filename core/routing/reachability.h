// Whether the pods of a cluster reach one another as Kubernetes wants it: every pod has one address
// that all others know it by, every pod reaches every pod without address translation, and a node's
// agents reach the node's pods. What contradicts that is found, counted and explained.
//
// A pair is right if the first packet of a connection from the one arrives at the other with both
// addresses as they were sent; the answer is the other pair's packet. What is right is what
// ForwardingWalk says: the decision equals a walk of every pair (tested on random clusters, whole
// and broken), but does not make one.
//
// How. A host tells destinations apart only by the blocks that its rules, routes, chains, sets,
// neighbours and addresses name, and sources only by those of its rules and chains. So the pods of
// a node that meet the same rules are one sender, the addresses between the same blocks are one
// destination, and one walk to the fabric decides for all of them. From the fabric to a pod, one
// walk decides for all senders that its node does not tell apart. Between the two stands a graph
// (senders, ENIs, the VPC's router, next hops, tunnels, pods), whose strongly connected components
// are the cluster's islands. Only pairs that this does not settle (a host passes a packet on to
// another one; pods of one node that talk through the fabric) are walked one by one.
//
// Costs. Decide: O(pods log pods), and about 5 walks a pod on VPC CNI nodes; on Calico nodes, also
// one for each block of the cluster. DecideFor: two walks for each pod of that one node, and two
// for each range of other nodes' pods that it tells apart (1 to 3 on VPC CNI nodes, all blocks on
// Calico nodes). tools/bench/bench_routing.cc measures them.
//
// Not judged: services; network policies that are not in the chains; the other family's addresses
// of pods that have two; entries that no packet between pods or from an agent meets.
#ifndef CNISIM_CORE_ROUTING_REACHABILITY_H_
#define CNISIM_CORE_ROUTING_REACHABILITY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/net/ip.h"
#include "core/routing/forwarding_walk.h"
#include "core/routing/host_state.h"
#include "core/routing/vpc_fabric.h"

namespace cnisim {

struct ClusterPod {
  std::string name;  // unique
  std::string node;
  std::string netns;
  IpAddress ip;
};

// A block that an overlay gives to pods. Pods with addresses of the VPC need none.
struct PodPool {
  std::string name;
  IpCidr cidr;
};

enum class ReachabilityProblem : uint8_t {
  kDuplicateAddress,      // two pods have it
  kPodUnreachable,        // the drop reason tells why
  kPodToPodNat,           // arrives from another address: policies and logs see the wrong pod
  kAgentCannotReachPod,   // the node's kubelet, or the pod's answer to it
  kNoRouteAcrossSubnets,  // no encapsulation, and the VPC's router knows no pods
  kSourceDestCheck,       // the ENI's check drops pods' addresses
  kPodMtuTooBig,          // above what the way to other nodes carries
  kOverlappingPools,      // a pool with a pool, a subnet or the VPC
  kLeftover,              // an entry for a pod that is gone
};

std::string_view ReachabilityProblemName(ReachabilityProblem problem);

struct ReachabilityFinding {
  ReachabilityProblem problem = ReachabilityProblem::kPodUnreachable;
  DropReason reason = DropReason::kNone;
  std::string node;         // where it goes wrong; empty: nowhere in particular
  std::string explanation;  // what, where, by which entry, and the remedy
  int64_t pairs = 0;        // how many it concerns
  // Some of them, by their names: from, to. The node itself as sender or receiver is "".
  std::vector<std::pair<std::string, std::string>> examples;
};

struct ReachabilityReport {
  std::vector<ReachabilityFinding> findings;  // the order is defined by the state alone
  int64_t pairs = 0;                          // of different pods
  int64_t unreachable = 0;                    // pairs that are not right
  int64_t walks = 0;                          // what the decision cost
  // Numbers of pods that reach one another, if need be through others; the largest first.
  std::vector<int64_t> islands;

  bool whole() const { return findings.empty(); }
};

// Reads the states and the fabric whenever it is asked; they may change in between.
class Reachability {
 public:
  // `nodes` and `fabric` are used until it is destroyed.
  Reachability(const std::map<std::string, const HostState*>& nodes, const VpcFabric& fabric)
      : nodes_(nodes), fabric_(fabric) {}

  // The pods that there should be. O(log pods). A pod of the same name is replaced.
  void AddPod(const ClusterPod& pod);
  void RemovePod(const std::string& name);
  void AddPool(const PodPool& pool) { pools_.push_back(pool); }

  const std::map<std::string, ClusterPod>& pods() const { return pods_; }

  // The whole cluster. At most so many examples a finding.
  ReachabilityReport Decide(size_t max_examples = 3) const;

  // After a pod has come (AddPod first): with its node's agent, with the pods of its node, and with
  // one pod of each of the ranges of other nodes' pods that its node tells apart, both ways. What
  // only another node has wrong is not seen. After it has gone (RemovePod first): that its node has
  // no entry for its address left.
  std::vector<ReachabilityFinding> DecideFor(const ClusterPod& pod) const;

 private:
  void DuplicatesOf(const ClusterPod& pod, std::vector<ReachabilityFinding>& findings) const;
  std::vector<ReachabilityFinding> OverlappingPools() const;
  std::vector<const ClusterPod*> ExamplesElsewhere(const std::string& node,
                                                   const HostState& host) const;
  void LeftoversOf(const ClusterPod& pod, const HostState& host,
                   std::vector<ReachabilityFinding>& findings) const;

  const std::map<std::string, const HostState*>& nodes_;
  const VpcFabric& fabric_;
  std::vector<PodPool> pools_;
  std::map<std::string, ClusterPod> pods_;
  std::set<std::pair<IpAddress, std::string>> by_address_;  // address, name
  std::map<std::string, std::set<std::string>> by_node_;    // node -> names
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_REACHABILITY_H_
