#include "core/routing/render_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

#include "core/net/format.h"
#include "core/routing/render.h"

namespace cnisim {
namespace {

// The words of a line as the tools print them: blanks separate, double quotes hold together.
Command Words(std::string_view line) {
  Command words;
  std::string word;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted || (c != ' ' && c != '\t')) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

Command Join(Command head, const Command& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

// Whether adding the link makes it, rather than finds it.
bool IsMade(const Link& link) {
  return link.type == LinkType::kVlan || link.type == LinkType::kVxlan ||
         (link.type == LinkType::kVeth && !link.peer_netns.empty());
}

std::string_view VerbOf(Verb verb) {
  switch (verb) {
    case Verb::kAdd:
      return "add";
    case Verb::kReplace:
      return "replace";
    case Verb::kRemove:
      break;
  }
  return "del";
}

struct Renderer {
  Verb verb;
  const NamespaceNames& names;
  std::string netns;  // as `ip netns` calls it

  Command Ip(const Command& words, std::string_view tool = "ip") const {
    Command head = {std::string(tool)};
    if (!netns.empty()) head = {std::string(tool), "-n", netns};
    return Join(std::move(head), words);
  }
  Command Ip(Family family, const Command& words) const {
    return family == Family::kV6 ? Ip(Join({"-6"}, words)) : Ip(words);
  }
  Command Iptables(const ChainKey& chain, const Command& words) const {
    return InNamespace(netns, Join({chain.family == Family::kV6 ? "ip6tables" : "iptables", "-w",
                                    "-t", std::string(IptablesTableName(chain.table))},
                                   words));
  }

  std::vector<Command> operator()(const PodNamespace& pod) const {
    const std::string name = names.Of(pod.name);
    if (verb == Verb::kRemove) return {{"ip", "netns", "del", name}};
    return {{"ip", "netns", "add", name}, {"ip", "-n", name, "link", "set", "dev", "lo", "up"}};
  }

  std::vector<Command> operator()(const LinkEntry& entry) const {
    const auto& [name, link] = entry;
    if (verb == Verb::kRemove) {
      if (IsMade(link)) return {Ip({"link", "del", "dev", name})};
      if (link.type == LinkType::kIpip) return {Ip({"link", "set", "dev", name, "down"})};
      return {};
    }
    std::vector<Command> commands;
    if (verb == Verb::kAdd && IsMade(link)) commands.push_back(Make(name, link));
    Command set = {"link", "set", "dev", name};
    // A MAC that is set, even to what it is, takes the neighbours on the link away.
    if (verb == Verb::kAdd && link.mac != MacAddress()) {
      set = Join(set, {"address", link.mac.ToString()});
    }
    commands.push_back(Ip(Join(set, {"mtu", std::to_string(link.mtu), link.up ? "up" : "down"})));
    return commands;
  }
  Command Make(const std::string& name, const Link& link) const {
    Command words = {"link", "add"};
    if (link.type == LinkType::kVlan) words = Join(words, {"link", link.parent});
    words = Join(words, {"name", name});
    if (link.index != 0) words = Join(words, {"index", std::to_string(link.index)});
    if (link.type == LinkType::kVlan) {
      return Ip(Join(words, {"type", "vlan", "id", std::to_string(link.id)}));
    }
    if (link.type == LinkType::kVxlan) {
      return Ip(Join(
          words, {"type", "vxlan", "id", std::to_string(link.id), "local", link.local.ToString(),
                  "dev", link.parent, "dstport", "4789", "nolearning"}));
    }
    words = Join(words,
                 {"type", "veth", "peer", "name", link.peer, "netns", names.Of(link.peer_netns)});
    if (link.peer_index != 0) words = Join(words, {"index", std::to_string(link.peer_index)});
    return Ip(words);
  }

  std::vector<Command> operator()(const AddressEntry& entry) const {
    const auto& [key, value] = entry;
    const std::string address = fmt::format("{}/{}", key.address, value.length);
    if (verb == Verb::kRemove) return {Ip({"addr", "del", address, "dev", key.dev})};
    Command add = {"addr", "add", address, "dev", key.dev};
    if (value.scope == Scope::kLink) add = Join(add, {"scope", "link"});
    if (value.scope == Scope::kHost) add = Join(add, {"scope", "host"});
    add.emplace_back("noprefixroute");
    if (!key.address.is_v4()) add.emplace_back("nodad");
    if (verb == Verb::kAdd) return {Ip(add)};
    // To the kernel, the same address with another length is another one.
    return {Ip({"addr", "flush", "dev", key.dev, "to", key.address.ToString()}), Ip(add)};
  }

  std::vector<Command> operator()(const SysctlEntry& entry) const {
    if (verb == Verb::kRemove) return {};
    return {InNamespace(
        netns, {"sysctl", "-qw", fmt::format("{}={}", SysctlPath(entry.key), entry.value)})};
  }

  std::vector<Command> operator()(const NeighbourEntry& entry) const {
    const auto& [key, mac] = entry;
    if (verb == Verb::kRemove) {
      return {Ip({"neigh", "del", key.address.ToString(), "dev", key.dev})};
    }
    return {Ip({"neigh", "replace", key.address.ToString(), "lladdr", mac.ToString(), "dev",
                key.dev, "nud", "permanent"})};
  }

  std::vector<Command> operator()(const FdbEntry& entry) const {
    const auto& [key, remote] = entry;
    return {Ip({"fdb", std::string(VerbOf(verb)), key.mac.ToString(), "dev", key.dev, "dst",
                remote.ToString(), "self", "permanent"},
               "bridge")};
  }

  std::vector<Command> operator()(const RouteEntry& entry) const {
    const auto& [key, route] = entry;
    Command words = Join({"route", std::string(VerbOf(verb))},
                         Words(RenderRoute(key, route, /*with_table=*/true)));
    // `ip` takes a route without a gateway for one of scope link.
    if (route.type == RouteType::kUnicast && !route.via && route.scope == Scope::kGlobal &&
        key.destination.is_v4()) {
      words = Join(words, {"scope", "global"});
    }
    return {Ip(FamilyOf(key.destination), words)};
  }

  // Members change all at once: by a set that takes the other's place.
  std::vector<Command> operator()(const IpsetEntry& entry) const {
    const auto& [name, members] = entry;
    std::vector<Command> commands;
    const auto add = [&](const Command& words) {
      commands.push_back(InNamespace(netns, Join({"ipset"}, words)));
    };
    if (verb == Verb::kRemove) {
      add({"destroy", name});
      return commands;
    }
    const std::string filled = verb == Verb::kAdd ? name : name + "-new";
    add({"create", filled, "hash:net"});
    for (const IpCidr& member : members) add({"add", filled, member.ToString()});
    if (verb == Verb::kReplace) {
      add({"swap", filled, name});
      add({"destroy", filled});
    }
    return commands;
  }

  std::vector<Command> operator()(const NftConnmark& nft) const {
    std::string text;
    if (verb != Verb::kAdd) text = "delete table ip aws-cni\n";
    if (verb != Verb::kRemove) {
      HostState host;
      host.nft = nft;
      text += RenderNft(host);
    }
    return {InNamespace(netns, {"nft", text})};
  }

  std::vector<Command> operator()(const ChainKey& key) const {
    return {Iptables(key, {verb == Verb::kRemove ? "-X" : "-N", key.chain})};
  }

  std::vector<Command> operator()(const ChainRule& at) const {
    const std::string place = std::to_string(at.position);
    Command words = Words(RenderIptablesRule(at.chain.chain, at.rule, at.chain.family));
    if (verb == Verb::kRemove) {
      words[0] = "-D";
      if (at.position != 0) words = {"-D", at.chain.chain, place};
    } else if (at.position != 0) {
      words[0] = "-I";
      words.insert(words.begin() + 2, place);
    }
    return {Iptables(at.chain, words)};
  }

  std::vector<Command> operator()(const Rule& rule) const {
    Command words = Words(RenderRule(rule));
    words.front().pop_back();  // "512:"
    return {Ip(rule.family, Join({"rule", verb == Verb::kRemove ? "del" : "add", "pref"}, words))};
  }
};

}  // namespace

std::string NamespaceNames::Of(const std::string& netns) const {
  if (netns.empty()) return host;
  std::string name = host.empty() ? netns : host + "-" + netns;
  std::ranges::replace(name, '/', '_');
  return name;
}

Command InNamespace(const std::string& name, const Command& command) {
  return name.empty() ? command : Join({"ip", "netns", "exec", name}, command);
}

std::vector<Command> RenderCommands(const Operation& operation, const NamespaceNames& names) {
  return std::visit(Renderer{operation.verb, names, names.Of(operation.netns)}, operation.subject);
}

std::string SysctlPath(std::string_view name) {
  const std::string_view device = DeviceOfSysctl(name);
  std::string path(name);
  std::ranges::replace(path, '.', '/');
  if (!device.empty()) {
    path.replace(static_cast<size_t>(device.data() - name.data()), device.size(), device);
  }
  return path;
}

std::string RenderCommandLine(const Command& command) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+,@%";
  std::string line;
  for (const std::string& word : command) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? "'\\''" : std::string(1, c);
    line += '\'';
  }
  return line;
}

}  // namespace cnisim
