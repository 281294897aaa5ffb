#include "sim/dataplane/queue_network.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace cnisim {
namespace {

constexpr double kMaxRate = 1e9;  // one a nanosecond

bool IsIndex(uint32_t index, size_t size) { return index == kNone || index < size; }

std::string_view WrongWithVisit(const QueueNetwork& network, const Visit& visit) {
  if (visit.station >= network.stations.size()) return "there is no such station";
  if (!IsIndex(visit.distribution, network.distributions.size())) {
    return "there is no such distribution";
  }
  if (visit.service_ns < 0) return "the fixed service time is negative";
  return {};
}

bool TakesTime(const QueueNetwork& network, uint32_t distribution) {
  return distribution != kNone && network.distributions[distribution].ComputeMoments().mean > 0;
}

// Assumes that the visits are in order.
std::string_view WrongWithClass(const QueueNetwork& network, const RequestClass& c) {
  if (c.group >= network.groups.size()) return "there is no such group";
  if (uint64_t{c.first_visit} + c.visit_count > network.visits.size()) {
    return "there are no such visits";
  }
  if (const auto* open = std::get_if<OpenLoop>(&c.load)) {
    if (!(open->requests_per_second >= 0 && open->requests_per_second <= kMaxRate)) {
      return "the rate must be between 0 and 1e9 a second";
    }
    return {};
  }
  const auto& closed = std::get<ClosedLoop>(c.load);
  if (!IsIndex(closed.think_time, network.distributions.size())) {
    return "there is no such think time";
  }
  const auto visits = network.VisitsOf(c);
  const bool takes_time = TakesTime(network, closed.think_time) ||
                          std::any_of(visits.begin(), visits.end(), [&](const Visit& visit) {
                            return visit.service_ns > 0 || TakesTime(network, visit.distribution);
                          });
  if (!takes_time) return "users of a closed class need no time at all";
  return {};
}

tl::unexpected<Error> Invalid(std::string message) {
  return Fail("InvalidQueueNetwork", std::move(message));
}

}  // namespace

Status Check(const QueueNetwork& network) {
  for (size_t i = 0; i < network.visits.size(); ++i) {
    const std::string_view wrong = WrongWithVisit(network, network.visits[i]);
    if (!wrong.empty()) return Invalid(fmt::format("visit {}: {}", i, wrong));
  }
  std::vector<uint64_t> keys;
  keys.reserve(network.classes.size());
  for (size_t i = 0; i < network.classes.size(); ++i) {
    const std::string_view wrong = WrongWithClass(network, network.classes[i]);
    if (!wrong.empty()) return Invalid(fmt::format("class {}: {}", i, wrong));
    keys.push_back(network.classes[i].key);
  }
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) return Invalid(fmt::format("two classes have the key {}", *twice));
  return {};
}

}  // namespace cnisim
