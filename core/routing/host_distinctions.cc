#include "core/routing/host_distinctions.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "core/routing/netfilter.h"
#include "core/routing/reachability_probe.h"

namespace cnisim {
namespace {

IpCidr SubnetOf(IpAddress address, int length) {
  return address.is_v4() ? IpCidr(Ipv4Cidr(address.v4(), length))
                         : IpCidr(Ipv6Cidr(address.v6(), length));
}

constexpr uint16_t kVxlanPort = 4789;

// Node ports' chains are not for pods' addresses.
bool IsForOtherPorts(const IptablesRule& rule) {
  return std::ranges::any_of(rule.matches, [](const IptablesMatch& match) {
    const auto* port = std::get_if<PortMatch>(&match);
    return port != nullptr && port->destination != kProbedPort && port->destination != kVxlanPort;
  });
}

// What the chains ask of packets to pods.
struct ChainQuestions {
  std::vector<IpCidr> sources;
  std::vector<IpCidr> destinations;
  std::set<std::string> source_sets;
  std::set<std::string> destination_sets;
  std::set<std::string> inputs;
};

class ChainReader {
 public:
  ChainReader(const HostState& host, const IsInhabited& is_inhabited)
      : host_(host), is_inhabited_(is_inhabited) {}

  ChainQuestions Run() {
    for (const IptablesTable table : {IptablesTable::kRaw, IptablesTable::kMangle,
                                      IptablesTable::kNat, IptablesTable::kFilter}) {
      for (const std::string& chain : BuiltinChains(table)) {
        Read({Family::kV4, table, chain});
        Read({Family::kV6, table, chain});
      }
    }
    if (host_.nft) {
      questions_.inputs.insert(host_.nft->veth_prefix + "+");
      const std::set<IpCidr>& unmarked = host_.nft->unmarked;
      questions_.destinations.insert(questions_.destinations.end(), unmarked.begin(),
                                     unmarked.end());
    }
    return std::move(questions_);
  }

 private:
  void Read(const ChainKey& key) {
    const auto found = host_.chains.find(key);
    if (found == host_.chains.end() || !read_.insert(key).second) return;
    for (const IptablesRule& rule : found->second) {
      if (rule.destination && !is_inhabited_(*rule.destination)) continue;
      if (IsForOtherPorts(rule)) continue;
      if (rule.destination) questions_.destinations.push_back(*rule.destination);
      if (rule.source) questions_.sources.push_back(*rule.source);
      if (!rule.in.empty()) questions_.inputs.insert(rule.in);
      for (const IptablesMatch& match : rule.matches) {
        const auto* set = std::get_if<SetMatch>(&match);
        if (set == nullptr) continue;
        (set->source ? questions_.source_sets : questions_.destination_sets).insert(set->name);
      }
      if (const auto* jump = std::get_if<JumpTarget>(&rule.target)) {
        Read({key.family, key.table, jump->chain});
      }
    }
  }

  const HostState& host_;
  const IsInhabited& is_inhabited_;
  ChainQuestions questions_;
  std::set<ChainKey> read_;
};

void SortUnique(std::vector<IpCidr>& blocks) {
  std::ranges::sort(blocks);
  const auto repeated = std::ranges::unique(blocks);
  blocks.erase(repeated.begin(), repeated.end());
}

AddressRegions Regions(std::vector<IpCidr> blocks, const std::set<std::string>& sets,
                       const HostState& host) {
  SortUnique(blocks);
  std::vector<std::pair<IpCidr, AddressRegions::Criterion>> criteria;
  criteria.reserve(blocks.size());
  int criterion = 0;
  for (const IpCidr& block : blocks) criteria.emplace_back(block, criterion++);
  for (const std::string& name : sets) {
    const auto set = host.ipsets.find(name);
    if (set == host.ipsets.end()) continue;
    for (const IpCidr& member : set->second) criteria.emplace_back(member, criterion);
    ++criterion;
  }
  return AddressRegions(std::move(criteria));
}

void AddLocalAddresses(const NetState& net, std::vector<IpCidr>& blocks) {
  for (const auto& [key, attributes] : net.addresses) blocks.emplace_back(key.address);
  blocks.push_back(Ipv4Cidr(Ipv4Address(127, 0, 0, 0), 8));
}

void AddForwardingBlocks(const NetState& net, std::vector<IpCidr>& blocks) {
  for (const Rule& rule : net.rules) {
    if (rule.to) blocks.push_back(*rule.to);
  }
  for (const auto& [key, route] : net.routes) {
    blocks.push_back(key.destination);
    // A destination that is the next hop is given its packets by the fabric itself.
    if (route.via) blocks.emplace_back(*route.via);
  }
  for (const auto& [key, mac] : net.neighbours) blocks.emplace_back(key.address);
  AddLocalAddresses(net, blocks);
}

// A rule that asks who sends, as the sender that it matches sees it.
struct OwnRule {
  size_t place = 0;  // number of rules before it that do not ask
  Rule rule;         // without what it asks of the sender
  friend bool operator==(const OwnRule&, const OwnRule&) = default;
};

class SenderGrouping {
 public:
  SenderGrouping(const HostState& host, const std::vector<SendingPod>& pods,
                 const IsInhabited& is_inhabited)
      : host_(host), pods_(pods) {
    ChainQuestions questions = ChainReader(host, is_inhabited).Run();
    inputs_ = std::move(questions.inputs);
    AddLocalAddresses(host.net, questions.sources);
    sources_ = Regions(std::move(questions.sources), questions.source_sets, host);
    size_t others = 0;
    for (size_t i = 0; i < host.net.rules.size(); ++i) {
      const Rule& rule = host.net.rules[i];
      if (rule.from || !rule.iif.empty()) {
        asking_.push_back({i, others});
      } else {
        ++others;
      }
    }
  }

