// What one host tells apart: which destinations, which sources, and which of its pods as senders.
//
// Exact in one direction: what is put together is treated alike by ForwardingWalk on this host.
// Only chains that a packet to a pod can come to count, so services' chains cost nothing. Cost:
// O(n log n) in the host's entries, and for each pod a comparison with each group of its node.
#ifndef CNISIM_CORE_ROUTING_HOST_DISTINCTIONS_H_
#define CNISIM_CORE_ROUTING_HOST_DISTINCTIONS_H_

#include <functional>
#include <string>
#include <vector>

#include "core/net/ip.h"
#include "core/routing/address_regions.h"
#include "core/routing/host_state.h"
#include "core/routing/vpc_fabric.h"

namespace cnisim {

// Whether there is a pod or a node in a block.
using IsInhabited = std::function<bool(const IpCidr&)>;

// Destinations, of what the host and its pods send or forward.
AddressRegions DestinationsToldApart(const HostState& host,
                                     const std::vector<const VpcInterface*>& interfaces,
                                     const IsInhabited& is_inhabited);
// Sources, of what the host forwards or receives.
AddressRegions SourcesToldApart(const HostState& host, const IsInhabited& is_inhabited);

struct SendingPod {
  std::string netns;
  IpAddress ip;
  bool alone = false;  // to be in a group of its own
};

// Pods of a host that are alike but for their names and addresses: their packets to any one
// destination meet the same fate on this host.
struct SenderGroup {
  std::vector<int> members;  // positions in what was given, ascending
  // Groups of the same number differ only by rules for their members from this one on.
  int likeness = 0;
  size_t first_own_rule = 0;  // index into the host's rules; their number if there is none
};
std::vector<SenderGroup> GroupSenders(const HostState& host, const std::vector<SendingPod>& pods,
                                      const IsInhabited& is_inhabited);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_HOST_DISTINCTIONS_H_
