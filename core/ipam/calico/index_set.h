// A set of the numbers 0..n-1 that finds the next member after any number, going round at the end.
//
// A tree of 64-bit words: a bit of one level says whether a word of the level below has any bit
// set. Every operation is O(log64 n); memory is about n/8 bytes. Single-threaded.
#ifndef CNISIM_CORE_IPAM_CALICO_INDEX_SET_H_
#define CNISIM_CORE_IPAM_CALICO_INDEX_SET_H_

#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

namespace cnisim {

class IndexSet {
 public:
  // Empty; members will be below `size`, which is positive.
  explicit IndexSet(uint32_t size) : size_(size) {
    uint32_t words = size;
    do {
      words = (words + 63) / 64;
      levels_.emplace_back(words, 0);
    } while (words > 1);
  }

  bool Contains(uint32_t i) const { return levels_[0][i / 64] >> (i % 64) & 1; }

  void Insert(uint32_t i) {
    for (auto& level : levels_) {
      level[i / 64] |= uint64_t{1} << (i % 64);
      i /= 64;
    }
  }

  void Erase(uint32_t i) {
    for (auto& level : levels_) {
      level[i / 64] &= ~(uint64_t{1} << (i % 64));
      if (level[i / 64] != 0) return;
      i /= 64;
    }
  }

  void Set(uint32_t i, bool member) { member ? Insert(i) : Erase(i); }

  // The smallest member that is at least `i`.
  std::optional<uint32_t> NextFrom(uint32_t i) const {
    if (i >= size_) return std::nullopt;
    for (size_t depth = 0; depth < levels_.size(); ++depth) {
      const uint32_t word = i / 64;
      if (word >= levels_[depth].size()) return std::nullopt;
      const uint64_t bits = levels_[depth][word] & (~uint64_t{0} << (i % 64));
      if (bits != 0) {
        i = word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
        while (depth-- > 0) i = i * 64 + static_cast<uint32_t>(std::countr_zero(levels_[depth][i]));
        return i;
      }
      i = word + 1;
    }
    return std::nullopt;
  }

  // The first member met on a walk from `start` upwards and round.
  std::optional<uint32_t> NextRound(uint32_t start) const {
    const auto next = NextFrom(start);
    return next ? next : NextFrom(0);
  }

 private:
  uint32_t size_;
  std::vector<std::vector<uint64_t>> levels_;  // from the members themselves to the root
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CALICO_INDEX_SET_H_
