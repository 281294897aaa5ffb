#include "sim/scenario/network_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

constexpr std::string_view kVpcCni = "aws-vpc-cni";
constexpr std::string_view kCalico = "calico:";
constexpr std::array<std::string_view, 3> kOfVpcCni{"env", "quirks", "eniConfigs"};
constexpr std::string_view kMtuVariable = "AWS_VPC_ENI_MTU";

std::vector<std::string> Choices() {
  std::vector<std::string> choices{std::string(kVpcCni)};
  for (const auto& [name, encapsulation] : kEncapsulations) {
    choices.push_back(fmt::format("{}{}", kCalico, name));
  }
  return choices;
}

class Choice {
 public:
  explicit Choice(Location where) : where_(where) {}

  void Calico(YamlNode& network, const std::string& encapsulation) const {
    Set(network, "plugin", "calico");
    if (const YamlNode* env = network.Find("env")) {
      const YamlNode* mtu = env->Find(kMtuVariable);
      if (mtu != nullptr && network.Find("mtu") == nullptr) Set(network, "mtu", mtu->text);
    }
    std::erase_if(network.entries, [](const YamlEntry& entry) {
      return std::ranges::find(kOfVpcCni, entry.key) != kOfVpcCni.end();
    });
    YamlNode& calico = Mapping(network, "calico");
    YamlNode& pools = Child(calico, "ipPools");
    if (pools.is_null()) {
      pools.kind = YamlNode::Kind::kList;
      YamlNode& pool = pools.items.emplace_back();
      pool.where = where_;
      pool.kind = YamlNode::Kind::kMapping;
      Set(pool, "name", kDefaultPoolName);
      Set(pool, "cidr", kDefaultPoolCidr);
    }
    for (YamlNode& pool : pools.items) {
      if (pool.kind == YamlNode::Kind::kMapping) Set(pool, "encapsulation", encapsulation);
    }
    const bool bare = encapsulation != "VXLAN" && encapsulation != "IPIP";
    if (bare && calico.Find("awsSrcDstCheck") == nullptr) Set(calico, "awsSrcDstCheck", "Disable");
  }

  void VpcCni(YamlNode& network) const {
    Set(network, "plugin", kVpcCni);
    if (const YamlNode* mtu = network.Find("mtu"); mtu != nullptr && !mtu->is_null()) {
      const std::string text = mtu->text;
      Set(Mapping(network, "env"), kMtuVariable, text);
    }
    std::erase_if(network.entries, [](const YamlEntry& entry) {
      return entry.key == "calico" || entry.key == "mtu";
    });
  }

  YamlNode& Mapping(YamlNode& parent, std::string_view key) const {
    YamlNode& child = Child(parent, key);
    if (child.is_null()) child.kind = YamlNode::Kind::kMapping;
    return child;
  }

 private:
  YamlNode& Child(YamlNode& parent, std::string_view key) const {
    if (YamlNode* found = parent.Find(key)) return *found;
    YamlEntry& entry = parent.entries.emplace_back();
    entry.key = key;
    entry.where = where_;
    entry.value.where = where_;
    return entry.value;
  }

  void Set(YamlNode& parent, std::string_view key, std::string_view text) const {
    YamlNode& value = Child(parent, key);
    value = YamlNode();
    value.kind = YamlNode::Kind::kScalar;
    value.where = where_;
    value.text = text;
    value.from_flag = true;
  }

  Location where_;
};

}  // namespace

std::string_view NameOf(Encapsulation encapsulation) {
  const auto found = std::ranges::find(kEncapsulations, encapsulation,
                                       &std::pair<std::string_view, Encapsulation>::second);
  return found == kEncapsulations.end() ? "" : found->first;
}

std::string NameOf(const NetworkSpec& network) {
  if (network.plugin == Plugin::kAwsVpcCni) return std::string(kVpcCni);
  return fmt::format("{}{}", kCalico, NameOf(network.calico.ip_pools.front().encapsulation));
}

void ApplyNetworkChoice(const std::string& choice, YamlNode& document, Diagnostics& diagnostics) {
  const Location where{diagnostics.AddSource(fmt::format("--network {}", choice)), 0, 0};
  const std::vector<std::string> choices = Choices();
  if (std::ranges::find(choices, choice) == choices.end()) {
    const std::vector<std::string_view> names(choices.begin(), choices.end());
    diagnostics.Error(where, "bad-network", "there is no such network", DidYouMean(choice, names));
    return;
  }
  const Choice change(where);
  // What is no mapping is told when the document is read.
  YamlNode& spec = change.Mapping(document, "spec");
  if (spec.kind != YamlNode::Kind::kMapping) return;
  YamlNode& network = change.Mapping(spec, "network");
  if (network.kind != YamlNode::Kind::kMapping) return;
  if (choice == kVpcCni) {
    change.VpcCni(network);
  } else {
    change.Calico(network, choice.substr(kCalico.size()));
  }
}

}  // namespace cnisim
