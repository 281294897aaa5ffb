#include "sim/cluster/quirk_tally.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cluster/node.h"

namespace cnisim {

void QuirkTally::Strike(Quirk quirk, const Node& node) {
  if (context_.observer == nullptr) return;
  const QuirkInfo& info = *std::ranges::find(AllQuirks(), quirk, &QuirkInfo::member);
  Strikes& strikes = strikes_[info.name];
  if (strikes.times++ == 0) {
    strikes.first_node = node.name();
    strikes.first = context_.Now();
  }
  strikes.nodes.insert(node.index());
}

void QuirkTally::TellFindings() const {
  for (const QuirkInfo& info : AllQuirks()) {
    const auto it = strikes_.find(info.name);
    if (it == strikes_.end()) continue;
    const Strikes& strikes = it->second;
    context_.TellFinding(
        fmt::format("quirk-{}", info.name), Severity::kWarning,
        fmt::format("{}: {} times on {} nodes, first on {} after {} s. {}", info.rule,
                    strikes.times, strikes.nodes.size(), strikes.first_node,
                    (strikes.first - kTimeZero) / std::chrono::seconds(1), info.what));
  }
}

}  // namespace cnisim
