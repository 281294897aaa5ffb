// Brings the datastore back in line with what is attached to the instance (rules RC-1 to RC-8).
//
// Metadata is read first and EC2 asked only where they differ, so a node in sync makes no EC2 call.
#ifndef CNISIM_CORE_IPAM_RECONCILER_H_
#define CNISIM_CORE_IPAM_RECONCILER_H_

#include "core/ipam/agent_state.h"
#include "core/ports/task.h"

namespace cnisim {

// More than 60 s since the last pool action or completed reconcile; or a trunk is awaited.
bool ReconcileDue(const AgentState& agent);

// A reconcile would look twice even at what metadata and the datastore agree on: an address came
// back that had been released (RC-5).
bool ReconcileWouldVerify(const AgentState& agent);

// One reconcile. If metadata cannot be read, or a new ENI not be described, it is aborted and stays
// due.
Task<void> Reconcile(AgentState& agent);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_RECONCILER_H_
