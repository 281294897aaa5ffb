// Subnets against what nodes hold in them, zone by zone.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <set>

#include "sim/cloud/subnet_allocator.h"
#include "sim/scenario/advice/advisor.h"

namespace cnisim {
namespace {

constexpr int kLargestSubnet = 16;  // EC2's: a /16

struct Shortage {
  Demand demand;
  int64_t free = 0;
  const Moment* moment = nullptr;
  std::vector<Demand> all;  // of that moment

  int64_t missing() const { return demand.total() - free; }
};

// The worst of each set of subnets.
using Shortages = std::map<std::set<size_t>, Shortage>;

void Note(const Scenario& scenario, const Moment& moment, const std::vector<Demand>& demands,
          Shortages& worst) {
  for (const Demand& demand : demands) {
    Shortage found{
        Within(demands, demand.subnets), FreeAtStart(scenario, demand.subnets), &moment, {}};
    if (found.missing() <= 0) continue;
    Shortage& known = worst[demand.subnets];
    if (known.moment != nullptr && known.missing() >= found.missing()) continue;
    found.all = demands;
    known = std::move(found);
  }
}

std::string Parts(const Demand& demand) {
  std::string text = CountOf(demand.primaries, "primary address");
  if (demand.primaries == 0) text.clear();
  const auto add = [&](std::string part) {
    if (!text.empty()) text += ", ";
    text += part;
  };
  if (demand.enis > 0) add(fmt::format("{} of further ENIs", demand.enis));
  if (demand.addresses > 0) add(fmt::format("{} for pods", demand.addresses));
  if (demand.prefixes > 0) add(CountOf(demand.prefixes, "/28") + " for pods");
  return text;
}

// The smallest block that would do in the place of one subnet; empty if none does.
std::string LargerSubnet(const Scenario& scenario, const Shortage& shortage) {
  if (shortage.demand.subnets.size() != 1) return "larger subnets";
  const SubnetSpec& subnet = scenario.vpc.subnets[*shortage.demand.subnets.begin()];
  const auto needed = static_cast<uint64_t>(shortage.demand.total() + subnet.used_at_start +
                                            SubnetAllocator::kReservedAddresses);
  const int length = 32 - std::countr_zero(std::bit_ceil(needed));
  if (length < kLargestSubnet) return "more subnets";
  return fmt::format("a /{} would do", length);
}

class SubnetAdvice {
 public:
  explicit SubnetAdvice(Advisor& advisor) : advisor_(advisor), scenario_(advisor.scenario) {}

  void Tell() {
    Shortages at_rest;
    Shortages with_pods;
    std::vector<int> largest(scenario_.node_groups.size());
    for (const Moment& moment : advisor_.moments) {
      for (size_t g = 0; g < largest.size(); ++g)
        largest[g] = std::max(largest[g], moment.nodes[g]);
      Note(scenario_, moment, DemandsOf(scenario_, moment, moment.nodes, false), at_rest);
      if (!agent()) continue;
      Note(scenario_, moment, DemandsOf(scenario_, moment, moment.nodes, true), with_pods);
    }
    TellNodes(largest, false);
    for (const auto& [subnets, shortage] : at_rest) {
      if (agent()) TellShortage("subnet-too-small", shortage, "at rest");
      TellImbalance(shortage);
    }
    for (const auto& [subnets, shortage] : with_pods) {
      if (at_rest.contains(subnets)) continue;
      TellShortage("subnet-too-small-for-pods", shortage, "with the scenario's pods");
      TellImbalance(shortage);
    }
    const std::vector<int> max_sizes = MaxSizes(scenario_);
    if (max_sizes == largest) return;
    TellNodes(max_sizes, true);
    if (!agent()) return;
    Shortages at_max;
    const Moment& last = advisor_.moments.back();
    Note(scenario_, last, DemandsOf(scenario_, last, max_sizes, false), at_max);
    for (const auto& [subnets, shortage] : at_max) {
      if (!at_rest.contains(subnets) && !with_pods.contains(subnets)) TellMaxSize(shortage);
    }
  }

 private:
  bool agent() const { return scenario_.network.plugin == Plugin::kAwsVpcCni; }

  Location PlaceOf(const std::set<size_t>& subnets) const {
    return advisor_.places.Of({"vpc", "subnets", *subnets.begin(), "cidr"});
  }

  void TellShortage(Code code, const Shortage& shortage, std::string_view when) {
    advisor_.diagnostics.Warning(
        PlaceOf(shortage.demand.subnets), code,
        fmt::format("{} {} {} free, but nodes there hold {} {} {}: {}",
                    NamesOf(scenario_, shortage.demand.subnets),
                    shortage.demand.subnets.size() == 1 ? "has" : "have",
                    CountOf(shortage.free, "address"), shortage.demand.total(), when,
                    When(*shortage.moment), Parts(shortage.demand)),
        LargerSubnet(scenario_, shortage) + ", or smaller warm targets");
  }

