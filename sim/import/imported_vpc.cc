#include "sim/import/imported_vpc.h"

#include <algorithm>
#include <set>
#include <utility>

#include "sim/import/imported_names.h"
#include "sim/scenario/yaml_reader.h"

namespace cnisim {
namespace {

// eksctl's VPC and what it makes of a zone's share of it (its documentation, "VPC networking").
constexpr Ipv4Cidr kDefaultBlock(Ipv4Address(192, 168, 0, 0), 16);
constexpr int kMadeUpLength = 19;
constexpr int kVpcLength = 16;
constexpr const char* kDefaultZone = "us-east-1a";
constexpr int64_t kReserved = 5;  // the first four addresses of a subnet and its last
// Tags that the VPC CNI's subnet discovery reads.
constexpr std::string_view kReadTags[] = {"kubernetes.io/role/cni", "kubernetes.io/cluster/"};

class Joiner {
 public:
  Joiner(const ClusterFacts& facts, ImportedNodes& nodes, Notes& notes)
      : facts_(facts), nodes_(nodes), notes_(notes) {}

  ImportedVpc Join() {
    ChooseVpc();
    std::vector<const SubnetFact*> subnets;
    for (const auto& [id, subnet] : facts_.subnets) {
      if (vpc_id_.empty() || subnet.vpc.empty() || subnet.vpc == vpc_id_) {
        subnets.push_back(&subnet);
      }
    }
    std::ranges::stable_sort(subnets, {}, [](const SubnetFact* subnet) { return subnet->cidr; });
    for (const SubnetFact* subnet : subnets) Add(*subnet);
    AddEksctlSubnets();
    ReadBlocks();
    for (ImportedNode& node : nodes_.nodes) PlaceNode(node);
    for (const EniConfigFact& config : facts_.eni_configs) {
      if (!vpc_.Find(config.subnet)) {
        notes_.Contradiction(
            fmt::format("ENIConfig {}: its subnet {} is not among the subnets of "
                        "the VPC",
                        config.name, config.subnet));
      }
    }
    if (vpc_.subnets.empty()) MakeUp("", kDefaultZone, /*zone_known=*/false);
    DeriveBlocks();
    PlaceMadeUp();
    CountUsed();
    return std::move(vpc_);
  }

 private:
  // The VPC of most nodes.
  void ChooseVpc() {
    std::map<std::string, int> nodes_of;
    const auto vpc_of_subnet = [&](const std::string& id) {
      const auto it = facts_.subnets.find(id);
      return it == facts_.subnets.end() ? "" : it->second.vpc;
    };
    for (const ImportedNode& node : nodes_.nodes) {
      const std::string vpc = node.vpc.empty() ? vpc_of_subnet(node.subnet) : node.vpc;
      if (!vpc.empty()) ++nodes_of[vpc];
    }
    for (const EksctlFact& cluster : facts_.eksctl) {
      for (const EksctlSubnetFact& subnet : cluster.subnets) {
        if (nodes_of.empty() && facts_.subnets.contains(subnet.id)) {
          ++nodes_of[vpc_of_subnet(subnet.id)];
        }
      }
    }
    std::set<std::string> all;
    for (const auto& [id, subnet] : facts_.subnets) {
      if (!subnet.vpc.empty()) all.insert(subnet.vpc);
    }
    for (const auto& [id, vpc] : facts_.vpcs) all.insert(id);
    int most = 0;
    for (const auto& [vpc, count] : nodes_of) {
      if (count > most) vpc_id_ = vpc;
      most = std::max(most, count);
    }
    if (nodes_of.size() > 1) {
      notes_.Contradiction(
          fmt::format("nodes are in {} VPCs; those that are not in {} are taken "
                      "there",
                      nodes_of.size(), vpc_id_));
    }
    if (vpc_id_.empty() && !all.empty()) {
      vpc_id_ = *all.begin();
      if (all.size() > 1) {
        notes_.Unknown(fmt::format("in which of {} VPCs the cluster is", all.size()), vpc_id_);
      }
    }
    if (all.size() > 1) {
      notes_.LeftOut(fmt::format("{} and the subnets there", CountOf(all.size() - 1, "other VPC")));
    }
  }

  void Add(const SubnetFact& fact) {
    ImportedSubnet subnet;
    subnet.id = fact.id;
    std::string name;
    if (const auto it = fact.tags.find("Name"); it != fact.tags.end()) {
      // eksctl's are eksctl-CLUSTER-cluster/SubnetPublicUSEAST1A.
      name = it->second.substr(it->second.rfind('/') + 1);
    }
    subnet.name = names_.Take({IsName(name, kMaxDnsLabel) ? name : "", fact.id});
    subnet.zone = fact.zone;
    subnet.cidr = fact.cidr.value_or(Ipv4Cidr());
    for (const auto& [key, value] : fact.tags) {
      const bool read = std::ranges::any_of(
          kReadTags, [&, &k = key](std::string_view prefix) { return k.starts_with(prefix); });
      if (read) subnet.tags[key] = value;
    }
    vpc_.subnets.push_back(std::move(subnet));
  }

