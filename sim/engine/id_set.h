// A set of nonzero 64-bit ids: the cancelled timers that the event queue has yet to meet.
//
// Open addressing with linear probing, at most half full; erasing shifts the run back, so there are
// no markers and the table never degrades. Insert, Erase and Contains are O(1) on average. The
// table doubles and does not shrink; it is never iterated, so its layout cannot be observed.
#ifndef CNISIM_SIM_ENGINE_ID_SET_H_
#define CNISIM_SIM_ENGINE_ID_SET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/net/hash.h"

namespace cnisim {

class IdSet {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  bool Contains(uint64_t id) const { return size_ != 0 && slots_[Find(id)] == id; }

  // `id` is not 0. False if it was there already.
  bool Insert(uint64_t id) {
    if (2 * (size_ + 1) > slots_.size()) Grow();
    const size_t i = Find(id);
    if (slots_[i] == id) return false;
    slots_[i] = id;
    ++size_;
    return true;
  }

  // False if it was not there.
  bool Erase(uint64_t id) {
    if (size_ == 0) return false;
    size_t hole = Find(id);
    if (slots_[hole] != id) return false;
    // An entry moves into the hole if the hole lies on its way from its home slot.
    for (size_t i = Next(hole); slots_[i] != 0; i = Next(i)) {
      if (((i - Home(slots_[i])) & mask()) >= ((i - hole) & mask())) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = 0;
    --size_;
    return true;
  }

  void Clear() {
    std::fill(slots_.begin(), slots_.end(), 0);
    size_ = 0;
  }

 private:
  size_t mask() const { return slots_.size() - 1; }
  size_t Home(uint64_t id) const { return static_cast<size_t>(HashMix(id)) & mask(); }
  size_t Next(size_t i) const { return (i + 1) & mask(); }

  // The slot of `id`, or the free slot where it belongs.
  size_t Find(uint64_t id) const {
    size_t i = Home(id);
    while (slots_[i] != 0 && slots_[i] != id) i = Next(i);
    return i;
  }

  void Grow() {
    std::vector<uint64_t> old(std::max<size_t>(64, 2 * slots_.size()));
    old.swap(slots_);
    for (const uint64_t id : old) {
      if (id != 0) slots_[Find(id)] = id;
    }
  }

  std::vector<uint64_t> slots_;
  size_t size_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_ENGINE_ID_SET_H_
