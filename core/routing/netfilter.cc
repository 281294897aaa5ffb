#include "core/routing/netfilter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "core/net/hash.h"
#include "core/routing/render.h"
#include "core/routing/route_lookup.h"

namespace cnisim {
namespace {

constexpr std::array<const char*, 5> kHookChains = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
                                                    "POSTROUTING"};

struct MatchPacket {
  const HostState& host;
  const HookPacket& packet;

  bool operator()(const CommentMatch&) const { return true; }
  bool operator()(const AddrTypeMatch& match) const {
    const std::string link =
        LinkOfAddress(host.net, match.source ? packet.tuple.src : packet.tuple.dst);
    const bool local =
        match.limit_interface ? link == (match.source ? packet.out : packet.in) : !link.empty();
    return local != match.negated;
  }
  bool operator()(const MarkMatch& match) const {
    return ((packet.mark & match.mask) == match.value) != match.negated;
  }
  bool operator()(const PortMatch& match) const {
    return packet.tuple.destination_port == match.destination;
  }
  bool operator()(const SetMatch& match) const {
    const auto set = host.ipsets.find(match.name);
    const IpAddress address = match.source ? packet.tuple.src : packet.tuple.dst;
    const bool inside =
        set != host.ipsets.end() && std::ranges::any_of(set->second, [&](const IpCidr& cidr) {
          return cidr.Contains(address);
        });
    return inside != match.negated;
  }
  bool operator()(const NewConnectionMatch&) const { return packet.is_new; }
  bool operator()(const RandomMatch& match) const {
    const FlowTuple& flow = packet.connection->original;
    uint64_t hash = HashMix(flow.src.bits().low()) ^ HashMix(flow.dst.bits().low() + 1);
    hash = HashMix(hash ^ (uint64_t{flow.source_port} << 16 | flow.destination_port));
    // A rule after another one asks anew.
    return (HashMix(hash ^ match.probability) >> 33) < match.probability;
  }
  // Sources are not remembered: every client is a new one.
  bool operator()(const RecentMatch& match) const { return match.seconds == 0; }
  bool operator()(const AccountingMatch&) const { return true; }
};

bool RuleMatches(const HostState& host, const HookPacket& packet, const IptablesRule& rule) {
  if (rule.source && rule.source->Contains(packet.tuple.src) == rule.source_negated) return false;
  if (rule.destination && !rule.destination->Contains(packet.tuple.dst)) return false;
  if (!rule.in.empty() && !InterfaceMatches(rule.in, packet.in)) return false;
  if (!rule.out.empty() && InterfaceMatches(rule.out, packet.out) == rule.out_negated) return false;
  if (!rule.protocol.empty() && rule.protocol != packet.tuple.protocol) return false;
  return std::ranges::all_of(rule.matches, [&](const IptablesMatch& match) {
    return std::visit(MatchPacket{host, packet}, match);
  });
}

void SetSource(HookPacket& packet, IpAddress src) {
  packet.tuple.src = src;
  packet.connection->reply.dst = src;
}

// Walks one table from one built-in chain.
class TableWalk {
 public:
  TableWalk(const HostState& host, Family family, IptablesTable table, HookPacket& packet,
            HookTrace& trace)
      : host_(host), family_(family), table_(table), packet_(packet), trace_(trace) {}

  // nullopt if a chain was left at its end.
  std::optional<Verdict> Run(const std::string& chain, int depth = 0) {
    const auto found = host_.chains.find({family_, table_, chain});
    // iptables refuses loops of chains; a state that has one is cut off here.
    if (found == host_.chains.end() || depth > 16) return std::nullopt;
    for (const IptablesRule& rule : found->second) {
      ++trace_.rules_checked;
      if (!RuleMatches(host_, packet_, rule)) continue;
      if (const auto* verdict = std::get_if<Verdict>(&rule.target)) {
        if (*verdict == Verdict::kReturn) return std::nullopt;
        if (*verdict == Verdict::kNoTrack) {
          packet_.tracked = false;
          Record(chain, rule);
          continue;
        }
        if (*verdict != Verdict::kAccept) Record(chain, rule);
        return *verdict;
      }
      if (const auto* jump = std::get_if<JumpTarget>(&rule.target)) {
        if (const auto verdict = Run(jump->chain, depth + 1)) return verdict;
        continue;
      }
      Record(chain, rule);
      if (Execute(rule.target)) return Verdict::kAccept;
    }
    return std::nullopt;
  }

 private:
  void Record(const std::string& chain, const IptablesRule& rule) {
    trace_.effects.push_back(RenderIptablesRule(chain, rule));
  }

  // Whether the packet's way through the table ends.
  bool Execute(const IptablesTarget& target) {
    Connection& connection = *packet_.connection;
    if (const auto* set = std::get_if<SetConnmarkTarget>(&target)) {
      connection.mark = (connection.mark & ~set->mask) ^ set->value;
    } else if (const auto* restore = std::get_if<RestoreMarkTarget>(&target)) {
      packet_.mark = (packet_.mark & ~restore->mask) | (connection.mark & restore->mask);
    } else if (const auto* mark = std::get_if<SetMarkTarget>(&target)) {
      packet_.mark = (packet_.mark & ~mark->mask) ^ mark->value;
    } else if (const auto* snat = std::get_if<SnatTarget>(&target)) {
      SetSource(packet_, snat->to);
      return true;
    } else if (const auto* dnat = std::get_if<DnatTarget>(&target)) {
      packet_.tuple.dst = connection.reply.src = dnat->to;
      if (dnat->port != 0) {
        packet_.tuple.destination_port = connection.reply.source_port = dnat->port;
      }
      return true;
    } else if (std::holds_alternative<MasqueradeTarget>(target)) {
      if (const auto src = SelectSource(host_.net, packet_.out, packet_.tuple.dst)) {
        SetSource(packet_, *src);
      }
      return true;
    }
    return false;
  }

