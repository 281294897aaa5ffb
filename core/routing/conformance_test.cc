// Plays the conformance vectors of core/routing/vectors; README.md there tells their format.
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/net/veth_name.h"
#include "core/routing/render.h"
#include "core/routing/route_lookup.h"
#include "core/routing/vpc_cni_planner.h"

namespace cnisim {
namespace {

using Words = std::vector<std::string>;

Words Split(const std::string& text, char separator = ' ') {
  Words words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, separator);) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

struct Expected {
  std::string command;
  std::string output;
};

struct Case {
  std::string name;
  std::vector<Words> setup;
  std::vector<Expected> expected;
  friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }
};

std::string ReadAll(const std::string& file) {
  std::ifstream in(std::string(CNISIM_SOURCE_DIR) + "/core/routing/vectors/" + file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<Case> ReadCases(const std::string& file) {
  std::vector<Case> cases;
  std::map<std::string, size_t> by_name;
  Expected* block = nullptr;
  std::istringstream in(ReadAll(file));
  for (std::string line; std::getline(in, line);) {
    const Words words = Split(line);
    if (!words.empty() && words[0] == "//") continue;
    if (!words.empty() && words[0] == "case") {
      Case next;
      if (words.size() == 4) next.setup = cases.at(by_name.at(words[3])).setup;  // after NAME
      next.name = words[1];
      by_name[next.name] = cases.size();
      cases.push_back(std::move(next));
      block = nullptr;
    } else if (line.starts_with("# ")) {
      block = &cases.back().expected.emplace_back(Expected{line.substr(2), ""});
    } else if (block != nullptr) {
      block->output += line + "\n";
    } else if (!words.empty()) {
      cases.back().setup.push_back(words);
    }
  }
  for (Case& one : cases) {
    for (Expected& expected : one.expected) {
      while (expected.output.ends_with("\n\n") || expected.output == "\n") {
        expected.output.pop_back();
      }
    }
  }
  return cases;
}

// "key=value" among the words, or `otherwise`.
std::string Option(const Words& words, const std::string& key, std::string otherwise = "") {
  for (const std::string& word : words) {
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  }
  return otherwise;
}

IpCidr SubnetOf(const std::string& address_and_length) {
  const Words parts = Split(address_and_length, '/');
  const IpAddress address = *IpAddress::Parse(parts[0]);
  const int length = std::stoi(parts[1]);
  return address.is_v4() ? IpCidr(Ipv4Cidr(address.v4(), length))
                         : IpCidr(Ipv6Cidr(address.v6(), length));
}

std::vector<IpCidr> Cidrs(const std::string& text) {
  std::vector<IpCidr> cidrs;
  for (const std::string& one : Split(text, ',')) cidrs.push_back(SubnetOf(one));
  return cidrs;
}

// What a tool prints of a state.
std::string Print(const HostState& host, const NetState& net, Words words) {
  Family family = Family::kV4;
  if (words[0] == "ip6tables" || (words.size() > 1 && words[1] == "-6")) family = Family::kV6;
  std::erase(words, "-6");
  const auto after = [&](const std::string& key) -> std::string {
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == key) return words[i + 1];
    }
    return "";
  };
  if (words[0] == "sysctl") {
    const auto found = net.sysctls.find(words[1]);
    return found == net.sysctls.end() ? "unknown\n" : words[1] + " = " + found->second + "\n";
  }
  if (words[0] == "bridge") return RenderFdb(host, after("dev"));
  if (words[0] == "nft") return RenderNft(host);
  if (words[0] == "iptables" || words[0] == "ip6tables") {
    const std::map<std::string, IptablesTable> tables = {{"raw", IptablesTable::kRaw},
                                                         {"mangle", IptablesTable::kMangle},
                                                         {"nat", IptablesTable::kNat},
                                                         {"filter", IptablesTable::kFilter}};
    return RenderIptables(host, tables.at(after("-t")), family);
  }
  if (words[1] == "-br") return RenderBriefAddresses(net);
  if (words[1] == "addr") return RenderAddresses(net);
  if (words[1] == "rule") return RenderRules(net, family);
  if (words[1] == "neigh") return RenderNeighbours(net, after("dev"), family);
  if (words[1] == "route" && words[2] == "show") {
    const std::string table = after("table");
    return RenderRoutes(net, table == "main" ? kMainTable : std::stoi(table), family);
  }
  if (words[1] == "route" && words[2] == "get") {
    RouteQuery query;
    query.dst = *IpAddress::Parse(words[3]);
    query.src = IpAddress::Parse(after("from"));
    query.iif = after("iif");
    if (!after("mark").empty()) {
      query.mark = static_cast<uint32_t>(std::stoul(after("mark"), nullptr, 0));
    }
    return RenderRouteGet(net, query);
  }
  return "unknown command\n";
}

