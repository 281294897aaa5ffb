#include "tools/kernel_lab/kernel_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <utility>

#include "core/net/format.h"
#include "core/routing/render.h"
#include "tools/kernel_lab/process.h"

namespace cnisim {
namespace {

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string Text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string Sorted(const std::string& text) {
  std::vector<std::string> lines = Lines(text);
  std::ranges::sort(lines);
  return Text(lines);
}

std::string Filtered(const std::string& text, const std::function<bool(const std::string&)>& is) {
  std::vector<std::string> lines = Lines(text);
  std::erase_if(lines, [&](const std::string& line) { return !is(line); });
  return Text(lines);
}

// `ip -br addr` without columns, "@if7", link-local addresses, and links that are down.
std::string BriefAddresses(const std::string& text) {
  std::string out;
  for (const std::string& line : Lines(text)) {
    std::istringstream in(line);
    std::string name;
    std::string state;
    in >> name >> state;
    if (state == "DOWN") continue;
    out += name.substr(0, name.find('@')) + " " + state;
    for (std::string address; in >> address;) {
      if (!address.starts_with("fe80:")) out += " " + address;
    }
    out += "\n";
  }
  return out;
}

// A line for each link that is up: "eth0 mtu 9001 02:00:00:00:00:01".
std::string Links(const NetState& net) {
  std::set<std::string> lines;
  for (const auto& [name, link] : net.links) {
    if (!link.up) continue;
    const std::string address = link.type == LinkType::kIpip ? "0.0.0.0" : link.mac.ToString();
    lines.insert(fmt::format("{} mtu {} {}", name, link.mtu, address));
  }
  return Text({lines.begin(), lines.end()});
}

std::string LinksOfJson(const std::string& text) {
  std::set<std::string> lines;
  const auto links = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!links.is_array()) return text;
  for (const auto& link : links) {
    const auto flags = link.value("flags", nlohmann::json::array());
    if (std::ranges::find(flags, "UP") == flags.end()) continue;
    lines.insert(fmt::format("{} mtu {} {}", link.value("ifname", ""), link.value("mtu", 0),
                             link.value("address", "")));
  }
  return Text({lines.begin(), lines.end()});
}

// `ip -4 route show table all`, but for the local table.
std::string AllRoutes(const NetState& net) {
  std::string text;
  for (const auto& [key, route] : net.routes) {
    if (key.destination.is_v4()) text += RenderRoute(key, route, /*with_table=*/true) + "\n";
  }
  return Sorted(text);
}

std::string Ipsets(const HostState& host) {
  std::string text;
  for (const auto& [name, members] : host.ipsets) {
    text += fmt::format("create {} hash:net\n", name);
    for (const IpCidr& member : members) {
      text += fmt::format("add {} {}\n", name,
                          member.length() == 32 ? member.network().ToString() : member.ToString());
    }
  }
  return Sorted(text);
}

class Reader {
 public:
  Reader(const NamespaceKernel& node, const Features& features)
      : node_(node), state_(node.state()), features_(features) {}

  std::vector<KernelText> Run() {
    std::string pods;
    for (const auto& [name, pod] : state_.pods) pods += node_.names().Of(name) + "\n";
    Compare({"ip", "netns", "list"}, pods, [&](const std::string& text) {
      std::string names;  // "NAME (id: 3)"
      for (const std::string& line : Lines(text)) names += line.substr(0, line.find(' ')) + "\n";
      return Sorted(Filtered(names, [&](const std::string& line) {
        return line.starts_with(node_.names().host + "-");
      }));
    });
    ReadNet(node_.names().host, state_.net);
    for (const auto& [name, pod] : state_.pods) ReadNet(node_.names().Of(name), pod);
    ReadHost();
    return std::move(texts_);
  }

 private:
  using Normalise = std::function<std::string(const std::string&)>;

  void Compare(const Command& command, std::string planned, const Normalise& normalise = nullptr) {
    const Result<std::string> text = ::cnisim::RunCommand(command);
    KernelText& compared = texts_.emplace_back();
    compared.command = RenderCommandLine(command);
    compared.kernel = !text ? text.error().message : normalise ? normalise(*text) : *text;
    compared.planned = std::move(planned);
  }

