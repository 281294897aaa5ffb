#include "core/ipam/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "core/net/numbers.h"

namespace cnisim {
namespace {

constexpr std::array<std::string_view, 35> kSupported{
    "ADDITIONAL_ENI_TAGS",
    "ANNOTATE_POD_IP",
    "AWS_EXTERNAL_SERVICE_CIDRS",
    "AWS_MANAGE_ENIS_NON_SCHEDULABLE",
    "AWS_VPC_CNI_NODE_PORT_SUPPORT",
    "AWS_VPC_ENI_MTU",
    "AWS_VPC_K8S_CNI_CONNMARK",
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
    "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS",
    "AWS_VPC_K8S_CNI_EXTERNALSNAT",
    "AWS_VPC_K8S_CNI_RANDOMIZESNAT",
    "AWS_VPC_K8S_CNI_VETHPREFIX",
    "CLUSTER_NAME",
    "DISABLE_LEAKED_ENI_CLEANUP",
    "DISABLE_NETWORK_RESOURCE_PROVISIONING",
    "DISABLE_TCP_EARLY_DEMUX",
    "ENABLE_IMDS_ONLY_MODE",
    "ENABLE_IPv4",
    "ENABLE_IPv6",
    "ENABLE_MULTI_NIC",
    "ENABLE_POD_ENI",
    "ENABLE_PREFIX_DELEGATION",
    "ENABLE_SUBNET_DISCOVERY",
    "ENI_CONFIG_ANNOTATION_DEF",
    "ENI_CONFIG_LABEL_DEF",
    "IP_COOLDOWN_PERIOD",
    "MANAGE_UNTAGGED_ENI",
    "MAX_ENI",
    "MINIMUM_IP_TARGET",
    "NETWORK_POLICY_ENFORCING_MODE",
    "POD_MTU",
    "POD_SECURITY_GROUP_ENFORCING_MODE",
    "WARM_ENI_TARGET",
    "WARM_IP_TARGET",
    "WARM_PREFIX_TARGET",
};

constexpr std::array<std::string_view, 9> kUnsupported{
    "AWS_EC2_ENDPOINT",
    "AWS_VPC_K8S_CNI_BACKING_STORE",
    "AWS_VPC_K8S_CNI_LOGLEVEL",
    "AWS_VPC_K8S_CNI_LOG_FILE",
    "DISABLE_INTROSPECTION",
    "DISABLE_METRICS",
    "HTTP_TIMEOUT",
    "INTROSPECTION_BIND_ADDRESS",
    "MY_NODE_NAME",
};

static_assert(std::ranges::is_sorted(kSupported));
static_assert(std::ranges::is_sorted(kUnsupported));

// Go's strconv.ParseBool (EV-1).
std::optional<bool> ParseGoBool(std::string_view text) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(const Environment& environment, std::vector<EnvironmentWarning>& warnings)
      : environment_(environment), warnings_(warnings) {}

  // nullptr if unset.
  const std::string* Find(const std::string& name) const {
    const auto it = environment_.find(name);
    return it == environment_.end() ? nullptr : &it->second;
  }

  // Unset, unparsable or negative: the fallback.
  int Target(const std::string& name, int fallback) {
    const std::string* text = Find(name);
    if (text == nullptr) return fallback;
    const std::optional<int> value = ParseInt(*text);
    if (value && *value >= 0) return *value;
    Warn(name, *text, fmt::format("is not a number of at least 0; {} is used", fallback));
    return fallback;
  }

  bool Flag(const std::string& name, bool fallback) {
    const std::string* text = Find(name);
    if (text == nullptr) return fallback;
    const std::optional<bool> value = ParseGoBool(*text);
    if (value) return *value;
    Warn(name, *text, fmt::format("is not a boolean; {} is used", fallback));
    return fallback;
  }

  void Warn(const std::string& name, std::string_view value, std::string_view what) {
    warnings_.push_back({name, fmt::format("{}=\"{}\" {}", name, value, what)});
  }

