#include "core/ipam/eni_config.h"

namespace cnisim {

std::string EniConfigName(const NodeObject& node, const AgentSettings& settings) {
  constexpr const char* kExternalLabel = "vpc.amazonaws.com/externalEniConfig";
  if (const auto it = node.labels.find(kExternalLabel); it != node.labels.end()) return it->second;
  if (const auto it = node.annotations.find(settings.eni_config_annotation);
      it != node.annotations.end()) {
    return it->second;
  }
  if (const auto it = node.labels.find(settings.eni_config_label); it != node.labels.end()) {
    return it->second;
  }
  return "default";
}

Task<Result<std::string>> MyEniConfigName(AgentState& agent) {
  const Result<NodeObject> node = co_await agent.ports.kubernetes.GetNode();
  if (!node) co_return tl::unexpected(node.error());
  co_return EniConfigName(*node, agent.settings);
}

Task<Result<EniConfig>> MyEniConfig(AgentState& agent) {
  const Result<std::string> name = co_await MyEniConfigName(agent);
  if (!name) co_return tl::unexpected(name.error());
  co_return co_await agent.ports.kubernetes.GetEniConfig(*name);
}

}  // namespace cnisim
