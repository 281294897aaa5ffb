#include "sim/engine/event_queue.h"

#include <algorithm>

namespace cnisim {
namespace {

void SortEvents(std::vector<Event>& events) {
  constexpr size_t kInsertionSortMax = 40;
  if (events.size() > kInsertionSortMax) {
    std::sort(events.begin(), events.end());
    return;
  }
  for (size_t i = 1; i < events.size(); ++i) {
    const Event event = events[i];
    size_t hole = i;
    for (; hole > 0 && event < events[hole - 1]; --hole) events[hole] = events[hole - 1];
    events[hole] = event;
  }
}

}  // namespace

void EventQueue::AllocateBlock() {
  blocks_.push_back(std::make_unique_for_overwrite<Chunk[]>(kChunksPerBlock));
  for (size_t i = kChunksPerBlock; i-- > 0;) FreeChunk(&blocks_.back()[i]);
}

EventQueue::Bucket EventQueue::TakeBucket(int level, int digit) {
  Level& l = levels_[level];
  const Bucket bucket = l.buckets[digit];
  l.buckets[digit] = Bucket();
  l.used &= ~(uint64_t{1} << digit);
  if (l.used == 0) levels_used_ &= ~(uint32_t{1} << level);
  return bucket;
}

// Calls f for every event of a bucket that was taken, and frees its chunks.
template <typename F>
void EventQueue::Drain(Bucket bucket, F f) {
  uint32_t size = bucket.top_size;
  for (Chunk* chunk = bucket.top; chunk != nullptr; size = kChunkEvents) {
    for (uint32_t i = 0; i < size; ++i) f(chunk->events[i]);
    Chunk* next = chunk->next;
    FreeChunk(chunk);
    chunk = next;
  }
}

void EventQueue::InsertInFront(const Event& event) {
  if (front_.size() - head_ >= kFrontMax && front_[head_].time != front_.back().time) {
    ScatterFront();
    if (Bits(event.time) > horizon_) {
      Insert(event);
      return;
    }
  }
  if (head_ >= kFrontMax && head_ >= front_.size() - head_) {
    front_.erase(front_.begin(), front_.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
  }
  const auto first = front_.begin() + static_cast<ptrdiff_t>(head_);
  if (first == front_.end() || front_.back() < event) {
    front_.push_back(event);
    return;
  }
  const auto at = std::lower_bound(first, front_.end(), event);
  // Used-up slots before the head let the shorter side move.
  if (head_ > 0 && at - first < front_.end() - at) {
    std::move(first, at, first - 1);
    *(at - 1) = event;
    --head_;
  } else {
    front_.insert(at, event);
  }
}

// Puts the events of a long front back into buckets and takes those that come first.
//
// All of the front lies in the range of times that the horizon was last moved over, in which no
// bucket is in use; so the horizon may move back inside it.
void EventQueue::ScatterFront() {
  const int level = LevelOf(Bits(front_[head_].time) ^ Bits(front_.back().time));
  for (size_t i = head_; i < front_.size(); ++i) {
    AddToBucket(level, DigitOf(Bits(front_[i].time), level), front_[i]);
  }
  TakeFirst();
}

// Refills an empty front, unless the first event is later than `limit`: then nothing moves, so that
// the horizon never runs ahead of where the next push may be.
bool EventQueue::Refill(int64_t limit) {
  front_.clear();
  head_ = 0;
  if (levels_used_ == 0) {
    horizon_ = 0;
    return false;
  }
  const int level = std::countr_zero(levels_used_);
  const int digit = std::countr_zero(levels_[level].used);
  const int shift = level * kDigitBits;
  const uint64_t above = shift + kDigitBits >= 64 ? 0 : ~uint64_t{0} << (shift + kDigitBits);
  const uint64_t start = (horizon_ & above) | (static_cast<uint64_t>(digit) << shift);
  if (start > Bits(limit)) return false;
  if (start + ((uint64_t{1} << shift) - 1) > Bits(limit)) {
    const Bucket& bucket = levels_[level].buckets[digit];
    bool due = false;
    uint32_t size = bucket.top_size;
    for (const Chunk* chunk = bucket.top; chunk != nullptr && !due; chunk = chunk->next) {
      for (uint32_t i = 0; i < size; ++i) due |= chunk->events[i].time <= limit;
      size = kChunkEvents;
    }
    if (!due) return false;
  }
  TakeFirst();
  return true;
}

// Replaces the front by the first events of the buckets, which are not empty.
void EventQueue::TakeFirst() {
  front_.clear();
  head_ = 0;
  for (;;) {
    const int level = std::countr_zero(levels_used_);
    const int digit = std::countr_zero(levels_[level].used);
    const Bucket bucket = TakeBucket(level, digit);
    const uint64_t one = Bits(bucket.top->events[0].time);
    if (bucket.top->next == nullptr) {
      front_.assign(bucket.top->events.begin(), bucket.top->events.begin() + bucket.top_size);
      FreeChunk(bucket.top);
      horizon_ = one | ((uint64_t{1} << (level * kDigitBits)) - 1);
      break;
    }
    uint64_t spread = 0;
    uint32_t size = bucket.top_size;
    for (const Chunk* chunk = bucket.top; chunk != nullptr; chunk = chunk->next) {
      for (uint32_t i = 0; i < size; ++i) spread |= Bits(chunk->events[i].time) ^ one;
      size = kChunkEvents;
    }
    if (spread == 0) {
      Drain(bucket, [this](const Event& event) { front_.push_back(event); });
      horizon_ = one;
      break;
    }
    const int finer = LevelOf(spread);
    Drain(bucket, [this, finer](const Event& event) {
      AddToBucket(finer, DigitOf(Bits(event.time), finer), event);
    });
  }
  SortEvents(front_);
}

void EventQueue::Compact() {
  const auto is_live = [this](const Event& event) { return !cancelled_.Contains(event.sequence); };
  size_t live = 0;
  for (size_t i = head_; i < front_.size(); ++i) {
    if (is_live(front_[i])) front_[live++] = front_[i];
  }
  front_.resize(live);
  head_ = 0;
  for (int level = 0; level < kLevels; ++level) {
    for (uint64_t used = levels_[level].used; used != 0; used &= used - 1) {
      const int digit = std::countr_zero(used);
      Drain(TakeBucket(level, digit), [&](const Event& event) {
        if (!is_live(event)) return;
        AddToBucket(level, digit, event);
        ++live;
      });
    }
  }
  assert(stored_ - live == cancelled_.size());
  stored_ = live;
  cancelled_.Clear();
}

}  // namespace cnisim