  std::vector<SenderGroup> Run() {
    std::vector<SenderGroup> groups;
    std::vector<std::vector<OwnRule>> rules_of_groups;
    std::vector<int> likes;  // one pod of each likeness
    for (int p = 0; p < static_cast<int>(pods_.size()); ++p) {
      int likeness = 0;
      while (likeness < static_cast<int>(likes.size()) && !Alike(likes[likeness], p)) ++likeness;
      if (likeness == static_cast<int>(likes.size())) likes.push_back(p);
      size_t first = host_.net.rules.size();
      const std::vector<OwnRule> rules = OwnRules(p, first);
      size_t g = 0;
      while (g < groups.size() && (groups[g].likeness != likeness || rules_of_groups[g] != rules)) {
        ++g;
      }
      if (g == groups.size()) {
        groups.push_back({{}, likeness, first});
        rules_of_groups.push_back(rules);
      }
      groups[g].members.push_back(p);
      groups[g].first_own_rule = std::min(groups[g].first_own_rule, first);
    }
    return groups;
  }

 private:
  struct Asking {
    size_t index;
    size_t place;
  };

  const NetState* NetOf(int pod) const { return host_.Find(pods_[pod].netns); }

  // The host's ends of a pod's links, in the order of the links.
  std::vector<std::string> Peers(int pod) const {
    std::vector<std::string> peers;
    const NetState* net = NetOf(pod);
    if (net == nullptr || pods_[pod].netns.empty()) return peers;
    for (const auto& [name, link] : net->links) {
      if (link.type == LinkType::kVeth) peers.push_back(link.peer);
    }
    return peers;
  }

  std::vector<OwnRule> OwnRules(int pod, size_t& first) const {
    std::vector<OwnRule> rules;
    const std::vector<std::string> peers = Peers(pod);
    for (const Asking& asking : asking_) {
      const Rule& rule = host_.net.rules[asking.index];
      if (rule.from && !rule.from->Contains(pods_[pod].ip)) continue;
      const auto peer = std::ranges::find(peers, rule.iif);
      if (!rule.iif.empty() && peer == peers.end()) continue;
      OwnRule own{asking.place, rule};
      own.rule.from.reset();
      if (!rule.iif.empty()) own.rule.iif = std::to_string(peer - peers.begin());
      if (rules.empty()) first = asking.index;
      rules.push_back(std::move(own));
    }
    return rules;
  }

  // Whether an address is to the one pod what the other is to the other.
  bool Same(int a, IpAddress of_a, int b, IpAddress of_b) const {
    const bool own = of_a == pods_[a].ip;
    return own == (of_b == pods_[b].ip) && (own || of_a == of_b);
  }

  bool Alike(int a, int b) const {
    if (pods_[a].alone || pods_[b].alone) return false;
    const NetState* x = NetOf(a);
    const NetState* y = NetOf(b);
    if (x == nullptr || y == nullptr) return x == y;
    if (FamilyOf(pods_[a].ip) != FamilyOf(pods_[b].ip)) return false;
    if (sources_.RegionOf(pods_[a].ip) != sources_.RegionOf(pods_[b].ip)) return false;
    return AlikeInside(a, *x, b, *y) && AlikeLinks(*x, *y);
  }

