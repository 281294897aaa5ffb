#include "core/routing/host_diff.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace cnisim {
namespace {

// The order of the operations of a difference.
enum Phase {
  kAddNamespace,
  kSetLink,
  kSetUpperLink,
  kSetAddress,
  kSetSysctl,
  kSetNeighbour,
  kSetLinkRoute,
  kSetGatewayRoute,
  kSetIpset,
  kAddChain,
  kInsertIntoChain,
  kInsertIntoBuiltinChain,
  kMoveRule,
  kAddRule,
  kRemoveRule,
  kRemoveFromBuiltinChain,
  kRemoveFromChain,
  kRemoveChain,
  kRemoveIpset,
  kRemoveGatewayRoute,
  kRemoveLinkRoute,
  kRemoveNeighbour,
  kRemoveAddress,
  kRemoveSysctl,
  kRemoveUpperLink,
  kRemoveLink,
  kRemoveNamespace,
  kPhases
};

// Whether the link needs another one, which is a VLAN's or tunnel's parent or the host's end of a
// pod's veth pair.
bool IsUpper(const Link& link) {
  return !link.parent.empty() || (link.type == LinkType::kVeth && link.peer_netns.empty());
}

// Whether a link can only become the other one by being made anew. To change its MAC would take the
// neighbours on it away.
bool IsOther(const Link& a, const Link& b) {
  Link a_with_changes = a;
  a_with_changes.mtu = b.mtu;
  a_with_changes.up = b.up;
  return a_with_changes != b;
}

const Link* LinkOf(const NetState& net, const std::string& name) {
  const auto found = net.links.find(name);
  return found == net.links.end() ? nullptr : &found->second;
}

using Place = std::pair<std::string, std::string>;  // namespace and link

// The links that `to` has otherwise, and what goes with them: the other end of a veth pair, and
// what stands on them.
std::set<Place> LinksToRemake(const HostState& from, const HostState& to) {
  std::set<Place> remade;
  const auto add = [&](const std::string& netns, const NetState& net) {
    const NetState* wanted = to.Find(netns);
    for (const auto& [name, link] : net.links) {
      const bool goes_with_another =
          (!link.parent.empty() && remade.contains({netns, link.parent})) ||
          (link.type == LinkType::kVeth && remade.contains({link.peer_netns, link.peer}));
      const Link* other = wanted == nullptr ? nullptr : LinkOf(*wanted, name);
      const bool is_other = other != nullptr && IsOther(link, *other);
      if (goes_with_another || is_other) remade.insert({netns, name});
    }
  };
  for (size_t before = 0;; before = remade.size()) {
    add("", from.net);
    for (const auto& [netns, pod] : from.pods) add(netns, pod);
    if (remade.size() == before) return remade;
  }
}

// `net` without those links and all that is on them.
void Erase(const std::set<Place>& links, const std::string& netns, NetState& net) {
  const auto goes = [&](const std::string& dev) { return links.contains({netns, dev}); };
  std::erase_if(net.links, [&](const auto& item) { return goes(item.first); });
  std::erase_if(net.addresses, [&](const auto& item) { return goes(item.first.dev); });
  std::erase_if(net.routes, [&](const auto& item) { return goes(item.second.dev); });
  std::erase_if(net.neighbours, [&](const auto& item) { return goes(item.first.dev); });
  std::erase_if(net.sysctls,
                [&](const auto& item) { return goes(std::string(DeviceOfSysctl(item.first))); });
}

HostState Without(const std::set<Place>& links, HostState state) {
  Erase(links, "", state.net);
  for (auto& [name, pod] : state.pods) Erase(links, name, pod);
  std::erase_if(state.fdb, [&](const auto& item) { return links.contains({"", item.first.dev}); });
  return state;
}

// Whether no packet can match both.
bool AreDisjoint(const Rule& a, const Rule& b) {
  const auto apart = [](const std::optional<IpCidr>& x, const std::optional<IpCidr>& y) {
    return x && y && !x->Contains(y->network()) && !y->Contains(x->network());
  };
  return apart(a.from, b.from) || apart(a.to, b.to) ||
         (!a.iif.empty() && !b.iif.empty() && a.iif != b.iif) ||
         (a.mask == b.mask && a.mark != b.mark);
}

// Whether two rules that can match the same packet would stand in another order than in `rules`.
bool IsInConflict(const std::vector<Rule>& rules, const std::vector<size_t>& order) {
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = i + 1; j < order.size(); ++j) {
      if (order[i] > order[j] && !AreDisjoint(rules[order[i]], rules[order[j]])) return true;
    }
  }
  return false;
}