  void AddEksctlSubnets() {
    for (const EksctlFact& cluster : facts_.eksctl) {
      for (const EksctlSubnetFact& fact : cluster.subnets) {
        const std::string key = fact.id.empty() ? fact.name : fact.id;
        if (vpc_.Find(key)) continue;
        if (facts_.Has("describe-subnets")) {
          notes_.Contradiction(
              fmt::format("subnet {} of eksctl's file is not among those that EC2 "
                          "describes",
                          key));
          continue;
        }
        ImportedSubnet subnet;
        subnet.id = key;
        subnet.name =
            names_.Take({IsName(fact.name, kMaxDnsLabel) ? fact.name : "",
                         fmt::format("{}-{}", fact.zone, fact.is_private ? "private" : "public")});
        subnet.zone = fact.zone;
        if (fact.cidr) subnet.cidr = *fact.cidr;
        if (!fact.cidr) to_place_.push_back(vpc_.subnets.size());
        vpc_.subnets.push_back(std::move(subnet));
      }
    }
  }

  void ReadBlocks() {
    if (const auto it = facts_.vpcs.find(vpc_id_); it != facts_.vpcs.end()) {
      vpc_.blocks = it->second.blocks;
      vpc_.ipv6_block = it->second.ipv6_block;
    } else if (facts_.subnets.empty() && !facts_.eksctl.empty()) {
      const std::optional<Ipv4Cidr>& cidr = facts_.eksctl.front().vpc_cidr;
      vpc_.blocks.push_back(cidr.value_or(kDefaultBlock));
      if (!cidr) vpc_.blocks_comment = notes_.Unknown("the VPC's CIDR blocks", "eksctl's default");
    }
  }

  void PlaceNode(ImportedNode& node) {
    if (!node.subnet.empty() && vpc_.Find(node.subnet)) return;
    if (!node.subnet.empty() && facts_.Has("describe-subnets")) {
      notes_.Contradiction(fmt::format("subnet {} of node {} is not among those that EC2 describes",
                                       node.subnet, node.name));
    }
    if (!node.subnet.empty()) {
      MakeUp(node.subnet, node.zone.empty() ? kDefaultZone : node.zone, !node.zone.empty());
      return;
    }
    // By its address, else by its zone.
    if (const auto ip = Ipv4Address::Parse(node.ip)) {
      const auto it = std::ranges::find_if(vpc_.subnets, [&](const ImportedSubnet& subnet) {
        return subnet.cidr != Ipv4Cidr() && subnet.cidr.Contains(*ip);
      });
      if (it != vpc_.subnets.end()) {
        node.subnet = it->id;
        return;
      }
    }
    const std::string zone = node.zone.empty() ? kDefaultZone : node.zone;
    auto it = std::ranges::find(vpc_.subnets, zone, &ImportedSubnet::zone);
    if (it != vpc_.subnets.end() && !it->id.empty() && it->id != it->name) {
      notes_.Unknown(fmt::format("in which subnet of zone {} nodes are", zone), it->name);
    }
    if (it == vpc_.subnets.end()) {
      MakeUp(zone, zone, !node.zone.empty());
      it = vpc_.subnets.end() - 1;
    }
    node.subnet = it->id.empty() ? it->name : it->id;
  }

  void MakeUp(const std::string& key, const std::string& zone, bool zone_known) {
    ImportedSubnet subnet;
    subnet.id = key;
    subnet.name = names_.Take({IsName(key, kMaxDnsLabel) ? key : "", AsDnsLabel(zone)});
    if (subnet.id.empty()) subnet.id = subnet.name;
    subnet.zone = zone;
    if (!zone_known) {
      subnet.zone_comment = notes_.Unknown(fmt::format("the zone of subnet {}", subnet.name), zone);
    }
    to_place_.push_back(vpc_.subnets.size());
    vpc_.subnets.push_back(std::move(subnet));
  }

  // Blocks for subnets that nobody's blocks hold.
  void DeriveBlocks() {
    const bool none = vpc_.blocks.empty();
    for (const ImportedSubnet& subnet : vpc_.subnets) {
      if (subnet.cidr == Ipv4Cidr()) continue;
      const bool inside = std::ranges::any_of(
          vpc_.blocks, [&](const Ipv4Cidr& block) { return block.Contains(subnet.cidr); });
      if (inside) continue;
      if (!none && facts_.vpcs.contains(vpc_id_)) {
        notes_.Contradiction(fmt::format("subnet {} {} is in none of its VPC's CIDR blocks",
                                         subnet.name, subnet.cidr.ToString()));
      }
      vpc_.blocks.emplace_back(subnet.cidr.network(), kVpcLength);
    }
    if (vpc_.blocks.empty()) {
      // Around the first node.
      Ipv4Cidr block = kDefaultBlock;
      for (const ImportedNode& node : nodes_.nodes) {
        const auto ip = Ipv4Address::Parse(node.ip);
        if (!ip) continue;
        block = Ipv4Cidr(*ip, kVpcLength);
        break;
      }
      vpc_.blocks.push_back(block);
    }
    // EC2's blocks do not overlap; these might.
    std::ranges::sort(vpc_.blocks, {}, [](const Ipv4Cidr& block) { return block.length(); });
    std::vector<Ipv4Cidr> apart;
    for (const Ipv4Cidr& block : vpc_.blocks) {
      if (std::ranges::none_of(apart, [&](const Ipv4Cidr& b) { return b.Overlaps(block); })) {
        apart.push_back(block);
      }
    }
    vpc_.blocks = std::move(apart);
    if (none) {
      vpc_.blocks_comment =
          notes_.Unknown("the VPC's CIDR blocks (aws ec2 describe-vpcs)", "what holds the subnets");
    }
  }

