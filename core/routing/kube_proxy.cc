#include "core/routing/kube_proxy.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/net/format.h"
#include "core/routing/plan.h"
#include "core/routing/sha256.h"

namespace cnisim {
namespace {

constexpr uint32_t kMasqueradeMark = 0x4000;
constexpr int kAffinitySeconds = 10800;
// Three hooks, the mark's rule, three of POSTROUTING, and the jump to node ports.
constexpr int kBaseRules = 8;
// IPVS: the fixed rules with ipsets that are left to iptables, and the buckets of its table.
constexpr double kIpvsRules = 20;
constexpr double kIpvsBuckets = 256;
// nftables: fixed rules around one verdict map of services and one of endpoints.
constexpr double kNftablesRules = 12;

ChainKey Nat(std::string chain) { return {Family::kV4, IptablesTable::kNat, std::move(chain)}; }

IptablesRule Jump(std::string comment, std::string chain) {
  IptablesRule rule;
  if (!comment.empty()) rule.matches.push_back(CommentMatch{std::move(comment)});
  rule.target = JumpTarget{std::move(chain)};
  return rule;
}

IptablesRule ToPort(IptablesRule rule, IpAddress ip, const KubeServicePort& service,
                    uint16_t port) {
  rule.destination = IpCidr(ip);
  rule.protocol = service.protocol;
  rule.matches.push_back(PortMatch{port});
  return rule;
}

// What the kernel makes of a probability that was written with ten decimals.
uint32_t KernelProbability(size_t left) {
  const double written = std::round(1e10 / static_cast<double>(left)) / 1e10;
  return static_cast<uint32_t>(std::llround(written * 2147483648.0));
}

void AddEndpoint(const KubeServicePort& service, const KubeEndpoint& endpoint,
                 const std::string& chain, Plan& plan) {
  plan.Add(Nat(chain));
  // A pod that reaches itself by its service would answer itself directly.
  IptablesRule hairpin = Jump(service.name, "KUBE-MARK-MASQ");
  hairpin.source = IpCidr(endpoint.ip);
  plan.Append(Nat(chain), hairpin);
  IptablesRule dnat;
  dnat.protocol = service.protocol;
  dnat.matches = {CommentMatch{service.name}};
  if (service.client_ip_affinity) dnat.matches.push_back(RecentMatch{chain, 0});
  dnat.target = DnatTarget{endpoint.ip, endpoint.port};
  plan.Append(Nat(chain), dnat);
}

void AddService(const KubeServicePort& service, const std::optional<IpCidr>& cluster_cidr,
                Plan& plan) {
  const std::string suffix = KubeChainSuffix(service.name, service.protocol);
  const std::string svc = "KUBE-SVC-" + suffix;
  const std::string ext = "KUBE-EXT-" + suffix;
  plan.Add(Nat(svc));
  const std::string cluster_ip = service.name + " cluster IP";
  if (cluster_cidr) {
    IptablesRule foreign =
        ToPort(Jump(cluster_ip, "KUBE-MARK-MASQ"), service.cluster_ip, service, service.port);
    foreign.source = *cluster_cidr;
    foreign.source_negated = true;
    plan.Append(Nat(svc), foreign);
  }
  std::vector<std::string> chains;
  for (const KubeEndpoint& endpoint : service.endpoints) {
    const std::string address = fmt::format("{}:{}", endpoint.ip, endpoint.port);
    chains.push_back("KUBE-SEP-" + KubeChainSuffix(service.name, service.protocol, address));
    AddEndpoint(service, endpoint, chains.back(), plan);
  }
  const auto to_endpoint = [&](size_t i) {
    const KubeEndpoint& endpoint = service.endpoints[i];
    return Jump(fmt::format("{} -> {}:{}", service.name, endpoint.ip, endpoint.port), chains[i]);
  };
  if (service.client_ip_affinity) {
    for (size_t i = 0; i < chains.size(); ++i) {
      IptablesRule again = to_endpoint(i);
      again.matches.push_back(RecentMatch{chains[i], kAffinitySeconds});
      plan.Append(Nat(svc), again);
    }
  }
  for (size_t i = 0; i < chains.size(); ++i) {
    IptablesRule rule = to_endpoint(i);
    const size_t left = chains.size() - i;
    if (left > 1) rule.matches.push_back(RandomMatch{KernelProbability(left)});
    plan.Append(Nat(svc), rule);
  }
  plan.Append(Nat("KUBE-SERVICES"),
              ToPort(Jump(cluster_ip, svc), service.cluster_ip, service, service.port));
  if (!service.is_external()) return;
  plan.Add(Nat(ext));
  plan.Append(Nat(ext),
              Jump(fmt::format("masquerade traffic for {} external destinations", service.name),
                   "KUBE-MARK-MASQ"));
  plan.Append(Nat(ext), Jump("", svc));
  for (const IpAddress ip : service.external_ips) {
    plan.Append(Nat("KUBE-SERVICES"),
                ToPort(Jump(service.name + " external IP", ext), ip, service, service.port));
  }
  if (service.node_port == 0) return;
  IptablesRule node_port = Jump(service.name, ext);
  node_port.protocol = service.protocol;
  node_port.matches.push_back(PortMatch{service.node_port});
  IptablesRule loopback = node_port;
  loopback.destination = Ipv4Cidr(Ipv4Address(127, 0, 0, 0), 8);
  loopback.matches.push_back(AccountingMatch{"localhost_nps_accepted_pkts"});
  plan.Append(Nat("KUBE-NODEPORTS"), loopback);
  plan.Append(Nat("KUBE-NODEPORTS"), node_port);
}

void AddHooks(Plan& plan) {
  for (const char* chain :
       {"KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"}) {
    plan.Add(Nat(chain));
  }
  for (const char* hook : {"PREROUTING", "OUTPUT"}) {
    plan.Add(ChainRule{Nat(hook), 1, Jump("kubernetes service portals", "KUBE-SERVICES")});
  }
  plan.Add(
      ChainRule{Nat("POSTROUTING"), 1, Jump("kubernetes postrouting rules", "KUBE-POSTROUTING")});
  IptablesRule mark;
  mark.target = SetMarkTarget{kMasqueradeMark, kMasqueradeMark};
  plan.Append(Nat("KUBE-MARK-MASQ"), mark);
  IptablesRule unmarked;
  unmarked.matches = {MarkMatch{kMasqueradeMark, kMasqueradeMark, true}};
  unmarked.target = Verdict::kReturn;
  plan.Append(Nat("KUBE-POSTROUTING"), unmarked);
  mark.target = SetMarkTarget{kMasqueradeMark, 0};  // flips it back
  plan.Append(Nat("KUBE-POSTROUTING"), mark);
  IptablesRule masquerade;
  masquerade.matches = {CommentMatch{"kubernetes service traffic requiring SNAT"}};
  masquerade.target = MasqueradeTarget{true};
  plan.Append(Nat("KUBE-POSTROUTING"), masquerade);

  const ChainKey refused{Family::kV4, IptablesTable::kFilter, "KUBE-SERVICES"};
  plan.Add(refused);
  IptablesRule forward = Jump("kubernetes service portals", refused.chain);
  forward.matches.insert(forward.matches.begin(), NewConnectionMatch{});
  plan.Add(ChainRule{{Family::kV4, IptablesTable::kFilter, "FORWARD"}, 1, forward});
}

}  // namespace

std::string KubeChainSuffix(std::string_view name, std::string_view protocol,
                            std::string_view endpoint) {
  constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const auto digest = Sha256(fmt::format("{}{}{}", name, protocol, endpoint));
  std::string suffix;
  for (size_t bit = 0; suffix.size() < 16; bit += 5) {
    const unsigned two_bytes = digest[bit / 8] << 8 | digest[bit / 8 + 1];
    suffix += kBase32[two_bytes >> (11 - bit % 8) & 31];
  }
  return suffix;
}

std::vector<Operation> PlanKubeProxy(const std::vector<KubeServicePort>& services,
                                     std::optional<IpCidr> cluster_cidr) {
  Plan plan;
  AddHooks(plan);
  for (const KubeServicePort& service : services) {
    if (!service.endpoints.empty()) {
      AddService(service, cluster_cidr, plan);
      continue;
    }
    IptablesRule reject;
    reject.matches = {CommentMatch{service.name + " has no endpoints"}};
    reject.target = Verdict::kReject;
    plan.Append({Family::kV4, IptablesTable::kFilter, "KUBE-SERVICES"},
                ToPort(reject, service.cluster_ip, service, service.port));
  }
  IptablesRule node_ports =
      Jump("kubernetes service nodeports; NOTE: this must be the last rule in this chain",
           "KUBE-NODEPORTS");
  node_ports.matches.push_back(AddrTypeMatch{});
  plan.Append(Nat("KUBE-SERVICES"), node_ports);
  return plan.Take();
}

KubeProxyCounts CountKubeProxyRules(const std::vector<KubeServicePort>& services,
                                    bool has_cluster_cidr) {
  KubeProxyCounts counts;
  counts.nat_rules = kBaseRules;
  for (const KubeServicePort& service : services) {
    const int endpoints = static_cast<int>(service.endpoints.size());
    if (endpoints == 0) continue;
    counts.nat_rules += 1 + (has_cluster_cidr ? 1 : 0) + 3 * endpoints;
    if (service.client_ip_affinity) counts.nat_rules += endpoints;
    if (service.is_external()) counts.nat_rules += 2;
    if (service.node_port != 0) counts.nat_rules += 2;
    counts.nat_rules += static_cast<int>(service.external_ips.size());
    counts.service_chains += 1 + endpoints + (service.is_external() ? 1 : 0);
  }
  return counts;
}

KubeProxyCost CostOfServiceConnection(KubeProxyMode mode, int services, int endpoints,
                                      bool has_cluster_cidr) {
  switch (mode) {
    case KubeProxyMode::kIptables:
      // Half of KUBE-SERVICES, half of the service's endpoints, and the endpoint's two rules.
      return {(services + 1) / 2.0 + (has_cluster_cidr ? 1 : 0) + (endpoints + 1) / 2.0 + 2, 0};
    case KubeProxyMode::kIpvs:
      return {kIpvsRules, 1 + services / kIpvsBuckets};
    case KubeProxyMode::kNftables:
      break;
  }
  return {kNftablesRules, 2};
}

KubeProxyCost CostOfOtherConnection(KubeProxyMode mode, int services) {
  switch (mode) {
    case KubeProxyMode::kIptables:
      return {services + 1.0, 0};
    case KubeProxyMode::kIpvs:
      return {kIpvsRules, 1};
    case KubeProxyMode::kNftables:
      break;
  }
  return {kNftablesRules, 1};
}

}  // namespace cnisim
