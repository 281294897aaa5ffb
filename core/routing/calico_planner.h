// What Calico's Felix, BIRD and CNI plugin do to a node's network.
//
// A cluster is pools, blocks with their owners, nodes and pods; the state of a node follows from
// all of them. A local pod's part alone can be planned as operations, at a cost that does not
// depend on the cluster. The releases differ in who programs routes and how they look; see
// CalicoRelease.
//
// Not here: policies (the endpoint chains, the reverse-path filter), WireGuard, eBPF mode, IPv6
// pools, and the "cali:" comments, which are hashes of the rules' internal form. Sizes in bytes.
// Source: Calico v3.32.1 and its neighbours (felix/dataplane/linux, confd templates, libcalico-go).
#ifndef CNISIM_CORE_ROUTING_CALICO_PLANNER_H_
#define CNISIM_CORE_ROUTING_CALICO_PLANNER_H_

#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/net/ip.h"
#include "core/net/mac.h"
#include "core/net/node_image.h"
#include "core/ports/result.h"
#include "core/routing/host_state.h"
#include "core/routing/operation.h"

namespace cnisim {

// v3.MINOR.PATCH. From 3.29 on, VXLAN's outer packets are not tracked; from 3.31, tunnel routes
// have an mtu; from 3.32, workload and BGP routes have metric 1024; from 3.33, Felix programs
// IP-in-IP. 3.31.7 and 3.32.1 rename the set of all pools.
struct CalicoRelease {
  int minor = 32;
  int patch = 1;
  friend auto operator<=>(const CalicoRelease&, const CalicoRelease&) = default;
};

// FelixConfiguration's and BGPConfiguration's programClusterRoutes: for what Felix replaces BIRD.
enum class ClusterRoutes : uint8_t { kDisabled, kIpipOnly, kNoEncapOnly, kEnabled };

enum class CalicoEncapsulation : uint8_t {
  kNone,
  kVxlan,
  kVxlanCrossSubnet,
  kIpip,
  kIpipCrossSubnet
};

struct CalicoPool {
  IpCidr cidr;
  CalicoEncapsulation encapsulation = CalicoEncapsulation::kIpip;
  bool nat_outgoing = true;
  bool disable_bgp_export = false;
};

struct CalicoBlock {
  IpCidr cidr;
  std::string node;       // that it is affine to
  bool confirmed = true;  // pending affinities have no routes
};

struct CalicoPod {
  std::string node;
  std::string netns;
  IpAddress ip;
  std::string host_name;  // "cali..."
  MacAddress mac;
  int host_index = 0;
  int container_index = 2;
};

struct CalicoNode {
  std::string name;
  std::string link = "eth0";
  int link_index = 2;
  MacAddress mac;
  int mtu = 9001;
  IpAddress ip;
  IpCidr subnet;
  IpAddress gateway;
  NodeImage image = NodeImage::kAl2;  // its own lines of the main table
  std::optional<IpAddress> resolver;  // the VPC's; only AL2023 has a route to it
  std::optional<IpAddress> vxlan_ip;  // of the tunnel devices
  std::optional<IpAddress> ipip_ip;
  std::string route_reflector_cluster_id;
};

struct CalicoCluster {
  CalicoRelease release;
  std::optional<ClusterRoutes> program_cluster_routes;  // unset: the release's default
  bool full_mesh = true;
  std::set<std::pair<std::string, std::string>> bgp_peers;
  // The manifest's veth_mtu, the operator's mtu: of pods, and of tunnels' devices unless their link
  // takes less. Unset: what the links and the pools' encapsulations leave.
  std::optional<int> pod_mtu;
  std::vector<CalicoPool> pools;
  std::vector<CalicoBlock> blocks;
  std::vector<CalicoNode> nodes;
  std::vector<CalicoPod> pods;
};

inline constexpr int kCalicoVni = 4096;
inline constexpr MacAddress kCalicoHostMac{0xeeeeeeeeeeee};

// "f" and five bytes of the SHA-1 of the node's name.
MacAddress CalicoVtepMac(std::string_view node_name);

// The smallest MTU of the links that Felix takes for the host's own; 1460 if there is none.
int CalicoHostMtu(const NetState& net);
// Of the pods, and of all of them: what is set, or the smallest of the encapsulations that any pool
// uses.
int CalicoPodMtu(const CalicoCluster& cluster, int host_mtu);

// The state of a node. Fails as Apply does if pods or blocks contradict each other.
Result<HostState> PlanCalicoNode(const CalicoCluster& cluster, const std::string& name);

// A pod comes to its node, and goes.
std::vector<Operation> PlanCalicoPodAdd(const CalicoCluster& cluster, const CalicoPod& pod,
                                        int pod_mtu);
std::vector<Operation> PlanCalicoPodDel(const CalicoCluster& cluster, const CalicoPod& pod,
                                        int pod_mtu);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_CALICO_PLANNER_H_