  bool AlikeInside(int a, const NetState& x, int b, const NetState& y) const {
    const auto equal = [](const auto& one, const auto& other, auto&& predicate) {
      return std::ranges::equal(one, other, predicate);
    };
    return equal(x.addresses, y.addresses,
                 [&](const auto& p, const auto& q) {
                   return p.first.dev == q.first.dev && p.second == q.second &&
                          Same(a, p.first.address, b, q.first.address);
                 }) &&
           equal(x.routes, y.routes, std::equal_to<>()) &&
           equal(x.rules, y.rules, std::equal_to<>()) &&
           equal(x.neighbours, y.neighbours, [&](const auto& p, const auto& q) {
             return p.first == q.first &&
                    NamesPeer(x, p.first.dev, p.second) == NamesPeer(y, q.first.dev, q.second);
           });
  }

  const Link* PeerOf(const Link& link) const {
    const NetState* other = host_.Find(link.peer_netns);
    if (link.type != LinkType::kVeth || other == nullptr) return nullptr;
    const auto peer = other->links.find(link.peer);
    return peer == other->links.end() || !peer->second.up ? nullptr : &peer->second;
  }

  bool NamesPeer(const NetState& net, const std::string& dev, MacAddress mac) const {
    const auto link = net.links.find(dev);
    if (link == net.links.end()) return false;
    const Link* peer = PeerOf(link->second);
    return peer != nullptr && peer->mac == mac;
  }

  bool AlikeLinks(const NetState& x, const NetState& y) const {
    return std::ranges::equal(x.links, y.links, [&](const auto& p, const auto& q) {
      const Link& one = p.second;
      const Link& other = q.second;
      if (p.first != q.first || one.type != other.type || one.up != other.up ||
          one.mtu != other.mtu || one.peer_netns != other.peer_netns) {
        return false;
      }
      if (one.type != LinkType::kVeth) return true;
      if ((PeerOf(one) == nullptr) != (PeerOf(other) == nullptr)) return false;
      if (one.peer == other.peer) return true;
      if (ProxyArp(one.peer) != ProxyArp(other.peer)) return false;
      return std::ranges::all_of(inputs_,
                                 [&](const std::string& pattern) {
                                   return InterfaceMatches(pattern, one.peer) ==
                                          InterfaceMatches(pattern, other.peer);
                                 }) &&
             !HasAddress(one.peer) && !HasAddress(other.peer);
    });
  }

  bool ProxyArp(const std::string& dev) const {
    const auto found = host_.net.sysctls.find("net.ipv4.conf." + dev + ".proxy_arp");
    return found != host_.net.sysctls.end() && found->second == "1";
  }

  bool HasAddress(const std::string& dev) const {
    const auto found = host_.net.addresses.lower_bound({dev, IpAddress(Ipv6Address())});
    return found != host_.net.addresses.end() && found->first.dev == dev;
  }

  const HostState& host_;
  const std::vector<SendingPod>& pods_;
  std::set<std::string> inputs_;
  AddressRegions sources_;
  std::vector<Asking> asking_;
};

}  // namespace

AddressRegions DestinationsToldApart(const HostState& host,
                                     const std::vector<const VpcInterface*>& interfaces,
                                     const IsInhabited& is_inhabited) {
  ChainQuestions questions = ChainReader(host, is_inhabited).Run();
  std::vector<IpCidr>& blocks = questions.destinations;
  AddForwardingBlocks(host.net, blocks);
  for (const auto& [name, pod] : host.pods) AddForwardingBlocks(pod, blocks);
  // Which next hops are on a link, and which address a packet gets for them.
  for (const auto& [key, attributes] : host.net.addresses) {
    blocks.push_back(SubnetOf(key.address, attributes.length));
  }
  for (const VpcInterface* interface : interfaces) {
    blocks.insert(blocks.end(), interface->subnets.begin(), interface->subnets.end());
  }
  SortUnique(blocks);
  std::erase_if(blocks, [&](const IpCidr& block) { return !is_inhabited(block); });
  return Regions(std::move(blocks), questions.destination_sets, host);
}

AddressRegions SourcesToldApart(const HostState& host, const IsInhabited& is_inhabited) {
  ChainQuestions questions = ChainReader(host, is_inhabited).Run();
  for (const Rule& rule : host.net.rules) {
    if (rule.from) questions.sources.push_back(*rule.from);
  }
  AddLocalAddresses(host.net, questions.sources);
  return Regions(std::move(questions.sources), questions.source_sets, host);
}

std::vector<SenderGroup> GroupSenders(const HostState& host, const std::vector<SendingPod>& pods,
                                      const IsInhabited& is_inhabited) {
  return SenderGrouping(host, pods, is_inhabited).Run();
}

}  // namespace cnisim
