// What files about a real cluster say, each by itself: the AWS CLI's answers, kubectl's objects, an
// eksctl configuration and agents' pages. Plain values; who belongs to whom is decided later
// (cluster_model.h). Names are those of the tools.
#ifndef CNISIM_SIM_IMPORT_CLUSTER_FACTS_H_
#define CNISIM_SIM_IMPORT_CLUSTER_FACTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/net/ipv4.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

using Texts = std::map<std::string, std::string>;

// --- aws ec2 describe-* ---

struct VpcFact {
  std::string id;
  std::vector<Ipv4Cidr> blocks;
  std::string ipv6_block;  // empty: none
};

struct SubnetFact {
  std::string id;
  std::string vpc;
  std::string zone;
  std::optional<Ipv4Cidr> cidr;
  std::optional<int64_t> available;  // AvailableIpAddressCount
  Texts tags;
};

struct EniFact {
  std::string id;
  std::string subnet;
  std::string vpc;
  std::string instance;  // empty: attached to none
  std::string type;      // interface, trunk, branch, ...
  std::string trunk;     // of a branch ENI: the trunk ENI that it is on
  Ipv4Address primary_ip;
  int64_t secondary_ips = 0;
  int64_t prefixes = 0;
  std::vector<std::string> groups;

  int64_t addresses() const;  // of its subnet that are taken
};

struct InstanceFact {
  std::string id;
  std::string type;
  std::string state;
  std::string vpc;
  std::string subnet;
  std::string zone;
  std::string private_ip;
  std::string private_dns_name;
  Texts tags;
};

// --- kubectl ---

struct NodeFact {
  std::string name;
  std::string provider_id;  // aws:///us-east-1a/i-0abc...
  std::string internal_ip;
  std::string os_image;
  std::optional<int> max_pods;
  Texts labels;
  Texts annotations;
  std::vector<Taint> taints;  // those that keep pods away
};

// Of a pod, or of a workload's template.
struct PodSpecFact {
  Texts labels;
  Texts node_selector;
  std::vector<Toleration> tolerations;
  bool has_affinity = false;  // to nodes, beyond what became part of the selector
  bool host_network = false;
  int64_t cpu_milli = 0;
  int64_t memory_mib = 0;
  std::string service_account;
  std::string image;                                     // of the first container
  std::vector<std::pair<std::string, std::string>> env;  // of the first container
};

struct PodFact {
  std::string ns;
  std::string name;
  std::string owner_kind;  // empty: nobody's
  std::string owner;
  std::string node;
  std::string phase;
  bool deleting = false;
  bool has_ip = false;
  std::string branch_eni;  // of annotation vpc.amazonaws.com/pod-eni
  PodSpecFact spec;
};

struct WorkloadFact {
  std::string kind;
  std::string ns;
  std::string name;
  std::string owner_kind;  // of ReplicaSets and Jobs
  std::string owner;
  int replicas = 0;
  PodSpecFact pod;
};

struct EniConfigFact {
  std::string name;
  std::string subnet;
  std::vector<std::string> groups;
};

struct SecurityGroupPolicyFact {
  std::string ns;
  std::string name;
  std::optional<Texts> pod_labels;      // matchLabels of podSelector
  std::optional<Texts> account_labels;  // of serviceAccountSelector, which need the accounts
  std::vector<std::string> groups;
};

// --- eksctl ---

struct EksctlGroupFact {
  std::string name;
  std::string instance_type;
  std::vector<std::string> more_types;  // of a mixed group
  std::optional<int> desired;
  std::optional<int> max_size;
  std::optional<int> max_pods;
  std::string ami_family;
  std::vector<std::string> zones;
  std::vector<std::string> subnets;
  Texts labels;
  std::vector<Taint> taints;
};

struct EksctlSubnetFact {
  std::string name;
  std::string id;
  std::string zone;
  std::optional<Ipv4Cidr> cidr;
  bool is_private = false;
};

struct EksctlFact {
  std::string cluster;
  std::string region;
  std::optional<Ipv4Cidr> vpc_cidr;
  std::vector<std::string> zones;
  std::vector<EksctlSubnetFact> subnets;
  std::vector<EksctlGroupFact> groups;
  Texts env;  // of the add-on vpc-cni
};

// --- The agent's /v1/enis ---

struct AgentEniFact {
  std::string id;
  std::string subnet;
  bool primary = false;
  int64_t addresses = 0;  // for pods, by all CIDRs
  int64_t prefixes = 0;
};

struct AgentFact {
  std::string file;
  std::vector<AgentEniFact> enis;
  int64_t total = 0;
  int64_t assigned = 0;
  std::vector<std::pair<std::string, std::string>> pods;  // namespace and name
};

struct ClusterFacts {
  // What was there, by the word that users know it by: describe-subnets, Node, Pod, ClusterConfig.
  std::set<std::string> seen;
  bool Has(const char* kind) const { return seen.contains(kind); }

  // "KIND NAMESPACE/NAME" of Kubernetes' objects that were read.
  std::unordered_set<std::string> objects;

  std::map<std::string, VpcFact> vpcs;  // by id, as subnets and ENIs are
  std::map<std::string, SubnetFact> subnets;
  std::map<std::string, EniFact> enis;
  std::vector<InstanceFact> instances;
  std::vector<NodeFact> nodes;
  std::vector<PodFact> pods;
  std::vector<WorkloadFact> workloads;  // ReplicaSets and Jobs included
  std::vector<EniConfigFact> eni_configs;
  std::vector<SecurityGroupPolicyFact> policies;
  std::vector<std::string> services;
  std::vector<IpPoolSpec> ip_pools;
  std::vector<std::string> disabled_ip_pools;
  std::optional<bool> strict_affinity;  // of Calico's IPAMConfiguration
  std::optional<int> max_blocks_per_host;
  std::string aws_src_dst_check;  // of FelixConfiguration default; empty: not said
  std::vector<EksctlFact> eksctl;
  std::vector<AgentFact> agents;
  std::vector<std::string> incomplete;  // answers that say that there is more
};

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_CLUSTER_FACTS_H_