 private:
  const Environment& environment_;
  std::vector<EnvironmentWarning>& warnings_;
};

// A JSON map of strings; keys of Kubernetes' own domain are dropped, anything else is no map.
Tags ParseAdditionalTags(Reader& reader) {
  constexpr std::string_view kReserved = "k8s.amazonaws.com";
  const std::string name = "ADDITIONAL_ENI_TAGS";
  const std::string* text = reader.Find(name);
  if (text == nullptr) return {};
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() ||
      !std::ranges::all_of(json, [](const auto& value) { return value.is_string(); })) {
    reader.Warn(name, *text, "is not a JSON map of strings; no tags are added");
    return {};
  }
  Tags tags;
  for (const auto& [key, value] : json.items()) {
    if (key.find(kReserved) != std::string::npos) {
      reader.Warn(name, key, "is a reserved tag key; it is dropped");
    } else {
      tags.emplace(key, value.get<std::string>());
    }
  }
  return tags;
}

// As Go's net.ParseCIDR: bits of the host are masked.
template <typename Cidr>
std::optional<Cidr> MaskedBlock(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address || slash == std::string_view::npos) return std::nullopt;
  const std::optional<int> length = ParseInt(text.substr(slash + 1));
  if (!length || *length < 0 || *length > (address->is_v4() ? 32 : 128)) return std::nullopt;
  if (address->is_v4()) return Cidr(Ipv4Cidr(address->v4(), *length));
  if constexpr (std::is_same_v<Cidr, IpCidr>) return Cidr(Ipv6Cidr(address->v6(), *length));
  return std::nullopt;
}

// A comma-separated list of blocks; what is none is left out.
template <typename Cidr>
std::vector<Cidr> ParseBlocks(Reader& reader, const std::string& name, std::string_view kind) {
  std::vector<Cidr> blocks;
  const std::string* text = reader.Find(name);
  std::string_view rest = text == nullptr ? std::string_view() : *text;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (const std::optional<Cidr> block = MaskedBlock<Cidr>(item)) {
      blocks.push_back(*block);
    } else {
      reader.Warn(name, item, fmt::format("is not {} block; it is left out", kind));
    }
  }
  return blocks;
}

// A mark as Go reads it with base 0: 0x80, 0200, 128.
uint32_t ParseConnmark(Reader& reader, uint32_t fallback) {
  const std::string name = "AWS_VPC_K8S_CNI_CONNMARK";
  const std::string* text = reader.Find(name);
  if (text == nullptr) return fallback;
  std::string_view digits = *text;
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits.starts_with('0')) {
    base = 8;
    digits.remove_prefix(1);
  }
  uint32_t mark = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), mark, base);
  if (error == std::errc() && end == digits.data() + digits.size() && mark > 0) return mark;
  reader.Warn(name, *text,
              fmt::format("is not a mark from 1 to 4294967295; {:#x} is used", fallback));
  return fallback;
}

// Numbers out of range do not get past the entrypoint.
int ParseMtu(const Reader& reader, const std::string& name, int fallback) {
  const std::string* text = reader.Find(name);
  return text == nullptr ? fallback : ParseInt(*text).value_or(fallback);
}

