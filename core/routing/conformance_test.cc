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

#include "core/routing/host_scripts_testing.h"
#include "core/routing/render.h"
#include "core/routing/route_lookup.h"

namespace cnisim {
namespace {

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

class RoutingConformance : public testing::TestWithParam<Case> {};

TEST_P(RoutingConformance, PrintsWhatTheToolsPrint) {
  std::unique_ptr<HostScript> script = std::make_unique<VpcCniScript>();
  if (GetParam().setup.at(0)[0] == "calico") script = std::make_unique<CalicoScript>();
  for (const Words& words : GetParam().setup) script->Read(words);
  const HostState state = script->State();
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

INSTANTIATE_TEST_SUITE_P(Calico, RoutingConformance, testing::ValuesIn(ReadCases("calico.txt")),
                         TestName);
INSTANTIATE_TEST_SUITE_P(VpcCni, RoutingConformance, testing::ValuesIn(ReadCases("vpc_cni.txt")),
                         TestName);

}  // namespace
}  // namespace cnisim
