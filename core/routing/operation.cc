#include "core/routing/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace cnisim {
namespace {

Status Exists(std::string what) { return Fail(std::string(kOperationExists), std::move(what)); }
Status Missing(std::string what) { return Fail(std::string(kOperationMissing), std::move(what)); }

template <typename Key, typename Value>
Status ApplyToMap(Verb verb, const Entry<Key, Value>& entry, std::map<Key, Value>& map,
                  const char* what) {
  if (verb == Verb::kAdd) {
    if (!map.emplace(entry.key, entry.value).second) return Exists(what);
    return {};
  }
  const auto found = map.find(entry.key);
  if (found == map.end()) return Missing(what);
  if (verb == Verb::kReplace) {
    found->second = entry.value;
  } else {
    map.erase(found);
  }
  return {};
}

// Applies one operation; `net` is the namespace it is for.
struct Applier {
  Verb verb;
  HostState& state;
  NetState& net;

  Status NeedLink(const std::string& dev) const {
    if (verb == Verb::kRemove || dev.empty() || net.links.contains(dev)) return {};
    return Missing(fmt::format("link {}", dev));
  }
  Status operator()(const PodNamespace& pod) const {
    if (verb == Verb::kRemove) {
      return state.pods.erase(pod.name) == 1 ? Status() : Missing("namespace");
    }
    return state.pods.emplace(pod.name, NewNetState()).second ? Status() : Exists("namespace");
  }
  Status operator()(const LinkEntry& entry) const {
    return ApplyToMap(verb, entry, net.links, "link");
  }
  Status operator()(const AddressEntry& entry) const {
    if (Status status = NeedLink(entry.key.dev); !status) return status;
    return ApplyToMap(verb, entry, net.addresses, "address");
  }
  Status operator()(const SysctlEntry& entry) const {
    return ApplyToMap(verb, entry, net.sysctls, "sysctl");
  }
  Status operator()(const NeighbourEntry& entry) const {
    if (Status status = NeedLink(entry.key.dev); !status) return status;
    return ApplyToMap(verb, entry, net.neighbours, "neighbour");
  }
  Status operator()(const FdbEntry& entry) const {
    if (Status status = NeedLink(entry.key.dev); !status) return status;
    return ApplyToMap(verb, entry, state.fdb, "FDB entry");
  }
  Status operator()(const RouteEntry& entry) const {
    if (Status status = NeedLink(entry.value.dev); !status) return status;
    return ApplyToMap(verb, entry, net.routes, "route");
  }
  Status operator()(const IpsetEntry& entry) const {
    return ApplyToMap(verb, entry, state.ipsets, "ipset");
  }
  Status operator()(const NftConnmark& nft) const {
    if ((verb == Verb::kAdd) == state.nft.has_value()) {
      return verb == Verb::kAdd ? Exists("nft table") : Missing("nft table");
    }
    if (verb == Verb::kRemove) {
      state.nft.reset();
    } else {
      state.nft = nft;
    }
    return {};
  }
  Status operator()(const ChainKey& key) const {
    if (verb == Verb::kRemove) return state.chains.erase(key) == 1 ? Status() : Missing("chain");
    return state.chains.try_emplace(key).second ? Status() : Exists("chain");
  }
  Status operator()(const ChainRule& at) const {
    const auto found = state.chains.find(at.chain);
    if (found == state.chains.end()) return Missing("chain");
    std::vector<IptablesRule>& rules = found->second;
    size_t place = static_cast<size_t>(at.position) - 1;
    if (at.position == 0) {
      place = verb == Verb::kAdd
                  ? rules.size()
                  : static_cast<size_t>(std::ranges::find(rules, at.rule) - rules.begin());
    }
    if (verb == Verb::kRemove) {
      if (place >= rules.size() || rules[place] != at.rule) return Missing("iptables rule");
      rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(place));
    } else {
      if (place > rules.size()) return Missing("place of iptables rule");
      rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(place), at.rule);
    }
    return {};
  }
  Status operator()(const Rule& rule) const {
    const auto before = [](const Rule& a, const Rule& b) {
      return std::pair(a.family, a.priority) < std::pair(b.family, b.priority);
    };
    const auto [begin, end] = std::equal_range(net.rules.begin(), net.rules.end(), rule, before);
    const auto same = std::find(begin, end, rule);
    if (verb == Verb::kRemove) {
      if (same == end) return Missing("rule");
      net.rules.erase(same);
    } else {
      if (same != end) return Exists("rule");
      net.rules.insert(end, rule);
    }
    return {};
  }
};

}  // namespace

Status Apply(const Operation& operation, HostState& state) {
  NetState* net = state.Find(operation.netns);
  if (net == nullptr) return Missing(fmt::format("namespace {}", operation.netns));
  return std::visit(Applier{operation.verb, state, *net}, operation.subject);
}

Status Apply(std::span<const Operation> operations, HostState& state) {
  for (const Operation& operation : operations) {
    if (Status status = Apply(operation, state); !status) return status;
  }
  return {};
}

}  // namespace cnisim