  void ReadNet(const std::string& name, const NetState& net) {
    const auto ip = [&](Command words) {
      words.insert(words.begin(), {"ip", "-n", name});
      return words;
    };
    Compare(ip({"-j", "link"}), Links(net), LinksOfJson);
    Compare(ip({"-br", "addr"}), BriefAddresses(RenderBriefAddresses(net)), BriefAddresses);
    Compare(ip({"rule", "show"}), RenderRules(net));
    Compare(ip({"-6", "rule", "show"}), RenderRules(net, Family::kV6));
    Compare(ip({"-4", "route", "show", "table", "all"}), AllRoutes(net),
            [](const std::string& text) {
              return Sorted(Filtered(text, [](const std::string& line) {
                return line.find(" table local ") == std::string::npos;
              }));
            });
    std::set<int> tables = {kMainTable};
    for (const auto& [key, route] : net.routes) tables.insert(key.table);
    for (const int table : tables) {
      Compare(ip({"route", "show", "table", TableName(table)}), RenderRoutes(net, table));
    }
    // IPv6's kernel routes of loopback and of link-local addresses are not planned.
    Compare(ip({"-6", "route", "show", "table", "main"}),
            RenderRoutes(net, kMainTable, Family::kV6), [](const std::string& text) {
              return Filtered(text, [](const std::string& line) {
                return !line.starts_with("::1 dev lo ") && !line.starts_with("fe80::/64 ");
              });
            });
    for (const auto& [option, family] :
         {std::pair("-4", Family::kV4), std::pair("-6", Family::kV6)}) {
      Compare(ip({option, "neigh", "show", "nud", "permanent"}),
              Sorted(RenderNeighbours(net, "", family)), Sorted);
    }
    if (net.sysctls.empty()) return;
    Command grep = {"grep", "-H", "."};
    std::string values;
    for (const auto& [key, value] : net.sysctls) {
      grep.push_back("/proc/sys/" + SysctlPath(key));
      values += fmt::format("{}:{}\n", grep.back(), value);
    }
    Compare(InNamespace(name, grep), values);
  }

  void ReadHost() {
    const std::string& host = node_.names().host;
    Compare({"bridge", "-n", host, "fdb", "show"}, Sorted(RenderFdb(state_)),
            [](const std::string& text) {
              return Sorted(Filtered(text, [](const std::string& line) {
                return line.find(" dst ") != std::string::npos;
              }));
            });
    if (features_.Has(Feature::kIptables)) {
      for (const auto& [name, table] :
           {std::pair("raw", IptablesTable::kRaw), std::pair("mangle", IptablesTable::kMangle),
            std::pair("nat", IptablesTable::kNat), std::pair("filter", IptablesTable::kFilter)}) {
        Compare(InNamespace(host, {"iptables", "-w", "-t", name, "-S"}),
                RenderIptables(state_, table));
        Compare(InNamespace(host, {"ip6tables", "-w", "-t", name, "-S"}),
                RenderIptables(state_, table, Family::kV6));
      }
      Compare(InNamespace(host, {"ipset", "save"}), Ipsets(state_), [](const std::string& text) {
        std::string out;
        for (const std::string& line : Lines(text)) {
          out += line.substr(0, line.find(" family ")) + "\n";
        }
        return Sorted(out);
      });
    }
    if (!features_.Has(Feature::kNftables)) return;
    const Command tables = InNamespace(host, {"nft", "list", "tables", "ip"});
    Compare(tables, state_.nft ? "table ip aws-cni\n" : "", [](const std::string& text) {
      return Filtered(text, [](const std::string& line) { return line == "table ip aws-cni"; });
    });
    if (state_.nft) {
      Compare(InNamespace(host, {"nft", "-s", "-y", "list", "table", "ip", "aws-cni"}),
              RenderNft(state_));
    }
  }

  const NamespaceKernel& node_;
  const HostState& state_;
  const Features& features_;
  std::vector<KernelText> texts_;
};

}  // namespace

std::vector<KernelText> ReadKernelTexts(const NamespaceKernel& node, const Features& features) {
  return Reader(node, features).Run();
}

}  // namespace cnisim
