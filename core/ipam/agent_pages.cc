#include "core/ipam/agent_pages.h"

#include <vector>

#include "core/ipam/eni_config.h"
#include "core/ipam/pool_snapshot.h"

namespace cnisim {
namespace {

std::vector<CardDatastore> CardsOf(const AgentState& agent) {
  std::vector<CardDatastore> cards;
  for (const auto& pool : agent.pools) cards.push_back({pool->network_card(), pool.get()});
  return cards;
}

}  // namespace

std::string MetricsPageOf(const AgentState& agent, const RequestCounts& requests,
                          const BuildInfo& build) {
  std::vector<PoolSnapshot> pools;
  for (const CardDatastore& card : CardsOf(agent)) pools.push_back(SnapshotOf(card));
  return MetricsPage(agent.metrics, requests, pools, build, agent.settings.quirks.gaugesOfLastCard);
}

Task<HttpReply> IntrospectionPageOf(AgentState& agent, std::string path) {
  Result<std::string> eni_config;
  if (path == kEniConfigsPath) eni_config = co_await MyEniConfigName(agent);
  const std::vector<CardDatastore> cards = CardsOf(agent);
  const IntrospectionSources sources{cards, agent.settings, eni_config, agent.ports.epoch};
  co_return Introspect(path, sources);
}

}  // namespace cnisim
