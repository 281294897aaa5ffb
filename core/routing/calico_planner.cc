#include "core/routing/calico_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/uuid/detail/sha1.hpp>
#include <cassert>
#include <map>
#include <utility>

#include "core/routing/bgp_sessions.h"
#include "core/routing/plan.h"

namespace cnisim {
namespace {

constexpr std::string_view kVxlanDevice = "vxlan.calico";
constexpr std::string_view kIpipDevice = "tunl0";
constexpr int kVxlanOverhead = 50;
constexpr int kIpipOverhead = 20;
constexpr int kDefaultHostMtu = 1460;
constexpr uint32_t kRouteMetric = 1024;  // of v3.32 and later
constexpr Ipv4Address kPodGateway{169, 254, 1, 1};

bool IsVxlan(CalicoEncapsulation encapsulation) {
  return encapsulation == CalicoEncapsulation::kVxlan ||
         encapsulation == CalicoEncapsulation::kVxlanCrossSubnet;
}

bool IsIpip(CalicoEncapsulation encapsulation) {
  return encapsulation == CalicoEncapsulation::kIpip ||
         encapsulation == CalicoEncapsulation::kIpipCrossSubnet;
}

bool IsCrossSubnet(CalicoEncapsulation encapsulation) {
  return encapsulation == CalicoEncapsulation::kVxlanCrossSubnet ||
         encapsulation == CalicoEncapsulation::kIpipCrossSubnet;
}

bool AnyPool(const CalicoCluster& cluster, bool (*is)(CalicoEncapsulation)) {
  return std::ranges::any_of(cluster.pools,
                             [&](const CalicoPool& pool) { return is(pool.encapsulation); });
}

// Whether Felix, rather than BIRD, programs the routes of such pools.
bool IsFelixs(const CalicoCluster& cluster, CalicoEncapsulation encapsulation) {
  if (IsVxlan(encapsulation)) return true;
  const ClusterRoutes by_release =
      cluster.release.minor >= 33 ? ClusterRoutes::kIpipOnly : ClusterRoutes::kDisabled;
  const ClusterRoutes routes = cluster.program_cluster_routes.value_or(by_release);
  if (routes == ClusterRoutes::kEnabled) return true;
  return routes == (IsIpip(encapsulation) ? ClusterRoutes::kIpipOnly : ClusterRoutes::kNoEncapOnly);
}

uint32_t WorkloadMetric(const CalicoCluster& cluster) {
  return cluster.release.minor >= 32 ? kRouteMetric : 0;
}

const CalicoPool* PoolOf(const CalicoCluster& cluster, IpAddress address) {
  const auto found = std::ranges::find_if(
      cluster.pools, [&](const CalicoPool& pool) { return pool.cidr.Contains(address); });
  return found == cluster.pools.end() ? nullptr : &*found;
}

std::string_view AllPoolsSet(CalicoRelease release) {
  const bool renamed =
      release >= CalicoRelease{32, 1} || (release.minor == 31 && release >= CalicoRelease{31, 7});
  return renamed ? "cali40network-ip-pools" : "cali40all-ipam-pools";
}

IptablesRule JumpTo(std::string_view chain) {
  IptablesRule rule;
  rule.target = JumpTarget{std::string(chain)};
  return rule;
}

// Plans one node of a cluster.
class NodePlanner {
 public:
  NodePlanner(const CalicoCluster& cluster, const CalicoNode& node)
      : cluster_(cluster),
        node_(node),
        mesh_only_(cluster.full_mesh && cluster.bgp_peers.empty() &&
                   std::ranges::all_of(cluster.nodes, [](const CalicoNode& one) {
                     return one.route_reflector_cluster_id.empty();
                   })) {
    for (const CalicoNode& other : cluster.nodes) nodes_.emplace(other.name, &other);
    for (const CalicoBlock& block : cluster.blocks) blocks_.emplace(block.cidr.network(), &block);
  }

