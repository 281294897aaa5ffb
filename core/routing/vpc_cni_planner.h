// What the Amazon VPC CNI's agent and plugin do to a node's network, as operations and as the
// state that they lead to.
//
// Each function plans one moment of a node's life (start of the agent, an ENI comes or goes, a pod
// comes or goes) from that moment's own facts, so planning a pod costs the same however many there
// are. PlanNode is the state after all of them. Additions stand in the order in which the real
// agent issues them; a removal is the addition undone, last first.
//
// Not here, as the agent does not own it: net.ipv4.ip_forward, kube-proxy's chains (kube_proxy.h),
// network policies. Sizes in bytes. All figures: amazon-vpc-cni-k8s v1.23.1, pkg/networkutils,
// cmd/routed-eni-cni-plugin/driver and cmd/aws-vpc-cni-init.
#ifndef CNISIM_CORE_ROUTING_VPC_CNI_PLANNER_H_
#define CNISIM_CORE_ROUTING_VPC_CNI_PLANNER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/net/enforcing_mode.h"
#include "core/net/ip.h"
#include "core/net/mac.h"
#include "core/net/node_image.h"
#include "core/routing/host_state.h"
#include "core/routing/operation.h"

namespace cnisim {

// Priorities of the agent's rules.
inline constexpr int kBranchEniRule = 10;
inline constexpr int kStrictLocalRule = 20;  // where strict enforcing moves the local table's rule
inline constexpr int kToPodRule = 512;
inline constexpr int kMainEniRule = 1024;
inline constexpr int kExternalServiceRule = 1535;
inline constexpr int kFromPodRule = 1536;
inline constexpr int kFromEniRule = 32765;

// IPv6 nodes: what pods reach IPv4 with, and the opposite on IPv4 nodes.
inline constexpr Ipv4Cidr kV4EgressRange{Ipv4Address(169, 254, 172, 0), 22};
inline constexpr Ipv6Cidr kV6EgressRange{Ipv6Address(0xfd00000000000000, 0xac0000), 118};

// The AL2023 image's iptables is nf_tables, AL2's is legacy; the agent follows.
enum class ConnmarkBackend : uint8_t { kIptables, kNftables };
using SecurityGroupEnforcing = EnforcingMode;

// The environment, with the defaults of v1.23.1. Fields that the agent's introspection shows too
// have the same names there.
struct VpcCniHostSettings {
  uint32_t connmark = 0x80;                    // AWS_VPC_K8S_CNI_CONNMARK
  std::vector<IpCidr> exclude_snat_cidrs;      // ..._EXCLUDE_SNAT_CIDRS
  bool external_snat = false;                  // ..._EXTERNALSNAT
  std::vector<IpCidr> external_service_cidrs;  // AWS_EXTERNAL_SERVICE_CIDRS
  int mtu = 9001;                              // AWS_VPC_ENI_MTU
  int pod_mtu = 0;                             // POD_MTU; 0: as the ENIs'
  bool node_port_support = true;               // AWS_VPC_CNI_NODE_PORT_SUPPORT
  std::string randomize_snat = "prng";         // ..._RANDOMIZESNAT: prng, hashrandom, none
  std::string veth_prefix = "eni";             // AWS_VPC_K8S_CNI_VETHPREFIX
  bool ipv6 = false;                           // ENABLE_IPv6
  bool v6_egress = false;                      // ENABLE_V6_EGRESS; IPv4 nodes only
  bool pod_eni = false;                        // ENABLE_POD_ENI
  SecurityGroupEnforcing enforcing = SecurityGroupEnforcing::kStrict;  // POD_SECURITY_GROUP_...
  bool tcp_early_demux = true;  // not DISABLE_TCP_EARLY_DEMUX
  ConnmarkBackend connmark_backend = ConnmarkBackend::kIptables;

