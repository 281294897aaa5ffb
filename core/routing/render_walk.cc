#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "core/net/format.h"
#include "core/routing/forwarding_walk.h"
#include "core/routing/render.h"

namespace cnisim {

std::string_view DropReasonName(DropReason reason) {
  switch (reason) {
    case DropReason::kNone:
      return "none";
    case DropReason::kNoRoute:
      return "no route";
    case DropReason::kBlackhole:
      return "blackhole route";
    case DropReason::kPacketTooBig:
      return "packet too big and must not be fragmented";
    case DropReason::kFiltered:
      return "filtered";
    case DropReason::kSourceCheck:
      return "source/destination check: not this ENI's source address";
    case DropReason::kDestinationCheck:
      return "source/destination check: not this ENI's address";
    case DropReason::kUnknownDestination:
      return "nobody in the VPC has the address";
    case DropReason::kNoNeighbour:
      return "next hop does not answer";
    case DropReason::kWrongNeighbour:
      return "neighbour entry with another one's MAC address";
    case DropReason::kNoFdbEntry:
      return "no FDB entry";
    case DropReason::kNoDevice:
      return "device missing or down";
    case DropReason::kNotReceived:
      return "receiver does not have the address";
    case DropReason::kHopLimit:
      break;
  }
  return "hop limit";
}

std::string RenderWalk(const WalkResult& result, const std::map<std::string, std::string>& names) {
  const auto place_of = [&](const WalkStep& step) -> std::string {
    if (step.node.empty()) return "outside";
    if (step.netns.empty()) return step.node;
    const auto name = names.find(step.netns);
    return step.node + "/" + (name == names.end() ? step.netns : name->second);
  };
  size_t width = 24;
  for (const WalkStep& step : result.steps) width = std::max(width, place_of(step).size());
  std::string out;
  const auto to = std::back_inserter(out);
  for (const WalkStep& step : result.steps) {
    fmt::format_to(to, "{:<{}} ", place_of(step), width);
    switch (step.kind) {
      case WalkStep::Kind::kLookup: {
        fmt::format_to(to, "route   {} -> {}; rule {} of {} checked; {}", step.packet.src,
                       step.packet.dst, step.rule ? RuleInSentence(*step.rule) : "none",
                       step.rules_checked,
                       step.route  ? RouteInSentence(step.route->key, step.route->value)
                       : step.rule ? "local"
                                   : "no route");
        break;
      }
      case WalkStep::Kind::kNetfilter:
        fmt::format_to(to, "filter  {} {}: {} rules", step.table->table, step.table->chain,
                       step.table->rules_checked);
        for (const std::string& effect : step.table->effects) fmt::format_to(to, "; {}", effect);
        break;
      case WalkStep::Kind::kFragment:
        fmt::format_to(to, "split   {} bytes for {}", step.size, step.dev);
        break;
      case WalkStep::Kind::kEncapsulate:
        fmt::format_to(to, "wrap    {} {} -> {}, {} bytes", step.packet.protocol, step.packet.src,
                       step.packet.dst, step.size);
        break;
      case WalkStep::Kind::kDecapsulate:
        fmt::format_to(to, "unwrap  {}", step.dev);
        break;
      case WalkStep::Kind::kTransmit:
        fmt::format_to(to, "send    {}", step.dev);
        break;
      case WalkStep::Kind::kDelivered:
        fmt::format_to(to, "arrived {} -> {}", step.packet.src, step.packet.dst);
        break;
      case WalkStep::Kind::kDropped:
        fmt::format_to(to, "lost    {}", DropReasonName(step.dropped));
        break;
    }
    out += '\n';
  }
  return out;
}

}  // namespace cnisim