  // Free blocks for those without a CIDR.
  void PlaceMadeUp() {
    for (const size_t index : to_place_) {
      ImportedSubnet& subnet = vpc_.subnets[index];
      subnet.cidr = FreeBlock();
      subnet.cidr_comment = notes_.Unknown(fmt::format("the CIDR of subnet {}", subnet.name),
                                           fmt::format("a /{} that is free", subnet.cidr.length()));
    }
  }

  Ipv4Cidr FreeBlock() {
    for (int length = kMadeUpLength; length <= 28; ++length) {
      for (const Ipv4Cidr& block : vpc_.blocks) {
        if (block.length() > length) continue;
        for (uint64_t at = 0; at < block.size(); at += uint64_t{1} << (32 - length)) {
          const Ipv4Cidr candidate(block.network().Offset(static_cast<uint32_t>(at)), length);
          const bool taken = std::ranges::any_of(vpc_.subnets, [&](const ImportedSubnet& s) {
            return s.cidr != Ipv4Cidr() && s.cidr.Overlaps(candidate);
          });
          if (!taken) return candidate;
        }
      }
    }
    // The VPC is full: another block for it.
    for (uint8_t second = 64;; ++second) {
      const Ipv4Cidr block(Ipv4Address(100, second, 0, 0), kVpcLength);
      const bool taken = std::ranges::any_of(
          vpc_.blocks, [&](const Ipv4Cidr& other) { return other.Overlaps(block); });
      if (taken) continue;
      vpc_.blocks.push_back(block);
      return FreeBlock();
    }
  }

  // What is taken of each subnet, less what the nodes hold.
  void CountUsed() {
    std::map<std::string, int64_t> held;
    bool enis_known = true;
    for (const ImportedNode& node : nodes_.nodes) {
      if (!node.enis.empty()) {
        for (const EniFact* eni : node.enis) held[eni->subnet] += eni->addresses();
      } else if (node.agent != nullptr) {
        for (const AgentEniFact& eni : node.agent->enis) {
          held[eni.subnet.empty() ? node.subnet : eni.subnet] += 1 + eni.addresses;
        }
      } else {
        enis_known = false;
      }
    }
    for (ImportedSubnet& subnet : vpc_.subnets) {
      const auto fact = facts_.subnets.find(subnet.id);
      if (fact == facts_.subnets.end() || !fact->second.available) {
        subnet.used_comment = notes_.Unknown(
            fmt::format("how many addresses of subnet {} others hold (AvailableIpAddressCount of "
                        "aws ec2 describe-subnets)",
                        subnet.name),
            "none");
        continue;
      }
      const int64_t taken =
          static_cast<int64_t>(subnet.cidr.size()) - kReserved - *fact->second.available;
      if (!enis_known && std::ranges::any_of(nodes_.nodes, [&](const ImportedNode& node) {
            return node.subnet == subnet.id;
          })) {
        subnet.used_comment = notes_.Unknown(
            fmt::format("how many of the {} addresses of subnet {} that are taken the nodes hold "
                        "(aws ec2 describe-network-interfaces)",
                        taken, subnet.name),
            "all, so that others hold none");
        continue;
      }
      subnet.used_at_start = taken - held[subnet.id];
      if (subnet.used_at_start >= 0) continue;
      notes_.Contradiction(
          fmt::format("subnet {}: {} addresses are taken as its free ones are "
                      "counted, but the nodes' ENIs hold {} of it",
                      subnet.name, taken, held[subnet.id]));
      subnet.used_at_start = 0;
    }
  }

  const ClusterFacts& facts_;
  ImportedNodes& nodes_;
  Notes& notes_;
  ImportedVpc vpc_;
  std::string vpc_id_;
  UniqueNames names_;
  std::vector<size_t> to_place_;  // subnets without a CIDR
};

}  // namespace

std::optional<size_t> ImportedVpc::Find(const std::string& id) const {
  const auto it = std::ranges::find(subnets, id, &ImportedSubnet::id);
  if (id.empty() || it == subnets.end()) return std::nullopt;
  return static_cast<size_t>(it - subnets.begin());
}

ImportedVpc JoinVpc(const ClusterFacts& facts, ImportedNodes& nodes, Notes& notes) {
  return Joiner(facts, nodes, notes).Join();
}

}  // namespace cnisim
