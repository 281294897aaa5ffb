// The tags by which the agent knows its own ENIs (UM-1, CA-6 and section 4.2 step 2 of the rules;
// amazon-vpc-cni-k8s v1.23.1, pkg/awsutils).
#ifndef CNISIM_CORE_IPAM_ENI_TAGS_H_
#define CNISIM_CORE_IPAM_ENI_TAGS_H_

#include <string>
#include <string_view>

#include "core/ipam/agent_state.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

namespace eni_tag {
inline constexpr std::string_view kInstance = "node.k8s.amazonaws.com/instance_id";
inline constexpr std::string_view kCreatedAt = "node.k8s.amazonaws.com/createdAt";
inline constexpr std::string_view kNoManage = "node.k8s.amazonaws.com/no_manage";
inline constexpr std::string_view kCluster = "cluster.k8s.amazonaws.com/name";
inline constexpr std::string_view kOwner = "eks:eni:owner";
}  // namespace eni_tag

// What an ENI is created with: what every ENI of the node must have, and when that was.
Tags TagsForNewEni(const AgentState& agent);

// The tag that says when an ENI was made, with the current time.
Tags CreatedNow(const AgentState& agent);

// Gives an ENI those of the node's tags that it lacks.
Task<Status> TagEni(AgentState& agent, std::string eni_id, Tags present);

// CreateTags, tried up to five times.
Task<Status> CreateTagsWithRetries(AgentState& agent, std::string eni_id, Tags tags);

// UM-1, given that it is not the primary ENI.
bool ManagedByTags(const Tags& tags, std::string_view instance_id, bool manage_untagged);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_ENI_TAGS_H_