class Differ {
 public:
  std::vector<Operation> Run(const HostState& from, const HostState& to) {
    for (const auto& [name, pod] : to.pods) {
      const NetState* old = from.Find(name);
      if (old == nullptr) Emit(kAddNamespace, Verb::kAdd, PodNamespace{name});
      DiffNet(name, old != nullptr ? *old : NewNetState(), pod);
    }
    for (const auto& [name, pod] : from.pods) {
      if (!to.pods.contains(name)) Emit(kRemoveNamespace, Verb::kRemove, PodNamespace{name});
    }
    DiffNet("", from.net, to.net);
    DiffMap(from.fdb, to.fdb, kSetNeighbour, kRemoveNeighbour);
    DiffMap(from.ipsets, to.ipsets, kSetIpset, kRemoveIpset);
    if (from.nft != to.nft) {
      if (to.nft) {
        Emit(kSetIpset, from.nft ? Verb::kReplace : Verb::kAdd, *to.nft);
      } else {
        Emit(kRemoveChain, Verb::kRemove, *from.nft);
      }
    }
    static const std::vector<IptablesRule> kNone;
    for (const auto& [key, rules] : to.chains) {
      const auto old = from.chains.find(key);
      if (old == from.chains.end()) Emit(kAddChain, Verb::kAdd, key);
      DiffChain(key, old == from.chains.end() ? kNone : old->second, rules);
    }
    for (const auto& [key, rules] : from.chains) {
      if (to.chains.contains(key)) continue;
      DiffChain(key, rules, kNone);
      Emit(kRemoveChain, Verb::kRemove, key);
    }
    std::vector<Operation> all;
    for (std::vector<Operation>& phase : phases_) {
      std::move(phase.begin(), phase.end(), std::back_inserter(all));
    }
    return all;
  }

 private:
  template <typename Subject>
  void Emit(Phase phase, Verb verb, Subject subject) {
    phases_[phase].push_back({verb, netns_, std::move(subject)});
  }

  template <typename Key, typename Value, typename Phases>
  void DiffMap(const std::map<Key, Value>& from, const std::map<Key, Value>& to,
               const Phases& set_phase, const Phases& remove_phase) {
    const auto phase_of = [](const Phases& phase, const Value& value) {
      if constexpr (std::is_same_v<Phases, Phase>) {
        return phase;
      } else {
        return phase(value);
      }
    };
    for (const auto& [key, value] : to) {
      const auto old = from.find(key);
      if (old != from.end() && old->second == value) continue;
      Emit(phase_of(set_phase, value), old == from.end() ? Verb::kAdd : Verb::kReplace,
           Entry<Key, Value>{key, value});
    }
    for (const auto& [key, value] : from) {
      if (to.contains(key)) continue;
      Emit(phase_of(remove_phase, value), Verb::kRemove, Entry<Key, Value>{key, value});
    }
  }

  void DiffNet(const std::string& netns, const NetState& from, const NetState& to) {
    netns_ = netns;
    using LinkPhase = Phase (*)(const Link&);
    DiffMap<std::string, Link, LinkPhase>(
        from.links, to.links,
        [](const Link& link) { return IsUpper(link) ? kSetUpperLink : kSetLink; },
        [](const Link& link) { return IsUpper(link) ? kRemoveUpperLink : kRemoveLink; });
    DiffMap(from.addresses, to.addresses, kSetAddress, kRemoveAddress);
    DiffMap(from.sysctls, to.sysctls, kSetSysctl, kRemoveSysctl);
    DiffMap(from.neighbours, to.neighbours, kSetNeighbour, kRemoveNeighbour);
    using RoutePhase = Phase (*)(const Route&);
    DiffMap<RouteKey, Route, RoutePhase>(
        from.routes, to.routes,
        [](const Route& route) { return route.via ? kSetGatewayRoute : kSetLinkRoute; },
        [](const Route& route) { return route.via ? kRemoveGatewayRoute : kRemoveLinkRoute; });
    DiffRules(from.rules, to.rules);
    netns_.clear();
  }

