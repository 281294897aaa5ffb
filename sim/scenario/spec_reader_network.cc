// spec.network.
#include <algorithm>
#include <regex>

#include "core/cni/entrypoint_checks.h"
#include "sim/scenario/spec_reader.h"
#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

// Calico IPPool API: a block is a /20 to a /32.
constexpr int kLargestBlock = 20;
constexpr int kSmallestBlock = 32;
// The releases whose differences are known.
constexpr int kOldestCalicoMinor = 28;
constexpr int kNewestCalicoMinor = 33;
constexpr int kMaxBlocksPerHost = 100'000;
// From IPv6's minimum to EC2's jumbo frames; pods' from what every IPv4 host takes (RFC 791).
constexpr int kSmallestMtu = 1280;
constexpr int kSmallestPodMtu = 576;
constexpr int kLargestMtu = 9001;

bool Holds(std::span<const std::string_view> sorted, std::string_view name) {
  return std::ranges::binary_search(sorted, name);
}

}  // namespace

void SpecReader::ReadNetwork(Field network) {
  MapReader map = network.Map("network");
  network_place_ = network.where();
  NetworkSpec& spec = scenario.network;
  spec.plugin =
      map.Get("plugin")
          .OneOf<Plugin>({{"aws-vpc-cni", Plugin::kAwsVpcCni}, {"calico", Plugin::kCalico}})
          .value_or(Plugin::kAwsVpcCni);
  spec.choice = map.Get("choice")
                    .OneOf<ChoicePolicy>(
                        {{"random", ChoicePolicy::kRandom}, {"oldest", ChoicePolicy::kOldest}})
                    .value_or(ChoicePolicy::kRandom);
  kube_proxy_ = map.Get("kubeProxy");
  if (spec.plugin == Plugin::kAwsVpcCni) {
    map.Misplaced("calico", "is only for plugin calico");
    map.Misplaced("mtu", "is only for plugin calico; aws-vpc-cni has AWS_VPC_ENI_MTU in 'env'");
    ReadEnvironment(map.Get("env"));
    ReadQuirks(map.Get("quirks"));
    ReadEniConfigs(map.Get("eniConfigs"));
    if (settings_) CheckEnvironment(*settings_);
  } else {
    map.Misplaced("env", "is only for plugin aws-vpc-cni");
    map.Misplaced("quirks", "is only for plugin aws-vpc-cni");
    map.Misplaced("eniConfigs", "is only for plugin aws-vpc-cni");
    ReadCalico(map.Get("calico"));
    spec.mtu = map.Get("mtu").Int(kSmallestMtu, kLargestMtu).value_or(NetworkSpec{}.mtu);
  }
  map.Done();
}

void SpecReader::ReadEnvironment(Field env) {
  MapReader map = env.Map("'env' of network");
  settings_ = ReadVariables(map, scenario.network.env);
}

std::optional<AgentSettings> SpecReader::ReadVariables(
    MapReader& map, std::map<std::string, std::optional<std::string>>& env) {
  std::vector<std::string_view> known(SupportedVariables().begin(), SupportedVariables().end());
  map.KeysAreOf(known);
  bool good = true;
  for (const YamlEntry& entry : map.entries()) {
    const std::string& name = entry.key;
    Field value = map.Get(name);
    env_places_[name] = value.where();
    if (Holds(UnsupportedVariables(), name)) {
      diagnostics_.Error(entry.where, "unsupported-variable",
                         fmt::format("cnisim does not simulate the variable {}", name));
      good = false;
    } else if (!Holds(SupportedVariables(), name)) {
      diagnostics_.Error(entry.where, "unknown-variable",
                         fmt::format("aws-node has no variable '{}'", name),
                         DidYouMean(name, known));
      good = false;
    } else if (entry.value.is_null()) {
      env[name] = std::nullopt;
    } else if (const std::optional<std::string> text = value.Text()) {
      env[name] = *text;
    } else {
      good = false;
    }
  }
  if (!good) return std::nullopt;
  const auto place = [&](std::string_view variable) {
    const auto it = env_places_.find(std::string(variable));
    return it == env_places_.end() ? map.where() : it->second;
  };
  const Result<ParsedEnvironment> parsed = ParseEnvironment(ManifestEnvironmentWith(env));
  if (!parsed) {
    // The message starts with the variable at fault.
    const std::string& message = parsed.error().message;
    diagnostics_.Error(place(std::string_view(message).substr(0, message.find_first_of("=:"))),
                       "bad-environment", message);
    return std::nullopt;
  }
  const AgentSettings& settings = parsed->settings;
  const Status plugin = CheckPluginVariables(ManifestEnvironmentWith(env), settings.enable_ipv6,
                                             settings.enable_pod_eni);
  if (!plugin) {
    const std::string& message = plugin.error().message;
    diagnostics_.Error(place(std::string_view(message).substr(0, message.find(' '))),
                       "bad-environment", message + ": the aws-node container refuses to start");
    return std::nullopt;
  }
  pod_enis_on_ = pod_enis_on_ || settings.enable_pod_eni;
  strict_enforcing_ = strict_enforcing_ || settings.network.enforcing == EnforcingMode::kStrict;
  for (const EnvironmentWarning& warning : parsed->warnings) {
    diagnostics_.Warning(place(warning.variable), "env-value-ignored", warning.text);
  }
  return settings;
}

void SpecReader::ReadQuirks(Field quirks) {
  MapReader map = quirks.Map("'quirks' of network");
  for (const QuirkInfo& quirk : AllQuirks()) {
    scenario.network.quirks.*quirk.member = map.Get(quirk.name).Bool().value_or(true);
  }
  map.Done();
}