HostNetworkSettings ParseHostNetwork(Reader& reader) {
  HostNetworkSettings s;
  s.connmark = ParseConnmark(reader, s.connmark);
  s.external_snat = reader.Flag("AWS_VPC_K8S_CNI_EXTERNALSNAT", false);
  s.exclude_snat_cidrs =
      ParseBlocks<Ipv4Cidr>(reader, "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS", "an IPv4");
  s.external_service_cidrs = ParseBlocks<IpCidr>(reader, "AWS_EXTERNAL_SERVICE_CIDRS", "an IP");
  s.mtu = ParseMtu(reader, "AWS_VPC_ENI_MTU", s.mtu);
  s.pod_mtu = ParseMtu(reader, "POD_MTU", s.pod_mtu);
  s.node_port_support = reader.Flag("AWS_VPC_CNI_NODE_PORT_SUPPORT", true);
  if (const std::string* text = reader.Find("AWS_VPC_K8S_CNI_RANDOMIZESNAT")) {
    if (*text == "hashrandom" || *text == "none") {
      s.randomize_snat = *text;
    } else if (*text != "prng") {
      reader.Warn("AWS_VPC_K8S_CNI_RANDOMIZESNAT", *text,
                  "is not prng, hashrandom or none; prng is used");
    }
  }
  if (const std::string* text = reader.Find("AWS_VPC_K8S_CNI_VETHPREFIX")) s.veth_prefix = *text;
  s.tcp_early_demux = !reader.Flag("DISABLE_TCP_EARLY_DEMUX", false);
  if (const std::string* text = reader.Find("POD_SECURITY_GROUP_ENFORCING_MODE")) {
    if (*text == "standard") s.enforcing = EnforcingMode::kStandard;
  }
  return s;
}

// EV-3: with prefix delegation on, one of the three targets must be above "0", compared as strings.
bool HasPrefixTarget(const Reader& reader) {
  return std::ranges::any_of(
      std::array{"WARM_IP_TARGET", "WARM_PREFIX_TARGET", "MINIMUM_IP_TARGET"},
      [&](const char* name) {
        const std::string* text = reader.Find(name);
        return text != nullptr && *text > "0";
      });
}

}  // namespace

Environment ManifestEnvironment() {
  return {{"ADDITIONAL_ENI_TAGS", "{}"},
          {"DISABLE_NETWORK_RESOURCE_PROVISIONING", "false"},
          {"ENABLE_IPv4", "true"},
          {"ENABLE_IPv6", "false"},
          {"ENABLE_PREFIX_DELEGATION", "false"},
          {"ENABLE_SUBNET_DISCOVERY", "true"},
          {"NETWORK_POLICY_ENFORCING_MODE", "standard"},
          {"WARM_ENI_TARGET", "1"},
          {"WARM_PREFIX_TARGET", "1"}};
}

Environment ManifestEnvironmentWith(const std::map<std::string, std::optional<std::string>>& env) {
  Environment environment = ManifestEnvironment();
  for (const auto& [name, value] : env) {
    if (value) {
      environment[name] = *value;
    } else {
      environment.erase(name);
    }
  }
  return environment;
}

std::span<const std::string_view> SupportedVariables() { return kSupported; }
std::span<const std::string_view> UnsupportedVariables() { return kUnsupported; }