// A node of the VPC CNI, made from the lines of a case.
class VpcCniScript {
 public:
  void Read(const Words& words) {
    const std::string& what = words[0];
    if (what == "image") {
      node_.image = words[1] == "al2023" ? NodeImage::kAl2023 : NodeImage::kAl2;
    } else if (what == "env") {
      for (size_t i = 1; i < words.size(); ++i) {
        const size_t equals = words[i].find('=');
        ReadEnv(words[i].substr(0, equals), words[i].substr(equals + 1));
      }
    } else if (what == "vpc") {
      node_.vpc_cidrs = Cidrs(words[1]);
    } else if (what == "ipv6") {
      node_.node_ipv6 = *IpAddress::Parse(Split(words[1], '/')[0]);
      node_.subnet_ipv6 = SubnetOf(words[1]);
    } else if (what == "eni") {
      ReadEni(words);
    } else if (what == "pod") {
      ReadPod(words);
    } else if (what == "delete") {
      deleted_.push_back(words[1]);
    } else {
      ADD_FAILURE() << "unknown line " << what;
    }
  }

  HostState State() const {
    HostState state = *PlanNode(settings_, node_);
    for (const std::string& name : deleted_) {
      for (const VpcCniPod& pod : node_.pods) {
        if (pod.netns != name) continue;
        EXPECT_TRUE(Apply(PlanPodDel(settings_, pod), state));
      }
    }
    return state;
  }

 private:
  void ReadEnv(const std::string& name, const std::string& value) {
    const bool on = value == "true";
    if (name == "AWS_VPC_K8S_CNI_EXTERNALSNAT") {
      settings_.external_snat = on;
    } else if (name == "AWS_VPC_CNI_NODE_PORT_SUPPORT") {
      settings_.node_port_support = on;
    } else if (name == "AWS_VPC_K8S_CNI_RANDOMIZESNAT") {
      settings_.randomize_snat = value;
    } else if (name == "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS") {
      settings_.exclude_snat_cidrs = Cidrs(value);
    } else if (name == "AWS_EXTERNAL_SERVICE_CIDRS") {
      settings_.external_service_cidrs = Cidrs(value);
    } else if (name == "AWS_VPC_K8S_CNI_VETHPREFIX") {
      settings_.veth_prefix = value;
    } else if (name == "AWS_VPC_K8S_CNI_CONNMARK") {
      settings_.connmark = static_cast<uint32_t>(std::stoul(value, nullptr, 0));
    } else if (name == "AWS_VPC_ENI_MTU") {
      settings_.mtu = std::stoi(value);
    } else if (name == "POD_MTU") {
      settings_.pod_mtu = std::stoi(value);
    } else if (name == "ENABLE_IPv6") {
      settings_.ipv6 = on;
    } else if (name == "ENABLE_V6_EGRESS") {
      settings_.v6_egress = on;
    } else if (name == "ENABLE_POD_ENI") {
      settings_.pod_eni = on;
    } else if (name == "POD_SECURITY_GROUP_ENFORCING_MODE") {
      settings_.enforcing =
          value == "standard" ? SecurityGroupEnforcing::kStandard : SecurityGroupEnforcing::kStrict;
    } else if (name == "DISABLE_TCP_EARLY_DEMUX") {
      settings_.tcp_early_demux = !on;
    } else if (name == "connmark-backend") {
      settings_.connmark_backend =
          value == "nftables" ? ConnmarkBackend::kNftables : ConnmarkBackend::kIptables;
    } else {
      ADD_FAILURE() << "unknown variable " << name;
    }
  }

  MacAddress NextMac() { return MacAddress(0x020000000000 + ++macs_); }