  Result<HostState> Run() {
    AddHost();
    if (AnyPool(cluster_, IsVxlan)) AddVxlanDevice();
    if (AnyPool(cluster_, IsIpip)) AddIpipDevice();
    AddBlocks();
    AddBorrowed();
    AddNat();
    AddTunnelChains();
    HostState state = NewHostState();
    Status status = Apply(plan_.Take(), state);
    const int pod_mtu = CalicoPodMtu(cluster_, CalicoHostMtu(state.net));
    for (const CalicoPod& pod : cluster_.pods) {
      if (status && pod.node == node_.name) {
        status = Apply(PlanCalicoPodAdd(cluster_, pod, pod_mtu), state);
      }
    }
    if (!status) return tl::unexpected(status.error());
    return state;
  }

 private:
  void AddHost() {
    Link link;
    link.index = node_.link_index;
    link.mac = node_.mac;
    link.mtu = node_.mtu;
    plan_.Add(LinkEntry{node_.link, link});
    plan_.AddAddress(node_.link, node_.ip, node_.subnet.length());
    AddDistributionRoutes(node_.image, node_.link, node_.ip, node_.subnet, node_.gateway,
                          node_.resolver, plan_);
    plan_.AddSysctl("net.ipv4.ip_forward", "1");
  }

  // Manifest and operator set FELIX_VXLANMTU and FELIX_IPINIPMTU with the pods' MTU.
  int TunnelMtu(int overhead) const {
    const int carried = node_.mtu - overhead;
    return std::min(cluster_.pod_mtu.value_or(carried), carried);
  }

  // The tunnel's far ends are known: one neighbour and one FDB entry for each.
  void AddVxlanDevice() {
    const std::string dev(kVxlanDevice);
    Link link;
    link.type = LinkType::kVxlan;
    link.index = node_.link_index + 1;
    link.mac = CalicoVtepMac(node_.name);
    link.mtu = TunnelMtu(kVxlanOverhead);
    link.parent = node_.link;
    link.id = kCalicoVni;
    link.local = node_.ip;
    plan_.Add(LinkEntry{dev, link});
    if (node_.vxlan_ip) plan_.AddAddress(dev, *node_.vxlan_ip, 32);
    for (const CalicoNode& other : cluster_.nodes) {
      if (other.name == node_.name || !other.vxlan_ip) continue;
      const MacAddress mac = CalicoVtepMac(other.name);
      plan_.Add(NeighbourEntry{{dev, *other.vxlan_ip}, mac});
      plan_.Add(FdbEntry{{dev, mac}, other.ip});
    }
  }

  // The kernel's own device, from any to any.
  void AddIpipDevice() {
    Link link;
    link.type = LinkType::kIpip;
    link.index = node_.link_index + 2;
    link.mtu = TunnelMtu(kIpipOverhead);
    plan_.Add(LinkEntry{std::string(kIpipDevice), link});
    if (node_.ipip_ip) plan_.AddAddress(std::string(kIpipDevice), *node_.ipip_ip, 32);
  }

  void AddBlocks() {
    for (const CalicoBlock& block : cluster_.blocks) {
      const CalicoPool* pool = PoolOf(cluster_, block.cidr.network());
      if (pool == nullptr || !block.confirmed) continue;
      if (block.node == node_.name) {
        if (block.cidr.size() > 1) AddBlackhole(*pool, block.cidr);
      } else {
        AddRemote(*pool, block.cidr, block.node);
      }
    }
  }

  // Whoever uses an address of another node's block gets a route of its own, on all other nodes.
  void AddBorrowed() {
    for (const CalicoPod& pod : cluster_.pods) {
      if (pod.node == node_.name) continue;
      const CalicoPool* pool = PoolOf(cluster_, pod.ip);
      const CalicoBlock* block = BlockOf(pod.ip);
      if (pool == nullptr || block == nullptr || block->node == pod.node) continue;
      AddRemote(*pool, IpCidr(pod.ip), pod.node);
    }
  }

