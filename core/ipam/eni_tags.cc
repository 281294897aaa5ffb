#include "core/ipam/eni_tags.h"

#include "core/ipam/backoff.h"

namespace cnisim {
namespace {

constexpr BackoffRule kTag{std::chrono::milliseconds(500), std::chrono::seconds(60), 30, 2, 5};
constexpr uint64_t kSaltTag = 14;

Tags WantedTags(const AgentState& agent) {
  Tags tags = agent.settings.additional_eni_tags;
  tags[std::string(eni_tag::kInstance)] = agent.identity.instance_id;
  if (!agent.settings.cluster_name.empty()) {
    tags[std::string(eni_tag::kCluster)] = agent.settings.cluster_name;
    tags[std::string(eni_tag::kOwner)] = "amazon-vpc-cni";
  }
  return tags;
}

}  // namespace

Tags CreatedNow(const AgentState& agent) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t now = agent.ports.epoch.ToUnixNanos(agent.Now());
  // Whole seconds, as Go's time.RFC3339 has them.
  return {{std::string(eni_tag::kCreatedAt), Rfc3339(now - (now % kSecond + kSecond) % kSecond)}};
}

Tags TagsForNewEni(const AgentState& agent) {
  Tags tags = WantedTags(agent);
  tags.merge(CreatedNow(agent));
  return tags;
}

Task<Status> CreateTagsWithRetries(AgentState& agent, std::string eni_id, Tags tags) {
  Backoff backoff(kTag, agent.choice, kSaltTag);
  Status tagged;
  while (backoff.Next()) {
    tagged = co_await agent.ports.ec2.CreateTags(eni_id, tags);
    if (tagged) break;
    if (backoff.MoreToCome()) co_await agent.ports.clock.Sleep(backoff.Pause(agent.Now()));
  }
  co_return tagged;
}

Task<Status> TagEni(AgentState& agent, std::string eni_id, Tags present) {
  Tags missing = WantedTags(agent);
  std::erase_if(missing, [&](const auto& tag) {
    const auto it = present.find(tag.first);
    return it != present.end() && it->second == tag.second;
  });
  if (missing.empty()) co_return Status();
  co_return co_await CreateTagsWithRetries(agent, std::move(eni_id), std::move(missing));
}

bool ManagedByTags(const Tags& tags, std::string_view instance_id, bool manage_untagged) {
  if (const auto it = tags.find(std::string(eni_tag::kNoManage)); it != tags.end()) {
    return it->second != "true";
  }
  if (const auto it = tags.find(std::string(eni_tag::kInstance));
      it != tags.end() && it->second == instance_id) {
    return true;
  }
  return manage_untagged;
}

}  // namespace cnisim
