// Subnets whose free addresses are too scattered for prefix delegation.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/scenario/advice/advisor.h"
#include "sim/scenario/advice/fragmentation.h"

namespace cnisim {
namespace {

// Below this part of the free addresses in whole blocks, scattering is told though it suffices.
constexpr double kMuchScattered = 0.5;

struct Fragmented {
  Demand demand;
  WholeBlocks blocks;
  const Moment* moment = nullptr;
};

std::string Singles(const Demand& demand, const SubnetSpec& subnet) {
  std::string text;
  const auto add = [&](int64_t n, std::string_view what) {
    if (n == 0) return;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", n, what);
  };
  add(subnet.used_at_start, "used at start");
  add(demand.primaries, "of nodes");
  add(demand.enis, "of further ENIs");
  add(demand.addresses, "in secondary mode or of branch ENIs");
  return text;
}

}  // namespace

void AdviseOnPrefixes(Advisor& advisor) {
  const Scenario& scenario = advisor.scenario;
  std::map<size_t, Fragmented> worst;
  for (const Moment& moment : advisor.moments) {
    if (moment.settings.mode() != PoolMode::kPrefixes) continue;
    for (const Demand& demand : DemandsOf(scenario, moment, moment.nodes, true)) {
      if (demand.subnets.size() != 1 || demand.prefixes == 0) continue;
      const size_t s = *demand.subnets.begin();
      const auto known = worst.find(s);
      if (known != worst.end() && known->second.demand.prefixes >= demand.prefixes) continue;
      worst[s] = {demand,
                  ExpectedBlocks(scenario.vpc.subnets[s], demand.singles(), demand.prefixes),
                  &moment};
    }
  }
  for (const auto& [s, found] : worst) {
    const SubnetSpec& subnet = scenario.vpc.subnets[s];
    const int64_t free = FreeAtStart(subnet);
    if (found.demand.total() > free) continue;  // too small in any case
    const auto given = static_cast<int64_t>(std::llround(found.blocks.prefixes_given));
    const bool used = advisor.places.Has({"vpc", "subnets", s, "usedAtStart"});
    const Location where = advisor.places.Of({"vpc", "subnets", s, used ? "usedAtStart" : "cidr"});
    const std::string singles = Singles(found.demand, subnet);
    if (given < found.demand.prefixes) {
      advisor.diagnostics.Warning(
          where, "prefixes-fragmented",
          fmt::format(
              "subnet '{}' has {} free, but probably only {} of the {} that its nodes want {}: "
              "single addresses ({}) break the others of its {} blocks",
              subnet.name, CountOf(free, "address"), given, CountOf(found.demand.prefixes, "/28"),
              When(*found.moment), singles, found.blocks.in_all),
          "a subnet for prefixes alone, or a larger one");
    } else if (subnet.used_layout == UsedLayout::kScattered && subnet.used_at_start > 0 &&
               found.blocks.at_start * kAddressesPerPrefix <
                   kMuchScattered * static_cast<double>(free)) {
      advisor.diagnostics.Info(
          where, "prefixes-fragmented",
          fmt::format(
              "subnet '{}' has {} free, of which only {} or so lie in whole /28 blocks, as {} "
              "are scattered over it; {} are wanted",
              subnet.name, CountOf(free, "address"),
              std::llround(found.blocks.at_start) * kAddressesPerPrefix,
              CountOf(subnet.used_at_start, "used one"), CountOf(found.demand.prefixes, "/28")));
    }
  }
}

}  // namespace cnisim
