// A scenario as the world runs it: validated, every default filled in, every reference resolved.
//
// loader.h makes one from YAML; nothing here knows YAML. Names are those of the YAML keys.
#ifndef CNISIM_SIM_SCENARIO_SCENARIO_H_
#define CNISIM_SIM_SCENARIO_SCENARIO_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/ipam/quirks.h"
#include "core/net/ipv4.h"
#include "core/net/node_image.h"
#include "core/ports/clock.h"
#include "core/ports/kubernetes_api.h"
#include "sim/cloud/spec.h"
#include "sim/dataplane/spec.h"
#include "sim/engine/distribution.h"
#include "sim/observe/metrics.h"
#include "sim/scenario/constants.h"

namespace cnisim {

inline constexpr int kMaxRepetitions = 10'000;

enum class InitialState { kSettled, kCold };
enum class Plugin { kAwsVpcCni, kCalico };
enum class Placement { kSpread, kPack };
enum class ChoicePolicy { kRandom, kOldest };

struct NodeSpec {
  std::string instance_type;
  int64_t cpu_milli = 0;  // allocatable
  int64_t memory_mib = 0;
};

struct NodeGroupSpec {
  std::string name;
  std::string instance_type;    // of nodes beyond `nodes`
  std::vector<NodeSpec> nodes;  // what a node list gave, in order; empty without one
  int desired_capacity = 0;
  int max_size = 0;
  std::vector<int> subnets;     // indices into VpcSpec::subnets; nodes take them in turn
  std::optional<int> max_pods;  // empty: auto
  std::map<std::string, std::string> labels;
  std::vector<Taint> taints;  // of effect NoSchedule or NoExecute, which keep pods away alike
  // How long a node stays before it is taken away and replaced, as spot instances are; empty: for
  // good.
  std::optional<Distribution> node_lifetime;
  NodeImage image = NodeImage::kAl2023;  // amiFamily
};

// Calico's own words for encapsulation; carried for the data plane.
enum class Encapsulation { kNone, kVxlan, kVxlanCrossSubnet, kIpip, kIpipCrossSubnet };
// As Calico spells them.
inline constexpr std::array<std::pair<std::string_view, Encapsulation>, 5> kEncapsulations{{
    {"None", Encapsulation::kNone},
    {"VXLAN", Encapsulation::kVxlan},
    {"VXLANCrossSubnet", Encapsulation::kVxlanCrossSubnet},
    {"IPIP", Encapsulation::kIpip},
    {"IPIPCrossSubnet", Encapsulation::kIpipCrossSubnet},
}};
std::string_view NameOf(Encapsulation encapsulation);

// The pool that Calico makes if there is none: calico.yaml's CALICO_IPV4POOL_CIDR.
inline constexpr std::string_view kDefaultPoolName = "default-ipv4-ippool";
inline constexpr std::string_view kDefaultPoolCidr = "192.168.0.0/16";

struct IpPoolSpec {
  std::string name;
  Ipv4Cidr cidr;
  Encapsulation encapsulation = Encapsulation::kVxlan;
  int block_size = 26;
  bool nat_outgoing = true;
};

struct CalicoSpec {
  std::vector<IpPoolSpec> ip_pools;
  bool strict_affinity = false;
  int max_blocks_per_host = 0;  // 0: Calico's own limit of 20
  // v3.MINOR.PATCH: routes differ from release to release.
  int minor = 32;
  int patch = 1;
  // FelixConfiguration's awsSrcDstCheck is Disable: Felix turns off the ENIs' check.
  bool disables_src_dst_check = false;
  // The manifest's veth_mtu, the operator's mtu: of pods, and at most of the tunnels' devices.
  // Empty: what the pools' encapsulations leave of the link's.
  std::optional<int> pod_mtu;
  // tx-checksum-ip-generic of vxlan.calico; FelixConfiguration's featureDetectOverride
  // ChecksumOffloadBroken turns it off.
  bool vxlan_checksum_offload = true;
};

// crd.k8s.amazonaws.com ENIConfig: where custom networking puts new ENIs.
struct EniConfigSpec {
  std::string name;
  size_t subnet = 0;  // index into VpcSpec::subnets
  std::vector<std::string> security_groups;
};

struct NetworkSpec {
  Plugin plugin = Plugin::kAwsVpcCni;
  // What the scenario says over the shipped manifest; an empty value unsets the variable.
  std::map<std::string, std::optional<std::string>> env;
  Quirks quirks;
  std::vector<EniConfigSpec> eni_configs;
  ChoicePolicy choice = ChoicePolicy::kRandom;
  CalicoSpec calico;
  int mtu = 9001;  // of Calico's nodes' links; the VPC CNI sets its own by AWS_VPC_ENI_MTU
  KubeProxySpec kube_proxy;
};

struct SchedulerSpec {
  Placement placement = Placement::kSpread;
};

// Of taints. An empty key tolerates every key, an empty effect every effect.
struct Toleration {
  std::string key;
  bool exists = false;  // operator Exists: whatever the value
  std::string value;
  std::string effect;

