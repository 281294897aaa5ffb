// What the quirks of the real agent (core/ipam/quirks.inc) did to a cluster in one run, told at its
// end as one finding a quirk: how often it struck, on how many nodes, where and when first. Strikes
// before time zero do not count.
#ifndef CNISIM_SIM_CLUSTER_QUIRK_TALLY_H_
#define CNISIM_SIM_CLUSTER_QUIRK_TALLY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/ipam/quirks.h"
#include "sim/cluster/cluster_context.h"

namespace cnisim {

class Node;

class QuirkTally {
 public:
  explicit QuirkTally(const ClusterContext& context) : context_(context) {}

  void Strike(Quirk quirk, const Node& node);

  void TellFindings() const;

 private:
  struct Strikes {
    int64_t times = 0;
    std::set<uint32_t> nodes;  // by their index
    std::string first_node;
    TimePoint first;
  };

  const ClusterContext& context_;
  std::map<std::string_view, Strikes> strikes_;  // by the quirk's name
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_QUIRK_TALLY_H_