  void ReadEni(const Words& words) {
    VpcCniEni eni;
    eni.link = words[1];
    eni.link_index = next_index_++;
    eni.mac = NextMac();
    eni.primary_ip = *IpAddress::Parse(Split(words[2], '/')[0]);
    eni.subnet = SubnetOf(words[2]);
    eni.device_number = std::stoi(Option(words, "device", "0"));
    eni.network_card = std::stoi(Option(words, "card", "0"));
    eni.is_trunk = words.back() == "trunk";
    node_.enis.push_back(eni);
  }

  // pod NAMESPACE/NAME IP@LINK [IP@LINK ...] [vlan=ID trunk=LINK subnet=CIDR] [egress=IP]
  void ReadPod(const Words& words) {
    VpcCniPod pod;
    pod.netns = words[1];
    const Words name = Split(words[1], '/');
    const std::string vlan = Option(words, "vlan");
    const std::string prefix = !vlan.empty() && settings_.strict() ? "vlan" : settings_.veth_prefix;
    for (size_t i = 2; i < words.size(); ++i) {
      const Words at = Split(words[i], '@');
      if (at.size() != 2) continue;
      VpcCniPodInterface interface;
      const size_t k = pod.interfaces.size();
      interface.ip = *IpAddress::Parse(at[0]);
      for (const VpcCniEni& eni : node_.enis) {
        if (eni.link != at[1]) continue;
        interface.route_table = RouteTableOfEni(eni.network_card, eni.device_number);
      }
      const std::string hashed = k == 0 ? name[1] : name[1] + "." + std::to_string(k);
      interface.host_name = prefix + VethSuffix(name[0], hashed);
      if (k > 0) interface.container_name = "mNicIf" + std::to_string(k);
      interface.container_index = 2 + static_cast<int>(k);
      interface.host_index = next_index_++;
      interface.host_mac = NextMac();
      interface.container_mac = NextMac();
      pod.interfaces.push_back(interface);
    }
    if (!vlan.empty()) {
      VpcCniBranch branch;
      branch.vlan_id = std::stoi(vlan);
      branch.mac = NextMac();
      branch.subnet = SubnetOf(Option(words, "subnet"));
      branch.trunk_link = Option(words, "trunk");
      branch.link_index = next_index_++;
      pod.branch = branch;
    }
    if (const auto ip = IpAddress::Parse(Option(words, "egress"))) {
      VpcCniEgress egress;
      egress.pod_ip = *ip;
      egress.node_ip = ip->is_v4() ? node_.enis.front().primary_ip : node_.node_ipv6;
      egress.chain = ip->is_v4() ? "CNI-E4-0123" : "CNI-E6-0123";
      egress.host_name = "veth0123";
      egress.container_name = ip->is_v4() ? "v4if0" : "v6if0";
      egress.host_mac = NextMac();
      egress.container_mac = NextMac();
      egress.host_index = next_index_++;
      pod.egress = egress;
    }
    node_.pods.push_back(pod);
  }

  VpcCniHostSettings settings_;
  VpcCniNode node_;
  std::vector<std::string> deleted_;
  int next_index_ = 2;
  uint64_t macs_ = 0;
};

class RoutingConformance : public testing::TestWithParam<Case> {};

TEST_P(RoutingConformance, PrintsWhatTheToolsPrint) {
  VpcCniScript script;
  for (const Words& words : GetParam().setup) script.Read(words);
  const HostState state = script.State();
  ASSERT_FALSE(GetParam().expected.empty());
  for (const Expected& expected : GetParam().expected) {
    Words words = Split(expected.command);
    const NetState* net = &state.net;
    if (words.size() > 3 && words[1] == "netns") {  // ip netns exec POD COMMAND
      net = state.Find(words[3]);
      ASSERT_NE(net, nullptr) << expected.command;
      words.erase(words.begin(), words.begin() + 4);
    }
    EXPECT_EQ(Print(state, *net, words), expected.output) << expected.command;
  }
}

std::string TestName(const testing::TestParamInfo<Case>& info) {
  std::string name;
  for (const char c : info.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(VpcCni, RoutingConformance, testing::ValuesIn(ReadCases("vpc_cni.txt")),
                         TestName);

}  // namespace
}  // namespace cnisim
