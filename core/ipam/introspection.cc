#include "core/ipam/introspection.h"

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/ipam/metadata_json.h"

namespace cnisim {
namespace {

using Json = nlohmann::ordered_json;
// Go writes maps in the order of their keys' text.
using JsonByKey = std::map<std::string, Json>;

constexpr std::string_view kEnis = "/v1/enis";
constexpr std::string_view kIpamdSettings = "/v1/ipamd-env-settings";
constexpr std::string_view kNetworkSettings = "/v1/networkutils-env-settings";
constexpr std::string_view kGoZeroTime = "0001-01-01T00:00:00Z";

std::string Base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](size_t n) { return i + n < bytes.size() ? uint32_t{bytes[i + n]} : 0; };
    const uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (size_t digit = 0; digit < 4; ++digit) {
      text += i + digit > bytes.size() ? '=' : kDigits[three >> (18 - 6 * digit) & 63];
    }
  }
  return text;
}

// The bytes of a network mask, as Go shows a net.IPMask.
std::string MaskText(IpCidr cidr) {
  std::array<uint8_t, 16> mask{};
  for (int bit = 0; bit < cidr.length(); ++bit) {
    mask[static_cast<size_t>(bit / 8)] |= static_cast<uint8_t>(0x80 >> bit % 8);
  }
  return Base64(std::span(mask).first(cidr.is_v4() ? 4 : 16));
}

std::string TimeText(const std::optional<TimePoint>& time, CivilEpoch epoch) {
  return time ? Rfc3339(epoch.ToUnixNanos(*time)) : std::string(kGoZeroTime);
}

Json ToJson(const PoolSnapshot::Address& address, CivilEpoch epoch) {
  return {{"Address", address.ip.ToString()},
          {"IPAMKey", {{"networkName", address.key.network}, {"containerID", ""}, {"ifName", ""}}},
          {"IPAMMetadata", MetadataJson(address.metadata)},
          {"AssignedTime", TimeText(address.assigned, epoch)},
          {"UnassignedTime", TimeText(address.unassigned, epoch)}};
}

Json ToJson(const PoolSnapshot::Cidr& cidr, CivilEpoch epoch) {
  JsonByKey addresses;
  for (const PoolSnapshot::Address& address : cidr.addresses) {
    addresses.emplace(address.ip.ToString(), ToJson(address, epoch));
  }
  return {{"Cidr", {{"IP", cidr.cidr.network().ToString()}, {"Mask", MaskText(cidr.cidr)}}},
          {"IPAddresses", addresses},
          {"IsPrefix", cidr.is_prefix},
          {"AddressFamily", ""}};  // the real agent copies all but this
}

Json ToJson(const PoolSnapshot::Eni& eni, CivilEpoch epoch) {
  JsonByKey cidrs[2];  // IPv4, IPv6
  for (const PoolSnapshot::Cidr& cidr : eni.cidrs) {
    cidrs[cidr.cidr.is_v4() ? 0 : 1].emplace(cidr.cidr.ToString(), ToJson(cidr, epoch));
  }
  return {{"ID", eni.attributes.id},
          {"IsPrimary", eni.attributes.is_primary},
          {"IsTrunk", eni.attributes.is_trunk},
          {"IsEFA", eni.attributes.is_efa},
          {"DeviceNumber", eni.attributes.device_number},
          {"AvailableIPv4Cidrs", cidrs[0]},
          {"IPv6Cidrs", cidrs[1]},
          {"IsExcludedForPodIPs", eni.excluded},
          {"RouteTableID", eni.attributes.route_table},
          {"SubnetID", eni.attributes.subnet_id}};
}

Json Enis(const IntrospectionSources& sources) {
  JsonByKey cards;
  for (const CardDatastore& card : sources.cards) {
    const PoolSnapshot pool = SnapshotOf(card);
    JsonByKey enis;
    for (const PoolSnapshot::Eni& eni : pool.enis) {
      enis.emplace(eni.attributes.id, ToJson(eni, sources.epoch));
    }
    cards.emplace(
        std::to_string(pool.card),
        Json{{"TotalIPs", pool.total_ips}, {"AssignedIPs", pool.assigned_ips}, {"ENIs", enis}});
  }
  return cards;
}

Json IpamdSettings(const IntrospectionSources& sources) {
  return {{"AWS_MANAGE_ENIS_NON_SCHEDULABLE", sources.settings.manage_enis_non_schedulable},
          {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", sources.settings.custom_networking},
          {"ENABLE_SUBNET_DISCOVERY", sources.settings.subnet_discovery},
          {"WARM_ENI_TARGET", sources.settings.warm_eni_target},
          {"WARM_IP_TARGET", sources.settings.warm_ip_target}};
}

template <typename Cidr>
Json Texts(const std::vector<Cidr>& cidrs) {
  Json texts = Json::array();
  for (const Cidr& cidr : cidrs) texts.push_back(cidr.ToString());
  return texts;
}

Json NetworkSettings(const HostNetworkSettings& settings) {
  return {{"AWS_EXTERNAL_SERVICE_CIDRS", Texts(settings.external_service_cidrs)},
          {"AWS_VPC_CNI_NODE_PORT_SUPPORT", settings.node_port_support},
          {"AWS_VPC_ENI_MTU", settings.mtu},
          {"AWS_VPC_K8S_CNI_CONNMARK", settings.connmark},
          {"AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS", Texts(settings.exclude_snat_cidrs)},
          {"AWS_VPC_K8S_CNI_EXTERNALSNAT", settings.external_snat},
          {"AWS_VPC_K8S_CNI_RANDOMIZESNAT", settings.randomize_snat},
          {"AWS_VPC_K8S_CNI_VETHPREFIX", settings.veth_prefix}};
}

HttpReply Ok(const Json& json) {
  return {200, json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace

HttpReply Introspect(std::string_view path, const IntrospectionSources& sources) {
  if (path == kEnis) return Ok(Enis(sources));
  if (path == kIpamdSettings) return Ok(IpamdSettings(sources));
  if (path == kNetworkSettings) return Ok(NetworkSettings(sources.settings.network));
  if (path == kEniConfigsPath) {
    if (!sources.eni_config) return {404, sources.eni_config.error().message + '\n'};
    return Ok(*sources.eni_config);
  }
  return Ok({{"AvailableCommands", {kEniConfigsPath, kEnis, kIpamdSettings, kNetworkSettings}}});
}

}  // namespace cnisim