  void DiffRules(const std::vector<Rule>& from, const std::vector<Rule>& to) {
    std::map<std::pair<Family, int>, std::pair<std::vector<Rule>, std::vector<Rule>>> groups;
    for (const Rule& rule : from) groups[{rule.family, rule.priority}].first.push_back(rule);
    for (const Rule& rule : to) groups[{rule.family, rule.priority}].second.push_back(rule);
    for (const auto& [priority, group] : groups) {
      if (group.first != group.second) DiffEqualRules(group.first, group.second);
    }
  }

  // Rules of one priority. The kernel appends, so new ones come after those that stay. If that
  // would put two into the wrong order that can match the same packet, only those stay that are, in
  // the same order, the beginning of the new rules.
  void DiffEqualRules(const std::vector<Rule>& from, const std::vector<Rule>& to) {
    std::map<Rule, size_t> wanted;  // and its place
    for (size_t i = 0; i < to.size(); ++i) wanted[to[i]] = i;
    std::vector<size_t> result;  // places in `to`, in the order in which they would stand
    std::vector<bool> stays(to.size());
    for (const Rule& rule : from) {
      const auto found = wanted.find(rule);
      if (found == wanted.end()) continue;
      result.push_back(found->second);
      stays[found->second] = true;
    }
    for (size_t i = 0; i < to.size(); ++i) {
      if (!stays[i]) result.push_back(i);
    }
    if (IsInConflict(to, result)) {
      size_t kept = 0;
      stays.assign(to.size(), false);
      for (const Rule& rule : from) {
        if (kept < to.size() && rule == to[kept]) stays[kept++] = true;
      }
    }
    for (const Rule& rule : from) {
      const auto found = wanted.find(rule);
      if (found == wanted.end()) {
        Emit(kRemoveRule, Verb::kRemove, rule);
      } else if (!stays[found->second]) {
        Emit(kMoveRule, Verb::kRemove, rule);
      }
    }
    for (size_t i = 0; i < to.size(); ++i) {
      if (!stays[i]) Emit(kAddRule, Verb::kAdd, to[i]);
    }
  }

  void DiffChain(const ChainKey& key, const std::vector<IptablesRule>& from,
                 const std::vector<IptablesRule>& to) {
    if (from == to) return;
    const auto& builtin = BuiltinChains(key.table);
    const bool is_builtin = std::find(builtin.begin(), builtin.end(), key.chain) != builtin.end();
    size_t same = 0;
    while (same < from.size() && same < to.size() && from[same] == to[same]) ++same;
    size_t old_end = from.size();
    size_t new_end = to.size();
    while (old_end > same && new_end > same && from[old_end - 1] == to[new_end - 1]) {
      --old_end;
      --new_end;
    }
    // common[i][j]: length of the longest common subsequence of from[i..) and to[j..).
    const size_t rows = old_end - same;
    const size_t columns = new_end - same;
    std::vector<std::vector<int>> common(rows + 1, std::vector<int>(columns + 1));
    for (size_t i = rows; i-- > 0;) {
      for (size_t j = columns; j-- > 0;) {
        common[i][j] = from[same + i] == to[same + j]
                           ? common[i + 1][j + 1] + 1
                           : std::max(common[i + 1][j], common[i][j + 1]);
      }
    }
    // All insertions happen before all removals, so places count the rules that will go.
    std::vector<ChainRule> removals;
    int position = static_cast<int>(same) + 1;
    for (size_t i = 0, j = 0; i < rows || j < columns; ++position) {
      if (i < rows && j < columns && from[same + i] == to[same + j]) {
        ++i;
        ++j;
      } else if (j < columns && (i == rows || common[i][j + 1] >= common[i + 1][j])) {
        Emit(is_builtin ? kInsertIntoBuiltinChain : kInsertIntoChain, Verb::kAdd,
             ChainRule{key, position, to[same + j++]});
      } else {
        removals.push_back({key, position, from[same + i++]});
      }
    }
    for (auto it = removals.rbegin(); it != removals.rend(); ++it) {
      Emit(is_builtin ? kRemoveFromBuiltinChain : kRemoveFromChain, Verb::kRemove, *it);
    }
  }

  std::string netns_;
  std::array<std::vector<Operation>, kPhases> phases_;
};

}  // namespace

std::vector<Operation> Diff(const HostState& from, const HostState& to) {
  const std::set<Place> remade = LinksToRemake(from, to);
  if (remade.empty()) return Differ().Run(from, to);
  const HostState between = Without(remade, from);
  std::vector<Operation> operations = Differ().Run(from, between);
  std::ranges::move(Differ().Run(between, to), std::back_inserter(operations));
  return operations;
}

}  // namespace cnisim
