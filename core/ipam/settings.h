// The agent's settings and how the environment of the aws-node container becomes them.
//
// Rules EV-1 to EV-3 and the table of variables: amazon-vpc-cni-k8s v1.23.1 (README, pkg/ipamd,
// scripts/entrypoint). A bad value never stops the agent itself: it falls back to the default and
// says so (a warning here); what the container's entrypoint refuses is an error.
#ifndef CNISIM_CORE_IPAM_SETTINGS_H_
#define CNISIM_CORE_IPAM_SETTINGS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ipam/pool_policy.h"
#include "core/ipam/quirks.h"
#include "core/net/enforcing_mode.h"
#include "core/net/ip.h"
#include "core/ports/clock.h"
#include "core/ports/ec2_api.h"
#include "core/ports/result.h"

namespace cnisim {

// The node's own network as the environment sets it: all that the agent's pkg/networkutils and the
// init container read. MTUs in bytes.
struct HostNetworkSettings {
  uint32_t connmark = 0x80;                          // AWS_VPC_K8S_CNI_CONNMARK
  bool external_snat = false;                        // AWS_VPC_K8S_CNI_EXTERNALSNAT
  std::vector<Ipv4Cidr> exclude_snat_cidrs;          // AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS
  std::vector<IpCidr> external_service_cidrs;        // AWS_EXTERNAL_SERVICE_CIDRS
  int mtu = 9001;                                    // AWS_VPC_ENI_MTU
  int pod_mtu = 0;                                   // POD_MTU; 0: as the ENIs'
  bool node_port_support = true;                     // AWS_VPC_CNI_NODE_PORT_SUPPORT
  std::string randomize_snat = "prng";               // AWS_VPC_K8S_CNI_RANDOMIZESNAT
  std::string veth_prefix = "eni";                   // AWS_VPC_K8S_CNI_VETHPREFIX
  bool tcp_early_demux = true;                       // not DISABLE_TCP_EARLY_DEMUX
  EnforcingMode enforcing = EnforcingMode::kStrict;  // POD_SECURITY_GROUP_ENFORCING_MODE
};

struct AgentSettings {
  // Pool targets. An IP target of 0 counts as not defined (TG-1).
  int warm_eni_target = 1;
  int warm_ip_target = 0;
  int minimum_ip_target = 0;
  int warm_prefix_target = 0;
  std::optional<int> max_eni;  // MAX_ENI, if it is at least 1

  bool enable_ipv4 = false;
  bool enable_ipv6 = false;
  bool prefix_delegation = false;
  bool subnet_discovery = true;
  bool disable_network_provisioning = false;
  bool imds_only = false;
  bool disable_leaked_eni_cleanup = false;
  bool manage_untagged_enis = true;
  bool manage_enis_non_schedulable = false;
  bool custom_networking = false;
  bool enable_pod_eni = false;
  bool enable_multi_nic = false;
  bool annotate_pod_ip = false;
  HostNetworkSettings network;
  std::string network_policy_mode;  // empty: no network policy agent is asked
  // Node label and annotation that name the node's ENIConfig.
  std::string eni_config_label = "k8s.amazonaws.com/eniConfig";
  std::string eni_config_annotation = "k8s.amazonaws.com/eniConfig";
  Duration ip_cooldown = std::chrono::seconds(30);
  std::string cluster_name;
  Tags additional_eni_tags;

  Quirks quirks;

  PoolMode mode() const {
    if (enable_ipv6) return PoolMode::kIpv6;
    return prefix_delegation ? PoolMode::kPrefixes : PoolMode::kSecondaryIps;
  }
  // IMDS-only mode asks EC2 for nothing, so it provisions nothing.
  bool provisioning_disabled() const { return disable_network_provisioning || imds_only; }
  bool leaked_eni_cleanup_disabled() const {
    return disable_leaked_eni_cleanup || enable_ipv6 || provisioning_disabled();
  }
  bool ip_targets_defined() const { return warm_ip_target != 0 || minimum_ip_target != 0; }
};

using Environment = std::map<std::string, std::string>;

struct EnvironmentWarning {
  std::string variable;
  std::string text;
};

struct ParsedEnvironment {
  AgentSettings settings;
  std::vector<EnvironmentWarning> warnings;
};

// What the manifest of v1.23.1 sets.
Environment ManifestEnvironment();

// The manifest's values with others over them; an empty one unsets the variable.
Environment ManifestEnvironmentWith(const std::map<std::string, std::optional<std::string>>& env);

// Variables with an effect here, and variables of the real agent that are not simulated; both
// sorted. Any other name is nobody's.
std::span<const std::string_view> SupportedVariables();
std::span<const std::string_view> UnsupportedVariables();

// `environment` is complete: the manifest's values with the user's over them. Fails with code
// "entrypoint" and the variable at fault where the real container would refuse to start. Variables
// that are not supported are ignored.
Result<ParsedEnvironment> ParseEnvironment(const Environment& environment);

// V6-1, PX-1: which IP family and mode combinations the agent starts with. In IPv4, prefix
// delegation on an instance that cannot have it is switched off with a warning; other
// contradictions are errors.
Status ValidateConfiguration(AgentSettings& settings, bool instance_supports_prefixes,
                             std::vector<EnvironmentWarning>& warnings);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_SETTINGS_H_
