// What has to be done to a host to bring it from one state to another.
//
// The order is such that a pod which both states serve alike is served after every operation: all
// that comes is there before what goes leaves; a link before those that stand on it, a route before
// the rule that leads to it, a gateway before the route through it, a chain before the jump to it;
// what goes leaves in the opposite order. Two things cannot be had that way: a link that becomes
// another one (all but its MTU and whether it is up makes it another) takes all that is on it with
// it, and a rule that must change its place among rules of equal priority is removed and added, as
// the kernel appends. Their order is therefore left as it comes where it cannot matter.
//
// Complexity: O(size of both), but for chains that differ, which cost the product of their
// differing middles, and for rules of one priority that differ, of which every two are compared.
#ifndef CNISIM_CORE_ROUTING_HOST_DIFF_H_
#define CNISIM_CORE_ROUTING_HOST_DIFF_H_

#include <vector>

#include "core/routing/host_state.h"
#include "core/routing/operation.h"

namespace cnisim {

// Applied to `from`, in order, gives `to`; rules of equal priority that no packet can match both
// may stand in another order.
std::vector<Operation> Diff(const HostState& from, const HostState& to);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_HOST_DIFF_H_
