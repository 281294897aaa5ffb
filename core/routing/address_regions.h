// What a set of blocks tells apart: addresses that are in the same of them are of one region.
//
// A block belongs to a criterion, and a criterion may have several blocks (the members of a set).
// Two addresses are of one region if each criterion holds both or neither. Regions are numbered
// from 0; they are not contiguous, so each has several ranges. Complexity: building O(n log n) in
// the blocks times their nesting; RegionOf O(log n).
#ifndef CNISIM_CORE_ROUTING_ADDRESS_REGIONS_H_
#define CNISIM_CORE_ROUTING_ADDRESS_REGIONS_H_

#include <utility>
#include <vector>

#include "core/net/ip.h"

namespace cnisim {

class AddressRegions {
 public:
  using Criterion = int;
  // Up to the next range's first address; ascending, and the first one begins at ::.
  struct Range {
    IpAddress first;
    int region = 0;
  };

  explicit AddressRegions(std::vector<std::pair<IpCidr, Criterion>> blocks = {});

  int RegionOf(IpAddress address) const;
  int size() const { return size_; }
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
  int size_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_ADDRESS_REGIONS_H_
