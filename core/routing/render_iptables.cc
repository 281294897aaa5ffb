#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "core/net/format.h"
#include "core/routing/render.h"

namespace cnisim {
namespace {

std::string_view Not(bool negated) { return negated ? "! " : ""; }

struct MatchText {
  const IptablesRule& rule;

  std::string operator()(const CommentMatch& match) const {
    // iptables quotes all but words of letters, digits, '_' and '-'.
    const bool plain = std::ranges::all_of(match.text, [](char c) {
      return c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
             (c >= 'A' && c <= 'Z');
    });
    return fmt::format(" -m comment --comment {1}{0}{1}", match.text, plain ? "" : "\"");
  }
  std::string operator()(const AddrTypeMatch& match) const {
    return fmt::format(" -m addrtype {}--{}-type LOCAL{}", Not(match.negated),
                       match.source ? "src" : "dst",
                       !match.limit_interface ? ""
                       : match.source         ? " --limit-iface-out"
                                              : " --limit-iface-in");
  }
  std::string operator()(const MarkMatch& match) const {
    return fmt::format(" -m mark {}--mark {:#x}/{:#x}", Not(match.negated), match.value,
                       match.mask);
  }
  std::string operator()(const PortMatch& match) const {
    return fmt::format(" -m {} --dport {}", rule.protocol, match.destination);
  }
  std::string operator()(const SetMatch& match) const {
    return fmt::format(" -m set {}--match-set {} {}", Not(match.negated), match.name,
                       match.source ? "src" : "dst");
  }
  std::string operator()(const NewConnectionMatch&) const { return " -m conntrack --ctstate NEW"; }
  std::string operator()(const RandomMatch& match) const {
    return fmt::format(" -m statistic --mode random --probability {:.11f}",
                       match.probability / 2147483648.0);
  }
  std::string operator()(const RecentMatch& match) const {
    const std::string what =
        match.seconds == 0 ? "--set" : fmt::format("--rcheck --seconds {} --reap", match.seconds);
    return fmt::format(" -m recent {} --name {} --mask 255.255.255.255 --rsource", what,
                       match.name);
  }
  std::string operator()(const AccountingMatch& match) const {
    return fmt::format(" -m nfacct --nfacct-name  {}", match.name);
  }
};

struct TargetText {
  Family family;