  void TellMaxSize(const Shortage& shortage) {
    // The largest group whose nodes take addresses there.
    std::optional<size_t> largest;
    for (const NodeClass& nodes : NodeClassesOf(scenario_, MaxSizes(scenario_))) {
      const Moment& last = advisor_.moments.back();
      std::set<size_t> subnets = EniSubnetsOf(scenario_, last.settings, nodes).subnets;
      subnets.insert(nodes.subnet);
      const bool there = std::ranges::any_of(
          subnets, [&](size_t s) { return shortage.demand.subnets.contains(s); });
      const auto size_of = [&](size_t g) { return scenario_.node_groups[g].max_size; };
      if (there && (!largest || size_of(nodes.group) > size_of(*largest))) largest = nodes.group;
    }
    const size_t place = largest.value_or(0);
    advisor_.diagnostics.Info(
        advisor_.places.Of({"nodeGroups", place, "maxSize"}), "subnet-too-small-at-max-size",
        fmt::format("with all node groups at maxSize, nodes hold {} addresses at rest in {}, which "
                    "{} {}: {}",
                    shortage.demand.total(), NamesOf(scenario_, shortage.demand.subnets),
                    shortage.demand.subnets.size() == 1 ? "has" : "have", shortage.free,
                    Parts(shortage.demand)),
        LargerSubnet(scenario_, shortage));
  }

  // A node that finds its subnet full is launched in another one of its group.
  void TellNodes(const std::vector<int>& sizes, bool at_max) {
    for (size_t g = 0; g < scenario_.node_groups.size(); ++g) {
      const NodeGroupSpec& group = scenario_.node_groups[g];
      const std::set<size_t> subnets(group.subnets.begin(), group.subnets.end());
      int64_t nodes = 0;
      for (size_t other = 0; other < scenario_.node_groups.size(); ++other) {
        const std::vector<int>& theirs = scenario_.node_groups[other].subnets;
        const bool within = std::ranges::all_of(
            theirs, [&](int s) { return subnets.contains(static_cast<size_t>(s)); });
        if (within) nodes += sizes[other];
      }
      const int64_t free = FreeAtStart(scenario_, subnets);
      if (nodes <= free) continue;
      if (!advisor_.IsNew("subnets-too-small-for-nodes", group.name)) continue;
      const std::string message = fmt::format(
          "{} {} {} free for the primary addresses of {}{}", NamesOf(scenario_, subnets),
          subnets.size() == 1 ? "has" : "have", CountOf(free, "address"), CountOf(nodes, "node"),
          at_max ? " at maxSize" : "");
      const Location where =
          advisor_.places.Of({"nodeGroups", g, at_max ? "maxSize" : "desiredCapacity"});
      if (at_max) {
        advisor_.diagnostics.Info(where, "subnets-too-small-for-nodes", message);
      } else {
        advisor_.diagnostics.Warning(where, "subnets-too-small-for-nodes", message);
      }
    }
  }

  // Whether the zones together have what one of them lacks.
  void TellImbalance(const Shortage& shortage) {
    std::map<std::string, std::set<size_t>> zones;
    for (const Demand& demand : shortage.all) {
      for (const size_t s : demand.subnets) {
        zones[scenario_.vpc.subnets[s].availability_zone].insert(s);
      }
    }
    std::string figures;
    int64_t free = 0;
    int64_t needed = 0;
    std::string tight;
    for (const auto& [zone, subnets] : zones) {
      const int64_t zone_free = FreeAtStart(scenario_, subnets);
      const int64_t zone_needed = Within(shortage.all, subnets).total();
      free += zone_free;
      needed += zone_needed;
      if (zone_needed > zone_free) tight = zone;
      if (!figures.empty()) figures += ", ";
      figures += fmt::format("{} {} of {}", zone, zone_needed, zone_free);
    }
    if (tight.empty() || needed > free) return;
    for (size_t g = 0; g < scenario_.node_groups.size(); ++g) {
      const NodeGroupSpec& group = scenario_.node_groups[g];
      std::set<std::string> its_zones;
      for (const int s : group.subnets) {
        its_zones.insert(scenario_.vpc.subnets[static_cast<size_t>(s)].availability_zone);
      }
      if (its_zones.size() < 2 || !its_zones.contains(tight)) continue;
      if (!advisor_.IsNew("zone-imbalance", group.name)) continue;
      advisor_.diagnostics.Warning(
          advisor_.places.Of({"nodeGroups", g, "subnets"}), "zone-imbalance",
          fmt::format(
              "node group '{}' spreads its nodes evenly over {}, but the subnets of {} are "
              "too small for their share while all together are large enough (addresses held "
              "of those free: {})",
              group.name, CountOf(std::ssize(group.subnets), "subnet"), tight, figures),
          fmt::format("enlarge the subnets of {}", tight));
    }
  }

  Advisor& advisor_;
  const Scenario& scenario_;
};

}  // namespace

void AdviseOnSubnets(Advisor& advisor) { SubnetAdvice(advisor).Tell(); }

}  // namespace cnisim