  // Blocks do not overlap.
  const CalicoBlock* BlockOf(IpAddress address) const {
    auto after = blocks_.upper_bound(address);
    if (after == blocks_.begin()) return nullptr;
    const CalicoBlock* block = std::prev(after)->second;
    return block->cidr.Contains(address) ? block : nullptr;
  }

  // Whether BGP brings a node's routes here. In a mesh, everybody's.
  bool Learns(const std::string& owner) {
    if (mesh_only_) return true;
    if (!learnt_) {
      std::vector<BgpSpeaker> speakers;
      for (const CalicoNode& node : cluster_.nodes) {
        speakers.push_back({node.name, node.ip, node.route_reflector_cluster_id});
      }
      const auto sessions = BgpSessions(speakers, cluster_.full_mesh, cluster_.bgp_peers);
      learnt_ = BgpRoutesLearnt(speakers, sessions)[node_.name];
    }
    return learnt_->contains(owner);
  }

  // Or an address that nobody uses would leave by the default route.
  void AddBlackhole(const CalicoPool& pool, const IpCidr& cidr) {
    Route route;
    route.type = RouteType::kBlackhole;
    route.protocol = IsFelixs(cluster_, pool.encapsulation) ? kProtocolFelix : kProtocolBird;
    plan_.Add(RouteEntry{{kMainTable, cidr, 0}, route});
  }

  void AddRemote(const CalicoPool& pool, const IpCidr& cidr, const std::string& owner) {
    const auto node = nodes_.find(owner);
    if (node == nodes_.end()) return;
    const CalicoNode* found = node->second;
    const bool felix = IsFelixs(cluster_, pool.encapsulation);
    if (!felix && (pool.disable_bgp_export || !Learns(owner))) return;
    const bool near = node_.subnet.Contains(found->ip);
    const bool tunnelled = pool.encapsulation != CalicoEncapsulation::kNone &&
                           !(near && IsCrossSubnet(pool.encapsulation));
    RouteKey key{kMainTable, cidr, felix ? 0 : WorkloadMetric(cluster_)};
    Route route;
    if (tunnelled && IsVxlan(pool.encapsulation)) {
      if (!found->vxlan_ip) return;
      route.dev = kVxlanDevice;
      if (cidr == IpCidr(*found->vxlan_ip)) {
        route.scope = Scope::kLink;
      } else {
        route.via = *found->vxlan_ip;
        route.onlink = true;
      }
    } else {
      route.via = found->ip;
      route.dev = tunnelled ? kIpipDevice : std::string_view(node_.link);
      route.protocol = felix ? kProtocolFelix : kProtocolBird;
      route.onlink = felix || tunnelled;
      // BIRD resolves a next hop that is not on the link by the routes that there are.
      if (!felix && !tunnelled && !near) route.via = node_.gateway;
    }
    if (tunnelled && felix && cluster_.release.minor >= 31) {
      route.mtu = TunnelMtu(IsVxlan(pool.encapsulation) ? kVxlanOverhead : kIpipOverhead);
    }
    plan_.Add(RouteEntry{key, route});
  }