Result<ParsedEnvironment> ParseEnvironment(const Environment& environment) {
  ParsedEnvironment result;
  Reader reader(environment, result.warnings);
  AgentSettings& s = result.settings;

  s.warm_eni_target = reader.Target("WARM_ENI_TARGET", 1);
  s.warm_ip_target = reader.Target("WARM_IP_TARGET", 0);
  s.minimum_ip_target = reader.Target("MINIMUM_IP_TARGET", 0);
  s.warm_prefix_target = reader.Target("WARM_PREFIX_TARGET", 0);
  if (const std::string* text = reader.Find("MAX_ENI")) {
    const std::optional<int> value = ParseInt(*text);
    if (value && *value >= 1) {
      s.max_eni = value;
    } else if (!value) {
      reader.Warn("MAX_ENI", *text, "is not a number; the instance's limit is used");
    }
  }
  s.enable_ipv4 = reader.Flag("ENABLE_IPv4", false);
  s.enable_ipv6 = reader.Flag("ENABLE_IPv6", false);
  s.prefix_delegation = reader.Flag("ENABLE_PREFIX_DELEGATION", false);
  s.subnet_discovery = reader.Flag("ENABLE_SUBNET_DISCOVERY", true);
  s.disable_network_provisioning = reader.Flag("DISABLE_NETWORK_RESOURCE_PROVISIONING", false);
  s.imds_only = reader.Flag("ENABLE_IMDS_ONLY_MODE", false);
  s.disable_leaked_eni_cleanup = reader.Flag("DISABLE_LEAKED_ENI_CLEANUP", false);
  s.manage_untagged_enis = reader.Flag("MANAGE_UNTAGGED_ENI", true);
  s.manage_enis_non_schedulable = reader.Flag("AWS_MANAGE_ENIS_NON_SCHEDULABLE", false);
  s.custom_networking = reader.Flag("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", false);
  s.enable_pod_eni = reader.Flag("ENABLE_POD_ENI", false);
  s.enable_multi_nic = reader.Flag("ENABLE_MULTI_NIC", false);
  s.annotate_pod_ip = reader.Flag("ANNOTATE_POD_IP", false);
  s.network = ParseHostNetwork(reader);
  if (const std::string* text = reader.Find("ENI_CONFIG_LABEL_DEF")) s.eni_config_label = *text;
  if (const std::string* text = reader.Find("ENI_CONFIG_ANNOTATION_DEF")) {
    s.eni_config_annotation = *text;
  }
  if (const std::string* text = reader.Find("CLUSTER_NAME")) s.cluster_name = *text;
  if (const std::string* text = reader.Find("NETWORK_POLICY_ENFORCING_MODE")) {
    s.network_policy_mode = *text;
    for (char& c : s.network_policy_mode) c = static_cast<char>(std::tolower(c));
    const std::string& mode = s.network_policy_mode;
    if (mode != "none" && mode != "standard" && mode != "strict") {
      return Fail(
          "entrypoint",
          fmt::format("NETWORK_POLICY_ENFORCING_MODE=\"{}\": the agent refuses to start: it "
                      "must be none, standard or strict",
                      *text));
    }
  }
  s.additional_eni_tags = ParseAdditionalTags(reader);

  if (const std::string* text = reader.Find("IP_COOLDOWN_PERIOD")) {
    const std::optional<int> value = ParseInt(*text);
    if (!value || *value < 0) {
      return Fail("entrypoint",
                  fmt::format("IP_COOLDOWN_PERIOD=\"{}\": the aws-node container refuses to start: "
                              "it must be a whole number of seconds, at least 0",
                              *text));
    }
    s.ip_cooldown = std::chrono::seconds(*value);
  }
  if (s.prefix_delegation && !HasPrefixTarget(reader)) {
    return Fail("entrypoint",
                "ENABLE_PREFIX_DELEGATION: the aws-node container refuses to start: with prefix "
                "delegation one of WARM_PREFIX_TARGET, WARM_IP_TARGET and MINIMUM_IP_TARGET must "
                "be above 0");
  }
  return result;
}

Status ValidateConfiguration(AgentSettings& settings, bool instance_supports_prefixes,
                             std::vector<EnvironmentWarning>& warnings) {
  if (settings.enable_ipv4 == settings.enable_ipv6) {
    return Fail("configuration", "exactly one of ENABLE_IPv4 and ENABLE_IPv6 must be true");
  }
  if (settings.enable_ipv6 && (!settings.prefix_delegation || !instance_supports_prefixes)) {
    return Fail("configuration",
                "IPv6 needs ENABLE_PREFIX_DELEGATION=true and an instance on the Nitro system");
  }
  if (settings.enable_ipv6 && settings.custom_networking) {
    return Fail("configuration", "IPv6 needs AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG=false");
  }
  if (settings.prefix_delegation && !instance_supports_prefixes) {
    settings.prefix_delegation = false;
    warnings.push_back({"ENABLE_PREFIX_DELEGATION",
                        "the instance type does not support prefix delegation; secondary IP mode "
                        "is used"});
  }
  return {};
}

}  // namespace cnisim
