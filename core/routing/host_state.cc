#include "core/routing/host_state.h"

#include <utility>

namespace cnisim {

const NetState* HostState::Find(const std::string& netns) const {
  if (netns.empty()) return &net;
  const auto found = pods.find(netns);
  return found == pods.end() ? nullptr : &found->second;
}

NetState* HostState::Find(const std::string& netns) {
  return const_cast<NetState*>(std::as_const(*this).Find(netns));
}

NetState NewNetState() {
  NetState state;
  Link lo;
  lo.type = LinkType::kLoopback;
  lo.index = 1;
  lo.mtu = 65536;
  state.links["lo"] = lo;
  state.addresses[{"lo", Ipv4Address(127, 0, 0, 1)}] = {8, Scope::kHost};
  state.addresses[{"lo", Ipv6Address(0, 1)}] = {128, Scope::kHost};
  for (const Family family : {Family::kV4, Family::kV6}) {
    Rule rule;
    rule.family = family;
    rule.table = kLocalTable;
    state.rules.push_back(rule);
    rule.priority = 32766;
    rule.table = kMainTable;
    state.rules.push_back(rule);
    if (family == Family::kV6) break;  // which has no third one
    rule.priority = 32767;
    rule.table = kDefaultTable;
    state.rules.push_back(rule);
  }
  return state;
}

HostState NewHostState() {
  HostState state;
  state.net = NewNetState();
  for (const Family family : {Family::kV4, Family::kV6}) {
    for (const IptablesTable table : {IptablesTable::kRaw, IptablesTable::kMangle,
                                      IptablesTable::kNat, IptablesTable::kFilter}) {
      for (const std::string& chain : BuiltinChains(table)) state.chains[{family, table, chain}];
    }
  }
  return state;
}

std::string_view DeviceOfSysctl(std::string_view name) {
  for (const std::string_view prefix :
       {"net.ipv4.conf.", "net.ipv4.neigh.", "net.ipv6.conf.", "net.ipv6.neigh."}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    return name.substr(0, name.rfind('.'));
  }
  return {};
}

const std::vector<std::string>& BuiltinChains(IptablesTable table) {
  static const std::vector<std::string> kRaw = {"PREROUTING", "OUTPUT"};
  static const std::vector<std::string> kMangle = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
                                                   "POSTROUTING"};
  static const std::vector<std::string> kNat = {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"};
  static const std::vector<std::string> kFilter = {"INPUT", "FORWARD", "OUTPUT"};
  switch (table) {
    case IptablesTable::kRaw:
      return kRaw;
    case IptablesTable::kMangle:
      return kMangle;
    case IptablesTable::kNat:
      return kNat;
    case IptablesTable::kFilter:
      break;
  }
  return kFilter;
}

}  // namespace cnisim