void SpecReader::ReadEniConfigs(Field list) {
  Names names("ENIConfig");
  for (Field& item : list.List("ENIConfig")) {
    MapReader map = item.Required().Map(item.label());
    EniConfigSpec config;
    config.name = names.Take(map);
    const std::optional<int> subnet = subnets_.Resolve(map.Get("subnet").Required());
    config.subnet = static_cast<size_t>(subnet.value_or(0));
    for (Field& group : map.Get("securityGroups").List("security group")) {
      config.security_groups.push_back(group.Required().String().value_or(""));
    }
    map.Done();
    scenario.network.eni_configs.push_back(std::move(config));
  }
}

void SpecReader::CheckEnvironment(const AgentSettings& settings) {
  const auto place = [&](const char* variable) {
    const auto it = env_places_.find(variable);
    return it == env_places_.end() ? network_place_ : it->second;
  };
  if (settings.enable_ipv6 && !scenario.vpc.ipv6_cidr) {
    diagnostics_.Error(place("ENABLE_IPv6"), "bad-environment",
                       "ENABLE_IPv6 needs 'ipv6CidrBlock' of vpc");
  }
  if (settings.custom_networking && scenario.network.eni_configs.empty()) {
    diagnostics_.Error(place("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"), "bad-environment",
                       "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG needs 'eniConfigs' of network");
  }
}

void SpecReader::ReadCalicoVersion(Field version) {
  const std::optional<std::string> text = version.String();
  if (!text) return;
  static const std::regex kVersion(R"(v?3\.(\d{1,2})(?:\.(\d{1,2}))?)");
  std::smatch parts;
  CalicoSpec& spec = scenario.network.calico;
  const bool good = std::regex_match(*text, parts, kVersion);
  if (good) {
    spec.minor = std::stoi(parts[1]);
    spec.patch = parts[2].matched ? std::stoi(parts[2]) : 0;
  }
  if (!good || spec.minor < kOldestCalicoMinor || spec.minor > kNewestCalicoMinor) {
    version.Error("out-of-range", fmt::format("'{}' is no release of Calico from v3.{} to v3.{}",
                                              *text, kOldestCalicoMinor, kNewestCalicoMinor));
  }
}

void SpecReader::ReadCalico(Field calico) {
  MapReader map = calico.Map("'calico' of network");
  CalicoSpec& spec = scenario.network.calico;
  Names names("IP pool");
  Field pools = map.Get("ipPools");
  for (Field& item : pools.List("IP pool")) {
    MapReader pool_map = item.Required().Map(item.label());
    IpPoolSpec pool;
    pool.name =
        names.Take(pool_map, &Field::DnsLabel, fmt::format("ippool-{}", spec.ip_pools.size() + 1));
    pool.encapsulation = pool_map.Get("encapsulation")
                             .OneOf<Encapsulation>(kEncapsulations)
                             .value_or(IpPoolSpec{}.encapsulation);
    pool.block_size = pool_map.Get("blockSize")
                          .Int(kLargestBlock, kSmallestBlock)
                          .value_or(IpPoolSpec{}.block_size);
    pool.nat_outgoing = pool_map.Get("natOutgoing").Bool().value_or(IpPoolSpec{}.nat_outgoing);
    Field cidr_field = pool_map.Get("cidr").Required();
    const std::optional<Ipv4Cidr> cidr = cidr_field.Cidr();
    pool_map.Done();
    if (!cidr) continue;
    pool.cidr = *cidr;
    if (cidr->length() > pool.block_size) {
      cidr_field.Error("out-of-range",
                       fmt::format("{} {} is smaller than one of its blocks, a /{}",
                                   pool_map.what(), cidr->ToString(), pool.block_size));
    }
    for (const IpPoolSpec& earlier : spec.ip_pools) {
      if (!earlier.cidr.Overlaps(*cidr)) continue;
      cidr_field.Error("overlap",
                       fmt::format("{} {} overlaps IP pool '{}' {}", pool_map.what(),
                                   cidr->ToString(), earlier.name, earlier.cidr.ToString()));
    }
    for (const Ipv4Cidr& block : scenario.vpc.cidr_blocks) {
      if (!block.Overlaps(*cidr)) continue;
      diagnostics_.Warning(cidr_field.where(), "pool-overlaps-vpc",
                           fmt::format("{} {} overlaps the VPC's {}", pool_map.what(),
                                       cidr->ToString(), block.ToString()));
    }
    spec.ip_pools.push_back(std::move(pool));
  }
  if (!pools.present()) {
    IpPoolSpec pool;
    pool.name = kDefaultPoolName;
    pool.cidr = *Ipv4Cidr::Parse(kDefaultPoolCidr);
    spec.ip_pools.push_back(std::move(pool));
  } else if (pools.node()->kind == YamlNode::Kind::kList && pools.node()->items.empty()) {
    pools.Error("missing-value", "Calico needs at least one IP pool");
  }
  ReadCalicoVersion(map.Get("version"));
  spec.disables_src_dst_check = map.Get("awsSrcDstCheck")
                                    .OneOf<bool>({{"DoNothing", false}, {"Disable", true}})
                                    .value_or(false);
  spec.strict_affinity = map.Get("strictAffinity").Bool().value_or(false);
  Field pod_mtu = map.Get("podMtu");
  if (!pod_mtu.Is("auto")) {
    spec.pod_mtu = pod_mtu.Int(kSmallestPodMtu, kLargestMtu);
  }
  spec.vxlan_checksum_offload = map.Get("vxlanChecksumOffload").Bool().value_or(true);
  spec.max_blocks_per_host = map.Get("maxBlocksPerHost").Int(0, kMaxBlocksPerHost).value_or(0);
  map.Done();
}

}  // namespace cnisim