  // What leaves the pools, and what the host sends into a tunnel with another address than the
  // tunnel's (a ClusterIP's answer would not find back).
  void AddNat() {
    const ChainKey postrouting{Family::kV4, IptablesTable::kNat, "POSTROUTING"};
    const ChainKey own{Family::kV4, IptablesTable::kNat, "cali-POSTROUTING"};
    const ChainKey floating{Family::kV4, IptablesTable::kNat, "cali-fip-snat"};
    const ChainKey outgoing{Family::kV4, IptablesTable::kNat, "cali-nat-outgoing"};
    for (const ChainKey& chain : {own, floating, outgoing}) plan_.Add(chain);
    std::set<IpCidr> all;
    std::set<IpCidr> masqueraded;
    for (const CalicoPool& pool : cluster_.pools) {
      all.insert(pool.cidr);
      if (pool.nat_outgoing) masqueraded.insert(pool.cidr);
    }
    const std::string all_pools(AllPoolsSet(cluster_.release));
    if (!masqueraded.empty()) {
      plan_.Add(IpsetEntry{"cali40masq-ipam-pools", masqueraded});
      plan_.Add(IpsetEntry{all_pools, all});
      IptablesRule masquerade;
      masquerade.matches = {SetMatch{"cali40masq-ipam-pools", true, false},
                            SetMatch{all_pools, false, true}};
      masquerade.target = MasqueradeTarget{true};
      plan_.Append(outgoing, masquerade);
    }
    plan_.Append(own, JumpTo(floating.chain));
    plan_.Append(own, JumpTo(outgoing.chain));
    for (const auto& [dev, is] :
         {std::pair(kVxlanDevice, &IsVxlan), std::pair(kIpipDevice, &IsIpip)}) {
      if (!AnyPool(cluster_, is)) continue;
      IptablesRule masquerade;
      masquerade.out = dev;
      masquerade.matches = {AddrTypeMatch{true, true, true}, AddrTypeMatch{true, false, false}};
      masquerade.target = MasqueradeTarget{true};
      plan_.Append(own, masquerade);
    }
    plan_.Add(ChainRule{postrouting, 1, JumpTo(own.chain)});
  }

  // Tunnels are for Calico's nodes only, and VXLAN's many flows are not worth tracking.
  void AddTunnelChains() {
    std::set<IpCidr> hosts;
    std::set<IpCidr> vteps;
    for (const CalicoNode& other : cluster_.nodes) {
      hosts.insert(IpCidr(other.ip));
      if (other.vxlan_ip && other.name != node_.name) vteps.insert(IpCidr(other.ip));
    }
    const bool vxlan = AnyPool(cluster_, IsVxlan);
    const bool ipip = AnyPool(cluster_, IsIpip);
    IptablesRule outer_vxlan;
    outer_vxlan.protocol = "udp";
    outer_vxlan.matches = {PortMatch{4789}};
    if (vxlan && cluster_.release.minor >= 29) {
      for (const char* hook : {"PREROUTING", "OUTPUT"}) {
        const ChainKey own{Family::kV4, IptablesTable::kRaw, std::string("cali-") + hook};
        plan_.Add(own);
        IptablesRule rule = outer_vxlan;
        rule.target = Verdict::kNoTrack;
        plan_.Append(own, rule);
        plan_.Add(ChainRule{{Family::kV4, IptablesTable::kRaw, hook}, 1, JumpTo(own.chain)});
      }
    }
    if (!vxlan && !ipip) return;
    const ChainKey own{Family::kV4, IptablesTable::kFilter, "cali-INPUT"};
    plan_.Add(own);
    const auto guard = [&](IptablesRule rule, const std::string& set,
                           const std::set<IpCidr>& members) {
      plan_.Add(IpsetEntry{set, members});
      IptablesRule accept = rule;
      accept.matches.push_back(SetMatch{set, true, false});
      rule.target = Verdict::kDrop;
      if (rule.protocol == "udp") {
        accept.matches.push_back(AddrTypeMatch{});
        rule.matches.push_back(AddrTypeMatch{});
      }
      plan_.Append(own, accept);
      plan_.Append(own, rule);
    };
    if (ipip) {
      IptablesRule outer_ipip;
      outer_ipip.protocol = "ipencap";
      guard(outer_ipip, "cali40all-hosts-net", hosts);
    }
    if (vxlan) guard(outer_vxlan, "cali40all-vxlan-net", vteps);
    plan_.Add(ChainRule{{Family::kV4, IptablesTable::kFilter, "INPUT"}, 1, JumpTo(own.chain)});
  }

