// kube-proxy's part of a node: its chains in iptables mode, how many rules they are, and what the
// first packet of a connection costs in each mode.
//
// Only externalTrafficPolicy Cluster. Of the filter table, only what refuses services without
// endpoints to forwarded packets. IPv4.
// Source: a node of EKS 1.34 (kube-proxy v1.34.5) and the documentation of Kubernetes' modes; the
// counts are checked against the planned chains.
#ifndef CNISIM_CORE_ROUTING_KUBE_PROXY_H_
#define CNISIM_CORE_ROUTING_KUBE_PROXY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/ip.h"
#include "core/routing/operation.h"

namespace cnisim {

enum class KubeProxyMode : uint8_t { kIptables, kIpvs, kNftables };

struct KubeEndpoint {
  IpAddress ip;
  uint16_t port = 0;
};

struct KubeServicePort {
  std::string name;  // "namespace/service:port"; ":port" only if the port has a name
  IpAddress cluster_ip;
  std::string protocol = "tcp";
  uint16_t port = 80;
  uint16_t node_port = 0;               // 0: none
  std::vector<IpAddress> external_ips;  // load balancers' too
  bool client_ip_affinity = false;
  std::vector<KubeEndpoint> endpoints;

  bool is_external() const { return node_port != 0 || !external_ips.empty(); }
};

// The last 16 characters of a chain: "KUBE-SVC-" and "KUBE-EXT-" of a service's port; with
// `endpoint` ("ip:port") "KUBE-SEP-".
std::string KubeChainSuffix(std::string_view name, std::string_view protocol,
                            std::string_view endpoint = "");

// The hooks, which stand before all other rules, and the chains. `cluster_cidr` is what kube-proxy
// takes for local traffic; EKS sets none.
std::vector<Operation> PlanKubeProxy(const std::vector<KubeServicePort>& services,
                                     std::optional<IpCidr> cluster_cidr = std::nullopt);

struct KubeProxyCounts {
  int nat_rules = 0;
  int service_chains = 0;  // SVC, SEP and EXT
  friend bool operator==(const KubeProxyCounts&, const KubeProxyCounts&) = default;
};
KubeProxyCounts CountKubeProxyRules(const std::vector<KubeServicePort>& services,
                                    bool has_cluster_cidr = false);

// What the first packet of a connection meets in PREROUTING, on average. Later packets meet
// nothing: conntrack knows.
struct KubeProxyCost {
  double rules = 0;         // walked one after the other
  double hash_lookups = 0;  // IPVS' table, nftables' maps, ipsets
};
// Of a connection to a service, of which there are `services`, with `endpoints`.
KubeProxyCost CostOfServiceConnection(KubeProxyMode mode, int services, int endpoints,
                                      bool has_cluster_cidr = false);
// Of any other: from pod to pod, or out.
KubeProxyCost CostOfOtherConnection(KubeProxyMode mode, int services);

// nf_conntrack_max as kube-proxy sets it: 32,768 a core, at least 131,072.
constexpr int64_t KubeConntrackMax(int cores) {
  const int64_t by_cores = int64_t{32768} * cores;
  return by_cores < 131072 ? 131072 : by_cores;
}

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_KUBE_PROXY_H_
