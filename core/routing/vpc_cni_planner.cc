#include "core/routing/vpc_cni_planner.h"

#include <fmt/format.h>

#include <cassert>
#include <utility>

#include "core/routing/plan.h"

namespace cnisim {
namespace {

constexpr std::string_view kConnmarkChain = "AWS-CONNMARK-CHAIN-0";
constexpr std::string_view kSnatChain = "AWS-SNAT-CHAIN-0";

// What a pod sends everything to, by the place of the interface in the pod.
IpAddress GatewayInPod(IpAddress pod, size_t index) {
  return pod.is_v4() ? IpAddress(Ipv4Address(169, 254, 1, static_cast<uint8_t>(index + 1)))
                     : IpAddress(Ipv6Address(0xfe80000000000000, index + 1));
}

Rule FromRule(int priority, IpAddress from, int table) {
  Rule rule;
  rule.family = FamilyOf(from);
  rule.priority = priority;
  rule.from = IpCidr(from);
  rule.table = table;
  return rule;
}

Rule ToPodRule(IpAddress pod) {
  Rule rule;
  rule.family = FamilyOf(pod);
  rule.priority = kToPodRule;
  rule.to = IpCidr(pod);
  return rule;
}

Rule InterfaceRule(Family family, std::string iif, int table) {
  Rule rule;
  rule.family = family;
  rule.priority = kBranchEniRule;
  rule.iif = std::move(iif);
  rule.table = table;
  return rule;
}

IptablesMatch Comment(std::string text) { return CommentMatch{std::move(text)}; }

int PodMtu(const VpcCniHostSettings& settings) {
  return settings.pod_mtu != 0 ? settings.pod_mtu : settings.mtu;
}

// The plugin wants no autoconfiguration on what it makes.
void AddIpv6Sysctls(const std::string& dev, Plan& plan) {
  const std::string conf = "net.ipv6.conf." + dev;
  plan.AddSysctl(conf + ".accept_ra", "0");
  plan.AddSysctl(conf + ".accept_redirects", "1");
  plan.AddSysctl(conf + ".forwarding", "0");
}

// The inside of a pod: everything goes to the host's end, whose address never has to be asked for.
// The interfaces after the first serve only their own address, by a table of their own.
void AddPodSide(const std::string& netns, const VpcCniPodInterface& interface, size_t index,
                Plan& plan) {
  const std::string& dev = interface.container_name;
  const IpAddress gateway = GatewayInPod(interface.ip, index);
  const int table = index == 0 ? kMainTable : static_cast<int>(index);
  plan.Add(DeviceRoute(gateway, dev, table), netns);
  plan.Add(DefaultRoute(gateway, dev, table), netns);
  plan.AddAddress(dev, interface.ip, interface.ip.is_v4() ? 32 : 128, netns);
  plan.Add(NeighbourEntry{{dev, gateway}, interface.host_mac}, netns);
  if (index > 0) plan.Add(FromRule(1, interface.ip, table), netns);
}

void AddBranch(const VpcCniHostSettings& settings, const VpcCniBranch& branch,
               const VpcCniPodInterface& interface, Plan& plan) {
  const std::string vlan = fmt::format("vlan.eth.{}", branch.vlan_id);
  const int table = RouteTableOfBranch(branch.vlan_id);
  Link link;
  link.type = LinkType::kVlan;
  link.index = branch.link_index;
  link.mac = branch.mac;
  link.mtu = settings.mtu;
  link.parent = branch.trunk_link;
  link.id = branch.vlan_id;
  plan.Add(LinkEntry{vlan, std::move(link)});
  AddIpv6Sysctls(vlan, plan);
  plan.Add(DeviceRoute(branch.gateway, vlan, table));
  plan.Add(DefaultRoute(branch.gateway, vlan, table));
  if (settings.enforcing == SecurityGroupEnforcing::kStrict) {
    plan.Add(DeviceRoute(interface.ip, interface.host_name, table));
    plan.Add(InterfaceRule(FamilyOf(interface.ip), vlan, table));
    plan.Add(InterfaceRule(FamilyOf(interface.ip), interface.host_name, table));
  } else {
    plan.Add(DeviceRoute(interface.ip, interface.host_name));
    plan.Add(ToPodRule(interface.ip));
    plan.Add(FromRule(kFromPodRule, interface.ip, table));
  }
}

PortRandomness RandomnessOf(const VpcCniHostSettings& settings) {
  if (settings.randomize_snat == "none") return PortRandomness::kNone;
  if (settings.randomize_snat == "hashrandom") return PortRandomness::kRandom;
  return PortRandomness::kRandomFully;
}

// fe80::/64 with the interface identifier of RFC 4291, appendix A.
IpAddress LinkLocalOf(MacAddress mac) {
  const uint64_t high = mac.bits() >> 24 ^ 0x020000;
  return Ipv6Address(0xfe80000000000000, high << 40 | 0xfffe000000 | (mac.bits() & 0xffffff));
}

// The pod's way to the other family: the node's address is put in place of the pod's.
void AddEgress(const VpcCniHostSettings& settings, const std::string& netns,
               const VpcCniEgress& egress, Plan& plan) {
  const bool v4 = egress.pod_ip.is_v4();
  AddVethPair({netns, egress.host_name, egress.container_name, egress.host_mac,
               egress.container_mac, egress.host_index, egress.container_index},
              PodMtu(settings), plan);
  const IpCidr range = v4 ? IpCidr(kV4EgressRange) : IpCidr(kV6EgressRange);
  const IpAddress gateway = v4 ? range.network().Offset(1) : LinkLocalOf(egress.host_mac);
  plan.AddAddress(egress.container_name, egress.pod_ip, range.length(), netns);
  plan.Add(DeviceRoute(gateway, egress.container_name), netns);
  plan.Add(DefaultRoute(gateway, egress.container_name), netns);
  if (v4) plan.Add(AddressEntry{{egress.host_name, gateway}, {32, Scope::kLink}});
  RouteEntry to_pod = DeviceRoute(egress.pod_ip, egress.host_name);
  if (!v4) to_pod.value.scope = Scope::kHost;
  plan.Add(std::move(to_pod));

  const ChainKey chain{FamilyOf(egress.pod_ip), IptablesTable::kNat, egress.chain};
  plan.Add(chain);
  IptablesRule multicast;
  multicast.destination = v4 ? IpCidr(Ipv4Cidr(Ipv4Address(224, 0, 0, 0), 4))
                             : IpCidr(Ipv6Cidr(Ipv6Address(0xff00000000000000, 0), 8));
  plan.Append(chain, std::move(multicast));
  IptablesRule snat;
  snat.target = SnatTarget{egress.node_ip, RandomnessOf(settings)};
  plan.Append(chain, std::move(snat));
  IptablesRule jump;
  jump.source = IpCidr(egress.pod_ip);
  jump.target = JumpTarget{egress.chain};
  plan.Append({chain.family, IptablesTable::kNat, "POSTROUTING"}, std::move(jump));
}

// The destinations that keep the pod's own address: the agent inserts each at the head, the VPC's
// blocks first, so that they end up reversed.
std::vector<IptablesRule> Returns(const VpcCniHostSettings& settings, const VpcCniNode& node,
                                  std::string_view comment, std::string_view excluded_suffix) {
  std::vector<IptablesRule> rules;
  const auto insert = [&](const std::vector<IpCidr>& cidrs, const std::string& text) {
    for (const IpCidr& cidr : cidrs) {
      if (!cidr.is_v4()) continue;
      IptablesRule rule;
      rule.destination = cidr;
      rule.matches = {Comment(text)};
      rule.target = Verdict::kReturn;
      rules.insert(rules.begin(), std::move(rule));
    }
  };
  insert(node.vpc_cidrs, std::string(comment));
  insert(settings.exclude_snat_cidrs, fmt::format("{}{}", comment, excluded_suffix));
  return rules;
}

void AddSnat(const VpcCniHostSettings& settings, const VpcCniNode& node, Plan& plan) {
  const ChainKey chain{Family::kV4, IptablesTable::kNat, std::string(kSnatChain)};
  plan.Add(chain);
  if (settings.external_snat) return;
  for (IptablesRule& rule : Returns(settings, node, "AWS SNAT CHAIN", " EXCLUSION")) {
    plan.Append(chain, std::move(rule));
  }
  IptablesRule snat;
  snat.out = "vlan+";
  snat.out_negated = true;
  snat.matches = {Comment("AWS, SNAT"), AddrTypeMatch{false, true, false}};
  snat.target = SnatTarget{node.enis.front().primary_ip, RandomnessOf(settings)};
  plan.Append(chain, std::move(snat));
  IptablesRule jump;
  jump.matches = {Comment("AWS SNAT CHAIN")};
  jump.target = JumpTarget{chain.chain};
  plan.Append({Family::kV4, IptablesTable::kNat, "POSTROUTING"}, std::move(jump));
}

IptablesRule RestoreMark(const VpcCniHostSettings& settings, std::string in, std::string comment) {
  IptablesRule rule;
  rule.in = std::move(in);
  rule.matches = {Comment(std::move(comment))};
  rule.target = RestoreMarkTarget{settings.connmark};
  return rule;
}

// Marks the connections of pods that leave the VPC, so that they take the primary ENI, whose
// address they get.
void AddConnmark(const VpcCniHostSettings& settings, const VpcCniNode& node, Plan& plan) {
  if (settings.external_snat) return;
  if (settings.connmark_backend == ConnmarkBackend::kNftables) {
    NftConnmark nft;
    nft.veth_prefix = settings.veth_prefix;
    nft.mark = settings.connmark;
    for (const std::vector<IpCidr>* cidrs : {&node.vpc_cidrs, &settings.exclude_snat_cidrs}) {
      for (const IpCidr& cidr : *cidrs) {
        if (cidr.is_v4()) nft.unmarked.insert(cidr);
      }
    }
    plan.Add(std::move(nft));
    return;
  }
  const ChainKey chain{Family::kV4, IptablesTable::kNat, std::string(kConnmarkChain)};
  const ChainKey prerouting{Family::kV4, IptablesTable::kNat, "PREROUTING"};
  plan.Add(chain);
  for (IptablesRule& rule : Returns(settings, node, "AWS CONNMARK CHAIN", "")) {
    plan.Append(chain, std::move(rule));
  }
  IptablesRule set;
  set.matches = {Comment("AWS, CONNMARK")};
  set.target = SetConnmarkTarget{settings.connmark, settings.connmark};
  plan.Append(chain, std::move(set));
  IptablesRule jump;
  jump.in = settings.veth_prefix + "+";
  jump.matches = {Comment("AWS, outbound connections")};
  jump.target = JumpTarget{chain.chain};
  plan.Append(prerouting, std::move(jump));
  plan.Append(prerouting, RestoreMark(settings, "", "AWS, CONNMARK"));
}

// Connections that come in by the primary ENI are answered by it, whatever ENI the pod's is.
void AddMangle(const VpcCniHostSettings& settings, const VpcCniNode& node, Plan& plan) {
  const ChainKey prerouting{Family::kV4, IptablesTable::kMangle, "PREROUTING"};
  constexpr const char* kComment = "AWS, primary ENI";
  if (settings.node_port_support) {
    IptablesRule rule;
    rule.in = node.enis.front().link;
    rule.matches = {Comment(kComment), AddrTypeMatch{false, false, true}};
    rule.target = SetConnmarkTarget{settings.connmark, settings.connmark};
    plan.Append(prerouting, std::move(rule));
  }
  if (settings.node_port_support || !settings.external_snat) {
    plan.Append(prerouting, RestoreMark(settings, settings.veth_prefix + "+", kComment));
  }
  if (settings.node_port_support) plan.Append(prerouting, RestoreMark(settings, "vlan+", kComment));
}

// Pods of an egress range are not to be reached from other pods.
void AddEgressReject(const IpCidr& range, Plan& plan) {
  IptablesRule rule;
  rule.destination = range;
  rule.matches = {NewConnectionMatch{}};
  rule.target = Verdict::kReject;
  plan.Add(ChainRule{{FamilyOf(range), IptablesTable::kFilter, "FORWARD"}, 1, std::move(rule)});
}

Link EniLink(const VpcCniHostSettings& settings, const VpcCniEni& eni) {
  Link link;
  link.index = eni.link_index;
  link.mac = eni.mac;
  link.mtu = settings.mtu;
  return link;
}

}  // namespace

IpAddress GatewayOf(const IpCidr& subnet) {
  return subnet.is_v4() ? subnet.network().Offset(1)
                        : IpAddress(Ipv6Address(0xfe800ec200000000, 1));
}

int RouteTableOfEni(int network_card, int device_number) {
  if (network_card > 0) return 10000 + 100 * network_card + device_number;
  return device_number == 0 ? kMainTable : device_number + 1;
}

int RouteTableOfBranch(int vlan_id) { return vlan_id + 100; }

Result<HostState> PlanBoot(const VpcCniHostSettings& settings, const VpcCniNode& node) {
  assert(!node.enis.empty() && node.enis.front().is_primary());
  const VpcCniEni& eni = node.enis.front();
  Plan plan(16);
  plan.Add(LinkEntry{eni.link, EniLink(settings, eni)});
  plan.AddAddress(eni.link, eni.primary_ip, eni.subnet.length());
  std::optional<IpAddress> resolver;
  if (!node.vpc_cidrs.empty()) resolver = node.vpc_cidrs.front().network().Offset(2);
  AddDistributionRoutes(node.image, eni.link, eni.primary_ip, eni.subnet, GatewayOf(eni.subnet),
                        resolver, plan);
  if (settings.ipv6) {
    plan.AddAddress(eni.link, node.node_ipv6, node.subnet_ipv6.length());
    RouteEntry subnet = DeviceRoute(node.subnet_ipv6.network(), eni.link);
    subnet.key = {kMainTable, node.subnet_ipv6, 256};
    subnet.value.protocol = kProtocolKernel;
    plan.Add(std::move(subnet));
    plan.Add(DefaultRoute(GatewayOf(node.subnet_ipv6), eni.link));
  }
  HostState state = NewHostState();
  if (Status status = Apply(plan.Take(), state); !status) return tl::unexpected(status.error());
  return state;
}

std::vector<Operation> PlanNodeInit(const VpcCniHostSettings& settings, const VpcCniNode& node) {
  const std::string& primary = node.enis.front().link;
  const Family family = settings.ipv6 ? Family::kV6 : Family::kV4;
  Plan plan(32);
  plan.AddSysctl(fmt::format("net.ipv4.conf.{}.rp_filter", primary), "2");
  plan.AddSysctl("net.ipv4.tcp_early_demux", settings.tcp_early_demux ? "1" : "0");
  if (settings.ipv6) plan.AddSysctl("net.ipv6.conf.all.disable_ipv6", "0");
  if (settings.ipv6 || settings.v6_egress) {
    plan.AddSysctl("net.ipv6.conf.all.forwarding", "1");
    plan.AddSysctl(fmt::format("net.ipv6.conf.{}.accept_ra", primary), "2");
  }
  if (settings.ipv6) AddEgressReject(kV4EgressRange, plan);
  if (settings.v6_egress) AddEgressReject(kV6EgressRange, plan);
  if (settings.node_port_support || !settings.external_snat) {
    Rule rule;
    rule.family = family;
    rule.priority = kMainEniRule;
    rule.mark = rule.mask = settings.connmark;
    plan.Add(std::move(rule));
  }
  if (settings.strict()) {
    Rule local;
    local.family = family;
    local.priority = kStrictLocalRule;
    local.table = kLocalTable;
    plan.Add(local);
    local.priority = 0;
    if (settings.ipv6) {
      // Neighbour discovery with the VPC's router must not take the branch ENI's table.
      Rule discovery = local;
      discovery.from = IpCidr(GatewayOf(node.subnet_ipv6));
      discovery.ip_protocol = "ipv6-icmp";
      plan.Add(std::move(discovery));
    }
    plan.Emit(Verb::kRemove, "", std::move(local));
  }
  if (!settings.ipv6) {
    AddSnat(settings, node, plan);
    AddMangle(settings, node, plan);
    AddConnmark(settings, node, plan);
  }
  for (const IpCidr& cidr : settings.external_service_cidrs) {
    if (FamilyOf(cidr) != family) continue;
    Rule rule;
    rule.family = family;
    rule.priority = kExternalServiceRule;
    rule.to = cidr;
    plan.Add(std::move(rule));
  }
  return plan.Take();
}

std::vector<Operation> PlanAgentRestart(const VpcCniHostSettings& settings,
                                        const VpcCniNode& node) {
  Plan plan(4);
  const auto renew = [&](const auto& subject) {
    plan.Emit(Verb::kRemove, "", subject);
    plan.Add(subject);
  };
  for (const Operation& operation : PlanNodeInit(settings, node)) {
    if (const Rule* rule = std::get_if<Rule>(&operation.subject)) {
      if (rule->priority == kMainEniRule) renew(*rule);
    } else if (const ChainRule* restore = std::get_if<ChainRule>(&operation.subject)) {
      const bool in_nat = restore->chain.table == IptablesTable::kNat;
      if (in_nat && std::holds_alternative<RestoreMarkTarget>(restore->rule.target))
        renew(*restore);
    }
  }
  return plan.Take();
}

std::vector<Operation> PlanEniAttach(const VpcCniHostSettings& settings, const VpcCniEni& eni) {
  assert(!eni.is_primary());
  const int table = eni.route_table.value_or(RouteTableOfEni(eni.network_card, eni.device_number));
  const IpAddress gateway = GatewayOf(eni.subnet);
  Plan plan(5);
  plan.Add(LinkEntry{eni.link, EniLink(settings, eni)});
  plan.AddAddress(eni.link, eni.primary_ip, eni.subnet.length());
  plan.Add(DeviceRoute(gateway, eni.link, table));
  plan.Add(DefaultRoute(gateway, eni.link, table));
  if (!eni.is_trunk) plan.Add(FromRule(kFromEniRule, eni.primary_ip, table));
  return plan.Take();
}

std::vector<Operation> PlanEniDetach(const VpcCniHostSettings& settings, const VpcCniEni& eni) {
  return Undo(PlanEniAttach(settings, eni));
}

std::vector<Operation> PlanPodAdd(const VpcCniHostSettings& settings, const VpcCniPod& pod) {
  Plan plan(14 * pod.interfaces.size() + (pod.branch || pod.egress ? 14 : 0));
  plan.Add(PodNamespace{pod.netns});
  for (size_t i = 0; i < pod.interfaces.size(); ++i) {
    const VpcCniPodInterface& interface = pod.interfaces[i];
    AddVethPair({pod.netns, interface.host_name, interface.container_name, interface.host_mac,
                 interface.container_mac, interface.host_index, interface.container_index},
                PodMtu(settings), plan);
    AddIpv6Sysctls(interface.host_name, plan);
    AddPodSide(pod.netns, interface, i, plan);
    if (i == 0 && pod.branch) {
      AddBranch(settings, *pod.branch, interface, plan);
      continue;
    }
    plan.Add(DeviceRoute(interface.ip, interface.host_name));
    plan.Add(ToPodRule(interface.ip));
    if (interface.route_table != kMainTable) {
      plan.Add(FromRule(kFromPodRule, interface.ip, interface.route_table));
    }
  }
  if (pod.egress) AddEgress(settings, pod.netns, *pod.egress, plan);
  return plan.Take();
}

std::vector<Operation> PlanPodDel(const VpcCniHostSettings& settings, const VpcCniPod& pod) {
  return Undo(PlanPodAdd(settings, pod));
}

Result<HostState> PlanNode(const VpcCniHostSettings& settings, const VpcCniNode& node) {
  Result<HostState> state = PlanBoot(settings, node);
  if (!state) return state;
  Status status = Apply(PlanNodeInit(settings, node), *state);
  for (const VpcCniEni& eni : node.enis) {
    if (status && !eni.is_primary()) status = Apply(PlanEniAttach(settings, eni), *state);
  }
  for (const VpcCniPod& pod : node.pods) {
    if (status) status = Apply(PlanPodAdd(settings, pod), *state);
  }
  if (!status) return tl::unexpected(status.error());
  return state;
}

}  // namespace cnisim
