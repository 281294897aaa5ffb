#include "core/ipam/eni_enumeration.h"

#include <algorithm>

#include "core/ipam/eni_tags.h"

namespace cnisim {
namespace {

constexpr int kDescribeTries = 12;

// CA-2: an id that EC2 does not know is left out; anything else is tried again.
Task<Result<std::vector<NetworkInterface>>> DescribeEnis(AgentState& agent,
                                                         std::vector<std::string> ids) {
  Result<std::vector<NetworkInterface>> described;
  for (int tried = 0; tried < kDescribeTries; ++tried) {
    described = co_await agent.ports.ec2.DescribeNetworkInterfaces(ids);
    if (described) break;
    if (described.error().code == ec2_error::kEniNotFound) {
      // The message quotes the id that EC2 does not know: ask again without it.
      const std::string& message = described.error().message;
      std::erase_if(ids, [&](const std::string& id) {
        return message.find("'" + id + "'") != std::string::npos;
      });
    } else {
      co_await agent.ports.clock.Sleep(std::chrono::milliseconds(10) * tried);
    }
  }
  co_return described;
}

void NoteUnmanaged(AgentState& agent, const std::vector<AttachedEni>& enis) {
  // Without any tags to go by, what was unmanaged stays so (UM-2).
  const bool any_tags =
      std::ranges::any_of(enis, [](const AttachedEni& eni) { return !eni.described.tags.empty(); });
  UnmanagedEnis noted;
  if (!any_tags) noted.ids = std::move(agent.unmanaged.ids);
  std::set<int> cards_with_managed;
  std::set<int> cards_with_efa_only;
  for (const AttachedEni& eni : enis) {
    const std::string& id = eni.metadata.id;
    if (any_tags && id != agent.identity.primary_eni_id &&
        !ManagedByTags(eni.described.tags, agent.identity.instance_id,
                       agent.settings.manage_untagged_enis)) {
      noted.ids.insert(id);
    }
    if (eni.described.is_efa_only) {
      noted.efa_only.insert(id);
      cards_with_efa_only.insert(eni.metadata.network_card);
    } else if (!noted.ids.contains(id)) {
      cards_with_managed.insert(eni.metadata.network_card);
    }
  }
  for (int card = 1; card < agent.limits.network_cards; ++card) {
    const bool efa_only_card =
        cards_with_efa_only.contains(card) && !cards_with_managed.contains(card);
    if (!agent.settings.enable_multi_nic || efa_only_card) noted.cards.insert(card);
  }
  for (const AttachedEni& eni : enis) {
    const int card = eni.metadata.network_card;
    const bool counts =
        noted.ids.contains(eni.metadata.id) || noted.efa_only.contains(eni.metadata.id);
    if (counts && !noted.cards.contains(card)) ++noted.on_card[card];
  }
  agent.unmanaged = std::move(noted);
  agent.metrics.eni_max = agent.ManageableEnis();
  agent.metrics.ip_max = agent.Policy(agent.default_pool()).ips_per_eni() * agent.ManageableEnis();
}

}  // namespace

bool IsManaged(const AgentState& agent, const MetadataEni& eni) {
  return !agent.unmanaged.ids.contains(eni.id) && !agent.unmanaged.efa_only.contains(eni.id) &&
         !agent.unmanaged.cards.contains(eni.network_card);
}

Task<Result<NetworkInterface>> DescribeEni(AgentState& agent, std::string eni_id) {
  std::vector<std::string> ids{std::move(eni_id)};
  Result<std::vector<NetworkInterface>> described =
      co_await agent.ports.ec2.DescribeNetworkInterfaces(ids);
  if (!described) co_return tl::unexpected(described.error());
  if (described->empty()) co_return Fail("EmptyAnswer", "no interfaces in the answer");
  co_return std::move(described->front());
}

Task<Result<std::vector<AttachedEni>>> DescribeAllEnis(AgentState& agent) {
  Result<std::vector<MetadataEni>> enis = co_await agent.ports.metadata.GetAttachedEnis();
  if (!enis) co_return tl::unexpected(enis.error());
  std::vector<AttachedEni> result;
  if (agent.settings.imds_only) {
    for (MetadataEni& eni : *enis) {
      AttachedEni attached;
      attached.described.id = eni.id;
      attached.metadata = std::move(eni);
      result.push_back(std::move(attached));
    }
    NoteUnmanaged(agent, result);
    co_return result;
  }

  std::vector<std::string> ids;
  for (const MetadataEni& eni : *enis) ids.push_back(eni.id);
  Result<std::vector<NetworkInterface>> described = co_await DescribeEnis(agent, std::move(ids));
  if (!described) co_return tl::unexpected(described.error());
  for (MetadataEni& eni : *enis) {
    const auto it = std::ranges::find(*described, eni.id, &NetworkInterface::id);
    if (it == described->end()) continue;
    if (!eni.has_addresses && !it->is_efa_only) {
      ++agent.metrics.api_errors[{"IMDSMetaDataOutOfSync", "MetadataOutOfSync"}];
      co_return Fail("MetadataOutOfSync", "metadata shows no address of " + eni.id);
    }
    if (eni.device_number == 0 && eni.network_card == 0) {
      agent.connection_tracking = it->connection_tracking;
    }
    result.push_back({std::move(eni), std::move(*it)});
  }
  NoteUnmanaged(agent, result);
  co_return result;
}

}  // namespace cnisim