  const HostState& host_;
  Family family_;
  IptablesTable table_;
  HookPacket& packet_;
  HookTrace& trace_;
};

// Later packets of a connection. The destination changes before routing, the source after it.
void TranslateAsRemembered(Hook hook, HookPacket& packet) {
  const Connection& connection = *packet.connection;
  const FlowTuple& other = packet.is_reply ? connection.original : connection.reply;
  if (hook == Hook::kPrerouting || hook == Hook::kOutput) {
    packet.tuple.dst = other.src;
    packet.tuple.destination_port = other.source_port;
  } else {
    packet.tuple.src = other.dst;
    packet.tuple.source_port = other.destination_port;
  }
}

// Table "aws-cni": a nat chain, so only for first packets, and not once another has translated.
void RunNftConnmark(const HostState& host, HookPacket& packet, HookResult& result) {
  if (packet.connection->reply.src != packet.connection->original.dst) return;
  if (!LinkOfAddress(host.net, packet.tuple.dst).empty()) return;
  HookTrace trace{"aws-cni", "nat-prerouting", 2, {}};
  const NftConnmark& nft = *host.nft;
  if (packet.in.starts_with(nft.veth_prefix)) {
    trace.rules_checked += static_cast<int>(nft.unmarked.size());
    if (std::ranges::none_of(nft.unmarked,
                             [&](const IpCidr& cidr) { return cidr.Contains(packet.tuple.dst); })) {
      ++trace.rules_checked;
      packet.connection->mark |= nft.mark;
      trace.effects.push_back(fmt::format("ct mark set ct mark | {:#010x}", nft.mark));
    }
  }
  packet.mark = packet.connection->mark & nft.mark;
  result.tables.push_back(std::move(trace));
}

void Track(Conntrack& conntrack, HookPacket& packet) {
  const Conntrack::Found found = conntrack.Find(packet.tuple);
  packet.is_new = found.connection == nullptr;
  packet.is_reply = found.is_reply;
  packet.connection = found.connection;
  if (packet.is_new) {
    packet.connection = std::make_shared<Connection>();
    packet.connection->original = packet.tuple;
    packet.connection->reply = packet.tuple.Reversed();
  }
}

// Whether a table has a built-in chain at a hook.
bool IsAt(IptablesTable table, Hook hook) {
  static const auto kIsAt = [] {
    std::array<std::array<bool, kHookChains.size()>, kIptablesTables.size()> is_at;
    for (size_t t = 0; t < is_at.size(); ++t) {
      const std::vector<std::string>& chains = BuiltinChains(static_cast<IptablesTable>(t));
      for (size_t h = 0; h < kHookChains.size(); ++h) {
        is_at[t][h] = std::ranges::find(chains, kHookChains[h]) != chains.end();
      }
    }
    return is_at;
  }();
  return kIsAt[static_cast<size_t>(table)][static_cast<size_t>(hook)];
}

}  // namespace

bool InterfaceMatches(const std::string& pattern, const std::string& name) {
  if (!pattern.ends_with('+')) return pattern == name;
  return name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
}

HookResult RunHook(Hook hook, const HostState& host, Conntrack& conntrack, HookPacket& packet) {
  HookResult result;
  const std::string chain = kHookChains[static_cast<size_t>(hook)];
  const Family family = FamilyOf(packet.tuple.dst);
  const bool first = packet.connection == nullptr;
  if (first) {
    // Untracked packets need somewhere to keep marks, too.
    packet.connection = std::make_shared<Connection>();
  }
  for (const IptablesTable table : kIptablesTables) {
    const bool here = IsAt(table, hook);
    const bool nat = table == IptablesTable::kNat;
    if (nat && here && packet.tracked && !packet.is_new) TranslateAsRemembered(hook, packet);
    if (here && (!nat || (packet.is_new && packet.tracked))) {
      HookTrace trace{std::string(IptablesTableName(table)), chain, 0, {}};
      const auto verdict = TableWalk(host, family, table, packet, trace).Run(chain);
      if (trace.rules_checked > 0) result.tables.push_back(std::move(trace));
      if (verdict == Verdict::kDrop || verdict == Verdict::kReject) {
        result.dropped = true;
        return result;
      }
    }
    if (table == IptablesTable::kRaw && first && packet.tracked) Track(conntrack, packet);
    if (nat && hook == Hook::kPrerouting && host.nft && family == Family::kV4 && packet.is_new &&
        packet.tracked) {
      RunNftConnmark(host, packet, result);
    }
  }
  if (packet.is_new && packet.tracked && (hook == Hook::kInput || hook == Hook::kPostrouting)) {
    conntrack.Confirm(packet.connection);
    packet.tuple.source_port = packet.connection->reply.destination_port;
  }
  return result;
}

}  // namespace cnisim
