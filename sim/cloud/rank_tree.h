// Counts at dense indices, with "which index holds the k-th thing" (a Fenwick tree, 1994).
//
// Four bytes an index; O(n) to build, O(log n) to change and to find.
#ifndef CNISIM_SIM_CLOUD_RANK_TREE_H_
#define CNISIM_SIM_CLOUD_RANK_TREE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cnisim {

class RankTree {
 public:
  explicit RankTree(const std::vector<uint32_t>& counts) : sums_(counts.size() + 1) {
    for (size_t i = 1; i < sums_.size(); ++i) {
      sums_[i] += counts[i - 1];
      total_ += counts[i - 1];
      const size_t parent = i + (i & -i);
      if (parent < sums_.size()) sums_[parent] += sums_[i];
    }
  }

  uint64_t total() const { return total_; }

  // The count at `index` changes by `by`; it must not become negative.
  void Add(size_t index, int by) {
    total_ += static_cast<uint64_t>(static_cast<int64_t>(by));
    for (size_t i = index + 1; i < sums_.size(); i += i & -i) {
      sums_[i] += static_cast<uint32_t>(by);
    }
  }

  struct Position {
    size_t index = 0;
    uint32_t offset = 0;  // among the things at this index
  };
  // Where thing number `rank` is, counting from 0 in index order. Requires rank < total().
  Position Find(uint64_t rank) const {
    size_t at = 0;
    for (size_t step = std::bit_floor(sums_.size()); step > 0; step /= 2) {
      const size_t next = at + step;
      if (next < sums_.size() && sums_[next] <= rank) {
        at = next;
        rank -= sums_[next];
      }
    }
    return {at, static_cast<uint32_t>(rank)};
  }

 private:
  std::vector<uint32_t> sums_;  // sums_[i] covers the (i & -i) indices before i
  uint64_t total_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_RANK_TREE_H_
