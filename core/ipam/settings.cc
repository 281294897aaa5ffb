#include "core/ipam/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace cnisim {
namespace {

constexpr std::array<std::string_view, 13> kSupported{
    "ADDITIONAL_ENI_TAGS",
    "CLUSTER_NAME",
    "DISABLE_NETWORK_RESOURCE_PROVISIONING",
    "ENABLE_IPv4",
    "ENABLE_IPv6",
    "ENABLE_PREFIX_DELEGATION",
    "ENABLE_SUBNET_DISCOVERY",
    "IP_COOLDOWN_PERIOD",
    "MAX_ENI",
    "MINIMUM_IP_TARGET",
    "WARM_ENI_TARGET",
    "WARM_IP_TARGET",
    "WARM_PREFIX_TARGET",
};

constexpr std::array<std::string_view, 23> kUnsupported{
    "ANNOTATE_POD_IP",
    "AWS_EC2_ENDPOINT",
    "AWS_MANAGE_ENIS_NON_SCHEDULABLE",
    "AWS_VPC_CNI_NODE_PORT_SUPPORT",
    "AWS_VPC_ENI_MTU",
    "AWS_VPC_K8S_CNI_BACKING_STORE",
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
    "AWS_VPC_K8S_CNI_EXTERNALSNAT",
    "AWS_VPC_K8S_CNI_LOGLEVEL",
    "AWS_VPC_K8S_CNI_LOG_FILE",
    "AWS_VPC_K8S_CNI_VETHPREFIX",
    "DISABLE_INTROSPECTION",
    "DISABLE_LEAKED_ENI_CLEANUP",
    "DISABLE_METRICS",
    "ENABLE_IMDS_ONLY_MODE",
    "ENABLE_MULTI_NIC",
    "ENABLE_POD_ENI",
    "HTTP_TIMEOUT",
    "INTROSPECTION_BIND_ADDRESS",
    "MANAGE_UNTAGGED_ENI",
    "MY_NODE_NAME",
    "NETWORK_POLICY_ENFORCING_MODE",
    "POD_SECURITY_GROUP_ENFORCING_MODE",
};

static_assert(std::ranges::is_sorted(kSupported));
static_assert(std::ranges::is_sorted(kUnsupported));

// Go's strconv.Atoi: an optional sign and decimal digits, nothing else.
std::optional<int> ParseGoInt(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

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
    const std::optional<int> value = ParseGoInt(*text);
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
          {"WARM_ENI_TARGET", "1"},
          {"WARM_PREFIX_TARGET", "1"}};
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
    const std::optional<int> value = ParseGoInt(*text);
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
  if (const std::string* text = reader.Find("CLUSTER_NAME")) s.cluster_name = *text;
  s.additional_eni_tags = ParseAdditionalTags(reader);

  if (const std::string* text = reader.Find("IP_COOLDOWN_PERIOD")) {
    const std::optional<int> value = ParseGoInt(*text);
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
  if (settings.prefix_delegation && !instance_supports_prefixes) {
    settings.prefix_delegation = false;
    warnings.push_back({"ENABLE_PREFIX_DELEGATION",
                        "the instance type does not support prefix delegation; secondary IP mode "
                        "is used"});
  }
  return {};
}

}  // namespace cnisim
