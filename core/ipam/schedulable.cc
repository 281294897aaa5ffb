#include "core/ipam/schedulable.h"

#include <algorithm>

namespace cnisim {

Task<bool> MayChangeEnis(AgentState& agent) {
  if (agent.terminating) co_return false;
  if (agent.settings.manage_enis_non_schedulable) co_return true;
  const Result<NodeObject> node = co_await agent.ports.kubernetes.GetNode();
  if (!node) co_return true;  // taken to be schedulable
  co_return std::ranges::none_of(node->taints, [](const Taint& taint) {
    return taint.key == "node.kubernetes.io/unschedulable" && taint.effect == "NoSchedule";
  });
}

}  // namespace cnisim
