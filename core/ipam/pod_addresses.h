// What happens when a pod is added, and when it goes: its address on the node's network cards (NC-4
// and NC-5, DL-1 and DL-2 of the rules; amazon-vpc-cni-k8s v1.23.1, pkg/ipamd). Which address it
// is, the datastore decides (datastore.h).
#ifndef CNISIM_CORE_IPAM_POD_ADDRESSES_H_
#define CNISIM_CORE_IPAM_POD_ADDRESSES_H_

#include <vector>

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"

namespace cnisim {

// One address from the first card that has one, in the order of the cards; or one from every card,
// where the first error counts and what was taken before it stays assigned until a DEL. Never
// waits. May be empty (lastCardByIndex).
Result<std::vector<PodAddress>> AssignPodAddresses(AgentState& agent, const IpamKey& key,
                                                   IpamMetadata metadata, bool every_card);

struct ReleasedOnCard {
  Datastore* pool;
  ReleasedAddress released;
};
// Everything the pod had; kUnknownPod if it had nothing.
Result<std::vector<ReleasedOnCard>> UnassignPodAddresses(AgentState& agent, const IpamKey& key);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_POD_ADDRESSES_H_
