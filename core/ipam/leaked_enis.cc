#include "core/ipam/leaked_enis.h"

#include "core/ipam/eni_removal.h"
#include "core/ipam/eni_tags.h"
#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

using std::chrono::seconds;

constexpr Duration kJitter = seconds(300);  // in whole seconds, so 0 to 299
constexpr Duration kPeriod = std::chrono::hours(1);
constexpr Duration kMinimumAge = std::chrono::minutes(5);
constexpr uint64_t kSaltJitter = 31;

Duration StartJitter(const AgentState& agent) {
  const Duration jitter = agent.choice.Jitter(kJitter, agent.Now(), kSaltJitter);
  return jitter - jitter % seconds(1);
}

Task<Result<std::vector<NetworkInterface>>> FindAvailable(AgentState& agent) {
  NetworkInterfaceFilter filter;
  filter.tag_key = eni_tag::kInstance;
  filter.available = true;
  filter.vpc_id = agent.identity.vpc_id;
  if (!agent.settings.cluster_name.empty()) {
    filter.tags[std::string(eni_tag::kCluster)] = agent.settings.cluster_name;
  }
  std::vector<NetworkInterface> found;
  std::string token;
  do {
    Result<NetworkInterfacePage> page =
        co_await agent.ports.ec2.FindNetworkInterfaces(filter, token);
    if (!page) co_return tl::unexpected(page.error());
    for (NetworkInterface& eni : page->interfaces) {
      if (eni.description.starts_with("aws-K8S-")) found.push_back(std::move(eni));
    }
    token = page->next_token;
  } while (!token.empty());
  co_return found;
}

// LK-2.
Task<bool> OldEnoughToDelete(AgentState& agent, NetworkInterface eni) {
  const auto tag = eni.tags.find(std::string(eni_tag::kCreatedAt));
  std::optional<int64_t> created;
  if (tag != eni.tags.end()) created = ParseRfc3339(tag->second);
  if (created) {
    co_return agent.Now() - agent.ports.epoch.FromUnixNanos(*created) >= kMinimumAge;
  }
  const Status tagged = co_await CreateTagsWithRetries(agent, eni.id, CreatedNow(agent));
  static_cast<void>(tagged);  // then it is tagged next time
  co_return tag != eni.tags.end() && agent.Strikes(&Quirks::unreadableTimeTagDeletes);
}

}  // namespace

Task<void> CleanUpLeakedEnis(AgentState& agent) {
  agent_log::LeakedEniCleanup(agent.log());
  Result<std::vector<NetworkInterface>> found = co_await FindAvailable(agent);
  if (!found) co_return;
  for (const NetworkInterface& eni : *found) {
    const bool old = co_await OldEnoughToDelete(agent, eni);
    if (!old) continue;
    const Status deleted = co_await DeleteEniWithRetries(agent, eni.id);
    // Another node may have been faster; or the next run deletes it.
    if (!deleted) {
      agent.metrics.CountAwsUtilsError(AwsUtilsError::kCleanUpLeakedDelete, deleted.error().code);
    }
  }
}

Task<void> RunLeakedEniCleanup(AgentState& agent) {
  co_await agent.ports.clock.Sleep(StartJitter(agent));
  for (;;) {
    co_await CleanUpLeakedEnis(agent);
    co_await agent.ports.clock.Sleep(kPeriod + StartJitter(agent));
  }
}

}  // namespace cnisim
