// Shape: amazon-vpc-cni-k8s v1.23.1, /v1/enis (core/ipam/introspection.h), and before several
// network cards were managed: {"0": {...}} with an object per card, or its members without the
// card.
#include "sim/import/fact_readers.h"

namespace cnisim {
namespace {

// A /80 of IPv6 has 2^48 addresses, and an agent may have several.
constexpr int64_t kMost = int64_t{1} << 62;

// How many addresses a mask of four bytes in Base64, as Go writes one, leaves.
int64_t AddressesUnder(const std::string& mask) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  int ones = 0;
  for (const char c : mask) {
    const size_t value = kDigits.find(c);
    if (value == std::string_view::npos) continue;  // padding
    ones += __builtin_popcountll(value);
  }
  return ones <= 32 ? int64_t{1} << (32 - ones) : 1;
}

void ReadCard(MapReader& card, AgentFact& agent) {
  if (Field total = card.Get("TotalIPs"); total.present()) {
    agent.total += total.Int<int64_t>(0, kMost).value_or(0);
  }
  if (Field assigned = card.Get("AssignedIPs"); assigned.present()) {
    agent.assigned += assigned.Int<int64_t>(0, kMost).value_or(0);
  }
  MapReader enis = card.Get("ENIs").Map("'ENIs' of " + card.what());
  for (const YamlEntry& entry : enis.entries()) {
    MapReader map(&entry.value, entry.where, "ENI " + entry.key, enis.diagnostics());
    AgentEniFact eni;
    eni.id = entry.key;
    eni.subnet = OptionalText(map, "SubnetID");
    if (Field primary = map.Get("IsPrimary"); primary.present()) {
      eni.primary = primary.Bool().value_or(false);
    }
    MapReader cidrs = map.Get("AvailableIPv4Cidrs").Map("'AvailableIPv4Cidrs' of " + map.what());
    for (const YamlEntry& of_cidr : cidrs.entries()) {
      MapReader cidr(&of_cidr.value, of_cidr.where, "CIDR " + of_cidr.key, enis.diagnostics());
      MapReader block = cidr.Get("Cidr").Map("'Cidr' of " + cidr.what());
      eni.addresses += AddressesUnder(OptionalText(block, "Mask"));
      if (Field prefix = cidr.Get("IsPrefix"); prefix.present()) {
        eni.prefixes += prefix.Bool().value_or(false) ? 1 : 0;
      }
      MapReader addresses = cidr.Get("IPAddresses").Map("'IPAddresses' of " + cidr.what());
      for (const YamlEntry& of_address : addresses.entries()) {
        MapReader address(&of_address.value, of_address.where, "address " + of_address.key,
                          enis.diagnostics());
        MapReader key = address.Get("IPAMKey").Map("'IPAMKey' of " + address.what());
        if (OptionalText(key, "networkName").empty()) continue;  // released
        MapReader of_pod = address.Get("IPAMMetadata").Map("'IPAMMetadata' of " + address.what());
        agent.pods.emplace_back(OptionalText(of_pod, "k8sPodNamespace"),
                                OptionalText(of_pod, "k8sPodName"));
      }
    }
    agent.enis.push_back(std::move(eni));
  }
}

}  // namespace

void ReadAgentPage(MapReader& document, const std::string& name, ClusterFacts& facts) {
  AgentFact agent;
  agent.file = name;
  if (document.Has("ENIs")) {
    ReadCard(document, agent);
  } else {
    for (const YamlEntry& entry : document.entries()) {
      MapReader card(&entry.value, entry.where, "card " + entry.key, document.diagnostics());
      ReadCard(card, agent);
    }
  }
  facts.seen.insert("/v1/enis");
  facts.agents.push_back(std::move(agent));
}

}  // namespace cnisim