  bool strict() const { return pod_eni && enforcing == SecurityGroupEnforcing::kStrict; }
};

// An ENI attached to the node, and its link.
struct VpcCniEni {
  std::string link = "eth0";
  int link_index = 2;
  MacAddress mac;
  IpAddress primary_ip;
  IpCidr subnet;
  int device_number = 0;  // 0 on card 0 is the primary ENI
  int network_card = 0;
  bool is_trunk = false;
  std::optional<int> route_table;  // unset: RouteTableOfEni

  bool is_primary() const { return device_number == 0 && network_card == 0; }
};

// One interface of a pod. Link indexes are the kernel's to give.
struct VpcCniPodInterface {
  IpAddress ip;
  int route_table = kMainTable;  // of the ENI that has the address
  std::string host_name;
  std::string container_name = "eth0";
  MacAddress host_mac;
  MacAddress container_mac;
  int host_index = 0;
  int container_index = 2;
};

// A pod's own ENI, a VLAN of the trunk ENI ("security groups for pods").
struct VpcCniBranch {
  int vlan_id = 0;
  MacAddress mac;
  IpAddress gateway;  // GatewayOf its subnet
  std::string trunk_link;
  int link_index = 0;
};

// The pod's second interface, which reaches the other family through the node's own address.
struct VpcCniEgress {
  IpAddress pod_ip;   // of kV4EgressRange or kV6EgressRange
  IpAddress node_ip;  // what the pod is seen as
  std::string chain;  // "CNI-E4-..." or "CNI-E6-..."
  std::string host_name;
  std::string container_name = "v4if0";
  MacAddress host_mac;
  MacAddress container_mac;
  int host_index = 0;
  int container_index = 3;
};

struct VpcCniPod {
  std::string netns;
  std::vector<VpcCniPodInterface> interfaces;  // the first is the pod's address
  std::optional<VpcCniBranch> branch;          // of the first interface
  std::optional<VpcCniEgress> egress;
};

struct VpcCniNode {
  NodeImage image = NodeImage::kAl2;  // its own lines of the main table
  std::vector<VpcCniEni> enis;        // the primary first
  IpAddress node_ipv6;                // IPv6 nodes: the primary ENI's address and block
  IpCidr subnet_ipv6;
  std::vector<IpCidr> vpc_cidrs;  // IPv4, in the order of instance metadata
  std::vector<VpcCniPod> pods;    // in the order in which they came
};

// The VPC's router: the first address after an IPv4 subnet's base; one link-local one for IPv6.
IpAddress GatewayOf(const IpCidr& subnet);

// Tables of an ENI and of a branch ENI.
int RouteTableOfEni(int network_card, int device_number);
int RouteTableOfBranch(int vlan_id);

// As the instance boots, before the agent runs. Needs a primary ENI, as does PlanNodeInit.
Result<HostState> PlanBoot(const VpcCniHostSettings& settings, const VpcCniNode& node);
// The init container, and what the agent sets up once. On a state of PlanBoot.
std::vector<Operation> PlanNodeInit(const VpcCniHostSettings& settings, const VpcCniNode& node);

// What an agent that starts again on a host that is set up takes away for a moment, though nothing
// has changed: rule 1024, without which connections to the outside leave by the pod's own ENI, and
// the nat table's restore-mark rule, without which new ones do. No other plan cuts anybody off.
std::vector<Operation> PlanAgentRestart(const VpcCniHostSettings& settings, const VpcCniNode& node);

// A secondary ENI comes, with its link, and goes.
std::vector<Operation> PlanEniAttach(const VpcCniHostSettings& settings, const VpcCniEni& eni);
std::vector<Operation> PlanEniDetach(const VpcCniHostSettings& settings, const VpcCniEni& eni);

// The runtime makes the pod's namespace and the plugin connects it; the opposite.
std::vector<Operation> PlanPodAdd(const VpcCniHostSettings& settings, const VpcCniPod& pod);
std::vector<Operation> PlanPodDel(const VpcCniHostSettings& settings, const VpcCniPod& pod);

// The state of a node on which all of that has happened. Fails as Apply does if two pods or ENIs
// have the same address, name or table.
Result<HostState> PlanNode(const VpcCniHostSettings& settings, const VpcCniNode& node);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_VPC_CNI_PLANNER_H_
