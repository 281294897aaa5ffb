// What a running agent answers over HTTP: its metrics (the real one's port 61678, path /metrics)
// and its introspection (127.0.0.1:61679), each as it is at this moment. The servers are somebody
// else's. Linear in what the datastores hold.
#ifndef CNISIM_CORE_IPAM_AGENT_PAGES_H_
#define CNISIM_CORE_IPAM_AGENT_PAGES_H_

#include <string>

#include "core/ipam/agent_metrics.h"
#include "core/ipam/agent_state.h"
#include "core/ipam/introspection.h"
#include "core/ports/task.h"
#include "core/telemetry/request_counts.h"

namespace cnisim {

// `requests` is what the handlers in front of the agent received. With several network cards, the
// number of ENIs is that of the card written last (gaugesOfLastCard).
std::string MetricsPageOf(const AgentState& agent, const RequestCounts& requests,
                          const BuildInfo& build);

// Asks Kubernetes for the node if `path` is about its ENIConfig; never waits otherwise. Settings of
// the host's network that the agent does not know have their defaults.
Task<HttpReply> IntrospectionPageOf(AgentState& agent, std::string path);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_AGENT_PAGES_H_
