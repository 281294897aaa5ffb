// The texts that Linux's own tools print of a state, to the character.
//
// Formats: iproute2 6.1 (checked against a live 6.18 kernel) and iptables 1.8.9. Lines end in a
// newline; route and neighbour lines have a blank before it, as iproute2 prints them. What a state
// does not hold is not printed: link-local and multicast entries, packet counters; `nft` prints
// as with --stateless and --numeric-priority. Links are listed by index, then by name.
#ifndef CNISIM_CORE_ROUTING_RENDER_H_
#define CNISIM_CORE_ROUTING_RENDER_H_

#include <string>
#include <string_view>

#include "core/routing/host_state.h"

namespace cnisim {

std::string RenderBriefAddresses(const NetState& net);                      // ip -br addr
std::string RenderAddresses(const NetState& net);                           // ip addr
std::string RenderRules(const NetState& net, Family family = Family::kV4);  // ip [-6] rule show
// ip [-6] route show table TABLE
std::string RenderRoutes(const NetState& net, int table = kMainTable, Family family = Family::kV4);
// ip [-6] neigh show [dev DEV]
std::string RenderNeighbours(const NetState& net, std::string_view dev = "",
                             Family family = Family::kV4);
std::string RenderFdb(const HostState& host, std::string_view dev = "");  // bridge fdb show [dev]
// iptables -t TABLE -S, or ip6tables
std::string RenderIptables(const HostState& host, IptablesTable table, Family family = Family::kV4);
std::string RenderNft(const HostState& host);  // nft -s -y list table ip aws-cni

// One line of them, without its end. "InSentence" is the same with single blanks, as one quotes it.
std::string RenderRule(const Rule& rule);
std::string RuleInSentence(const Rule& rule);
std::string RouteInSentence(const RouteKey& key, const Route& route);
std::string RenderRoute(const RouteKey& key, const Route& route, bool with_table = false);
std::string RenderIptablesRule(std::string_view chain, const IptablesRule& rule,
                               Family family = Family::kV4);

// "main" for 254, and so on.
std::string TableName(int table);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_RENDER_H_