  friend bool operator==(const Toleration&, const Toleration&) = default;
};

struct PodTemplate {
  std::string ns = "default";
  int64_t cpu_milli = 0;  // requests
  int64_t memory_mib = 0;
  bool host_network = false;
  std::map<std::string, std::string> node_selector;
  std::vector<Toleration> tolerations;
  // What selector and tolerations leave of the node groups (pod_placement.h), ascending; empty:
  // all.
  std::optional<std::vector<int>> node_groups;
  // Of a SecurityGroupPolicy that selects it: each pod has a branch ENI with these. Empty: none.
  std::vector<std::string> security_groups;
};

// Replicas that begin on a node.
struct PlacedPods {
  int node_group = 0;  // index into Scenario::node_groups
  int number = 1;      // GROUP-N
  int pods = 0;
};

struct DeploymentSpec {
  int replicas = 0;
  // A pod whose lifetime ends is replaced; empty: pods live for ever.
  std::optional<Distribution> pod_lifetime;
  // Empty: there from the start (running at time zero when initialState is settled).
  std::optional<TimePoint> start_at;
  // Where replicas are at time zero of a settled start; the scheduler places the others.
  std::vector<PlacedPods> placed_on = {};
};

struct CronJobSpec {
  // Exactly one of the two: a batch each period, or batches in a Poisson stream.
  std::optional<Duration> every;
  std::optional<double> poisson_rate_per_second;
  int parallelism = 1;  // pods a batch
  Distribution active_for;
  std::optional<TimePoint> start_at;
};

struct DaemonSetSpec {};

struct TracePod {
  std::string name;
  TimePoint created;
  std::optional<TimePoint> deleted;
  int64_t cpu_milli = 0;
  int64_t memory_mib = 0;
  bool host_network = false;
};

struct TraceSpec {
  std::vector<TracePod> pods;  // by creation time
};

struct WorkloadSpec {
  std::string name;
  PodTemplate pod;
  std::variant<DeploymentSpec, CronJobSpec, DaemonSetSpec, TraceSpec> kind;
};

// A Service of the workload's pods, in their namespace.
struct ServiceSpec {
  std::string name;
  int workload = 0;  // index into Scenario::workloads
  int port = 0;
  int target_port = 0;
  std::string protocol = "tcp";  // or udp
  std::optional<int> node_port;
  Ipv4Address cluster_ip;  // of the block that EKS takes for a VPC like this
};

struct ScaleWorkload {
  int workload = 0;  // index into Scenario::workloads, a Deployment
  int replicas = 0;
};

struct ScaleNodeGroup {
  int node_group = 0;
  int desired_capacity = 0;
};

// The agent's container restarts: its memory is lost, its checkpoint is not.
struct RestartAgent {
  std::string node;  // GROUP-N; N counts from 1
};

// The environment of the aws-node DaemonSet changes and is rolled out over the nodes.
struct SetEnv {
  std::map<std::string, std::optional<std::string>> env;  // an empty value unsets the variable
};

struct EventSpec {
  TimePoint at;
  std::variant<ScaleWorkload, ScaleNodeGroup, RestartAgent, SetEnv> action;
  size_t written = 0;  // its index in the scenario's list
};

enum class Statistic { kMin, kMax, kMean, kP50, kP90, kP95, kP99, kP999, kLast, kSum, kCount };
enum class Comparison { kLessEqual, kLess, kGreaterEqual, kGreater, kEqual };

// metric[{label="value"}].statistic
struct FigureSpec {
  Metric metric = Metric::kSubnetFreeIps;
  std::optional<std::string> entity;  // the label's value; empty: all
  Statistic statistic = Statistic::kMin;
};

// figure comparison bound
struct ExpectationSpec {
  std::string name;
  std::string assertion;  // as written
  FigureSpec figure;
  Comparison comparison = Comparison::kLessEqual;
  double bound = 0;  // in the metric's unit (seconds for times)
  bool warn_only = false;
};

enum class PodRows { kAll, kNone };

struct RecordSpec {
  Duration interval = std::chrono::seconds(10);  // a series keeps at most one point an interval
  PodRows pods = PodRows::kAll;                  // pod and address_history rows
};

struct Scenario {
  std::string name;
  Duration duration{};
  uint64_t seed = 1;
  int repetitions = 1;
  Duration measure_from{};  // statistics leave out what came before
  InitialState initial_state = InitialState::kSettled;
  bool system_pods = true;      // aws-node and kube-proxy on every node
  bool park_idle_pools = true;  // false polls every pool honestly; results are the same
  VpcSpec vpc;
  Ec2Spec ec2;
  Constants constants;
  std::vector<NodeGroupSpec> node_groups;
  NetworkSpec network;
  SchedulerSpec scheduler;
  std::vector<WorkloadSpec> workloads;
  std::vector<ServiceSpec> services;
  std::vector<TrafficSpec> traffic;
  DataPlaneSpec data_plane;
  std::vector<EventSpec> events;  // by time, then as written
  std::vector<ExpectationSpec> expectations;
  RecordSpec record;
};

// Whether some workload's pods have security groups of their own.
inline bool HasPodsWithBranchEnis(const Scenario& scenario) {
  return std::ranges::any_of(scenario.workloads, [](const WorkloadSpec& workload) {
    return !workload.pod.security_groups.empty();
  });
}

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_SCENARIO_H_