  std::string operator()(Verdict verdict) const {
    switch (verdict) {
      case Verdict::kAccept:
        return "ACCEPT";
      case Verdict::kDrop:
        return "DROP";
      case Verdict::kReturn:
        return "RETURN";
      case Verdict::kNoTrack:
        return "NOTRACK";
      case Verdict::kReject:
        break;
    }
    return fmt::format("REJECT --reject-with icmp{}-port-unreachable",
                       family == Family::kV6 ? "6" : "");
  }
  std::string operator()(const JumpTarget& target) const { return target.chain; }
  std::string operator()(const SetConnmarkTarget& target) const {
    return fmt::format("CONNMARK --set-xmark {:#x}/{:#x}", target.value, target.mask);
  }
  std::string operator()(const RestoreMarkTarget& target) const {
    return fmt::format("CONNMARK --restore-mark --nfmask {0:#x} --ctmask {0:#x}", target.mask);
  }
  std::string operator()(const SetMarkTarget& target) const {
    return fmt::format("MARK --set-xmark {:#x}/{:#x}", target.value, target.mask);
  }
  std::string operator()(const SnatTarget& target) const {
    return fmt::format("SNAT --to-source {}{}", target.to,
                       target.randomness == PortRandomness::kRandomFully ? " --random-fully"
                       : target.randomness == PortRandomness::kRandom    ? " --random"
                                                                         : "");
  }
  std::string operator()(const DnatTarget& target) const {
    std::string to = target.to.ToString();
    if (target.port != 0) {
      to = target.to.is_v4() ? fmt::format("{}:{}", to, target.port)
                             : fmt::format("[{}]:{}", to, target.port);
    }
    return "DNAT --to-destination " + to;
  }
  std::string operator()(const MasqueradeTarget& target) const {
    return target.random_fully ? "MASQUERADE --random-fully" : "MASQUERADE";
  }
};

}  // namespace

std::string RenderIptablesRule(std::string_view chain, const IptablesRule& rule, Family family) {
  std::string out = fmt::format("-A {}", chain);
  auto to = std::back_inserter(out);
  if (rule.source) fmt::format_to(to, " {}-s {}", Not(rule.source_negated), *rule.source);
  // A block of all addresses is what no option means.
  if (rule.destination && rule.destination->length() > 0) {
    fmt::format_to(to, " -d {}", *rule.destination);
  }
  if (!rule.in.empty()) fmt::format_to(to, " -i {}", rule.in);
  if (!rule.out.empty()) fmt::format_to(to, " {}-o {}", Not(rule.out_negated), rule.out);
  if (!rule.protocol.empty()) fmt::format_to(to, " -p {}", rule.protocol);
  bool module_named = false;
  for (const IptablesMatch& match : rule.matches) {
    out += std::visit(MatchText{rule}, match);
    module_named |= std::holds_alternative<PortMatch>(match);
  }
  // A port of DNAT needs the protocol's module, which then prints without options.
  const auto* dnat = std::get_if<DnatTarget>(&rule.target);
  if (dnat != nullptr && dnat->port != 0 && !module_named) {
    fmt::format_to(to, " -m {}", rule.protocol);
  }
  return out + " -j " + std::visit(TargetText{family}, rule.target);
}

std::string RenderIptables(const HostState& host, IptablesTable table, Family family) {
  const std::vector<std::string>& builtin = BuiltinChains(table);
  std::vector<std::string> chains = builtin;
  std::string out;
  for (const std::string& chain : builtin) out += fmt::format("-P {} ACCEPT\n", chain);
  for (auto it = host.chains.lower_bound({family, table, ""});
       it != host.chains.end() && it->first.family == family && it->first.table == table; ++it) {
    const std::string& chain = it->first.chain;
    if (std::find(builtin.begin(), builtin.end(), chain) != builtin.end()) continue;
    chains.push_back(chain);
    out += fmt::format("-N {}\n", chain);
  }
  for (const std::string& chain : chains) {
    const auto found = host.chains.find({family, table, chain});
    if (found == host.chains.end()) continue;
    for (const IptablesRule& rule : found->second) {
      out += RenderIptablesRule(chain, rule, family) + "\n";
    }
  }
  return out;
}

std::string RenderNft(const HostState& host) {
  if (!host.nft) return "";
  const NftConnmark& nft = *host.nft;
  std::string out = "table ip aws-cni {\n\tchain nat-prerouting {\n";
  out += "\t\ttype nat hook prerouting priority -90; policy accept;\n";
  out += "\t\tfib daddr type local return\n";
  fmt::format_to(std::back_inserter(out), "\t\tiifname \"{}*\" counter jump snat-mark\n",
                 nft.veth_prefix);
  fmt::format_to(std::back_inserter(out), "\t\tcounter meta mark set ct mark & {:#010x}\n",
                 nft.mark);
  out += "\t}\n\n\tchain snat-mark {\n";
  for (const IpCidr& cidr : nft.unmarked) {
    // nft, too, prints nothing for a match of all addresses, and a single one without its length.
    if (cidr.length() == 0) {
      out += "\t\tcounter return\n";
    } else {
      fmt::format_to(std::back_inserter(out), "\t\tcounter ip daddr {} return\n",
                     cidr.length() == 32 ? cidr.network().ToString() : cidr.ToString());
    }
  }
  fmt::format_to(std::back_inserter(out), "\t\tcounter ct mark set ct mark | {:#010x}\n", nft.mark);
  return out + "\t}\n}\n";
}

}  // namespace cnisim