  const CalicoCluster& cluster_;
  const CalicoNode& node_;
  const bool mesh_only_;
  std::map<std::string_view, const CalicoNode*> nodes_;
  std::map<IpAddress, const CalicoBlock*> blocks_;  // by their first address
  std::optional<std::set<std::string>> learnt_;
  Plan plan_;
};

// ^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*): not the VPC CNI's "eni...".
bool IsHostInterface(std::string_view name) {
  for (const std::string_view prefix : {"eth", "wlan", "wwan"}) {
    if (name.starts_with(prefix)) return true;
  }
  for (const std::string_view prefix : {"en", "wl", "ww", "sl", "ib"}) {
    if (!name.starts_with(prefix) || name.size() < 3) continue;
    if (std::string_view("Pcopsvx").find(name[2]) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

MacAddress CalicoVtepMac(std::string_view node_name) {
  boost::uuids::detail::sha1 sha1;
  sha1.process_bytes(node_name.data(), node_name.size());
  boost::uuids::detail::sha1::digest_type digest;
  sha1.get_digest(digest);
  return MacAddress(uint64_t{'f'} << 40 | uint64_t{digest[0]} << 8 | digest[1] >> 24);
}

int CalicoHostMtu(const NetState& net) {
  int mtu = 0;
  for (const auto& [name, link] : net.links) {
    if (link.up && IsHostInterface(name)) mtu = mtu == 0 ? link.mtu : std::min(mtu, link.mtu);
  }
  return mtu == 0 ? kDefaultHostMtu : mtu;
}

int CalicoPodMtu(const CalicoCluster& cluster, int host_mtu) {
  if (cluster.pod_mtu) return *cluster.pod_mtu;
  if (AnyPool(cluster, IsVxlan)) return host_mtu - kVxlanOverhead;
  return AnyPool(cluster, IsIpip) ? host_mtu - kIpipOverhead : host_mtu;
}

Result<HostState> PlanCalicoNode(const CalicoCluster& cluster, const std::string& name) {
  for (const CalicoNode& node : cluster.nodes) {
    if (node.name == name) return NodePlanner(cluster, node).Run();
  }
  return Fail(std::string(kOperationMissing), fmt::format("node {}", name));
}

std::vector<Operation> PlanCalicoPodAdd(const CalicoCluster& cluster, const CalicoPod& pod,
                                        int pod_mtu) {
  const std::string& dev = pod.host_name;
  const std::string container = "eth0";
  Plan plan(20);
  plan.Add(PodNamespace{pod.netns});
  AddVethPair(
      {pod.netns, dev, container, kCalicoHostMac, pod.mac, pod.host_index, pod.container_index},
      pod_mtu, plan);
  // The host answers for the gateway's address by proxy ARP.
  plan.AddSysctl(fmt::format("net.ipv4.conf.{}.route_localnet", dev), "1");
  plan.AddSysctl(fmt::format("net.ipv4.neigh.{}.proxy_delay", dev), "0");
  plan.AddSysctl(fmt::format("net.ipv4.conf.{}.proxy_arp", dev), "1");
  plan.AddSysctl(fmt::format("net.ipv4.conf.{}.forwarding", dev), "1");
  plan.Add(SysctlEntry{"net.ipv4.ip_forward", "0"}, pod.netns);
  plan.Add(DeviceRoute(kPodGateway, container), pod.netns);
  plan.Add(DefaultRoute(kPodGateway, container), pod.netns);
  plan.AddAddress(container, pod.ip, 32, pod.netns);
  RouteEntry route = DeviceRoute(pod.ip, dev);
  route.key.metric = WorkloadMetric(cluster);
  plan.Add(std::move(route));
  plan.Add(NeighbourEntry{{dev, pod.ip}, pod.mac});
  return plan.Take();
}

std::vector<Operation> PlanCalicoPodDel(const CalicoCluster& cluster, const CalicoPod& pod,
                                        int pod_mtu) {
  return Undo(PlanCalicoPodAdd(cluster, pod, pod_mtu));
}

}  // namespace cnisim
