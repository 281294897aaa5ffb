// What the quirks of the real agent (core/ipam/quirks.inc) did to a cluster in one run, told at its
// end as one finding a quirk: how often it struck, on how many nodes, where and when first.
//
// Two of them show only from outside of the agents: an address that was handed to a pod while it
// should still have cooled from a pod of another node (releasesCooling), and an address kept for a
// pod that is gone (missedDelsLeak). Strikes before time zero do not count. O(1) each.
#ifndef CNISIM_SIM_CLUSTER_QUIRK_TALLY_H_
#define CNISIM_SIM_CLUSTER_QUIRK_TALLY_H_

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "core/ipam/quirks.h"
#include "core/net/ip.h"
#include "sim/cluster/cluster_context.h"

namespace cnisim {

class Node;

class QuirkTally {
 public:
  explicit QuirkTally(const ClusterContext& context) : context_(context) {}

  void Strike(Quirk quirk, const Node& node);

  // A pod of the node gets an address, and gives it back.
  void AddressTaken(IpAddress ip, const Node& node, Duration cooldown);
  void AddressReturned(IpAddress ip, const Node& node);

  void TellFindings() const;

 private:
  struct Strikes {
    int64_t times = 0;
    std::set<std::string> nodes;
    std::string first_node;
    TimePoint first;
  };
  struct Returned {
    uint32_t node;  // its index
    TimePoint at;
  };

  const ClusterContext& context_;
  std::map<std::string_view, Strikes> strikes_;  // by the quirk's name
  std::unordered_map<IpAddress, Returned> returned_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_QUIRK_TALLY_H_
