// The pending events of a simulation, popped in strict (time, sequence) order.
//
// A monotone multi-level bucket queue (Denardo and Fox 1979) with a small sorted front, as in a
// ladder queue. `horizon_` is a time up to which every event sits in `front_`, sorted. A later
// event sits in the bucket (level, digit) of the highest base-2^kDigitBits digit in which its time
// differs from the horizon, so all events of a lower level come before those of a higher one. When
// the front is used up, the first bucket is scattered over the next lower digits until what comes
// first fits one chunk; that chunk is sorted and becomes the new front.
//
// Sequence: the tie-break among events of one time, and the id by which a timer is cancelled.
//  - ordinary: 2^63 + counter, so in the order of pushing and after every keyed event;
//  - keyed: key * 2^31 + counter, so by key. Events of equal time and key fire in the order of
//    pushing (until the counter wraps after 2^31 keyed pushes).
//
// Cancelling puts the id into a set that is looked at only when it is not empty; a cancelled Timer
// is never touched again. When cancelled events outnumber the live ones (and kCompactAbove), all
// are dropped, so memory is O(live events).
//
// Invariants
//  - A push is never earlier than the last popped time, nor than the limit of a PopUntil that left
//    events in the queue.
//  - Between calls, every event in the front is at or before horizon_, every other one after it.
//
// Cost: push and pop are O(1) for the usual spread of times and at most one move per digit
// (64 / kDigitBits) otherwise, plus the share in sorting one chunk. A keyed push at a time that has
// a long front already, in the middle of it, moves part of the front: O(ties). Cancel: O(1)
// amortised. Memory: 24.25 bytes per event in chunks that are reused, plus at most one chunk
// (kChunkEvents) per bucket in use. Steady state does not allocate.
#ifndef CNISIM_SIM_ENGINE_EVENT_QUEUE_H_
#define CNISIM_SIM_ENGINE_EVENT_QUEUE_H_

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/ports/clock.h"
#include "sim/engine/id_set.h"

namespace cnisim {

struct Event {
  int64_t time = 0;  // nanoseconds
  uint64_t sequence = 0;
  Timer* timer = nullptr;

  friend bool operator<(const Event& a, const Event& b) {
    return a.time != b.time ? a.time < b.time : a.sequence < b.sequence;
  }
};
static_assert(sizeof(Event) == 24);

class EventQueue {
 public:
  EventQueue() = default;
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // Both return the event's sequence, which is its id.
  uint64_t Push(int64_t time, Timer& timer) {
    const uint64_t sequence = kOrdinary | ++ordinary_count_;
    ++stored_;
    Insert(Event{time, sequence, &timer});
    return sequence;
  }
  uint64_t PushKeyed(int64_t time, uint32_t key, Timer& timer) {
    keyed_count_ = keyed_count_ == kKeyedCountMax ? 1 : keyed_count_ + 1;
    const uint64_t sequence = uint64_t{key} << kKeyedCountBits | keyed_count_;
    ++stored_;
    Insert(Event{time, sequence, &timer});
    return sequence;
  }

  // Drops a pending event.
  void Cancel(uint64_t id) {
    cancelled_.Insert(id);
    if (cancelled_.size() > kCompactAbove && 2 * cancelled_.size() > stored_) Compact();
  }

  // Takes the first event if its time is at most `limit`.
  bool PopUntil(int64_t limit, Event& event) {
    for (;;) {
      if (head_ == front_.size() && !Refill(limit)) return false;
      const Event& first = front_[head_];
      if (first.time > limit) return false;
      event = first;
      ++head_;
      --stored_;
      // The next timers' objects are often far away in memory: fetch them while this one works.
      if (head_ + kPrefetchAhead <= front_.size()) {
        __builtin_prefetch(front_[head_ + kPrefetchAhead - 1].timer, 1);
      }
      if (cancelled_.empty() || !cancelled_.Erase(event.sequence)) return true;
    }
  }

  // Pending events, without the cancelled ones.
  size_t size() const { return stored_ - cancelled_.size(); }
  // Events in memory, with the cancelled ones that are still there.
  size_t stored() const { return stored_; }

 private:
  static constexpr uint64_t kOrdinary = uint64_t{1} << 63;
  static constexpr int kKeyedCountBits = 31;
  static constexpr uint32_t kKeyedCountMax = (uint32_t{1} << kKeyedCountBits) - 1;

  // Chosen by measurement with tools/bench/bench_phold.
  static constexpr int kDigitBits = 5;
  static constexpr uint32_t kChunkEvents = 31;
  static constexpr size_t kFrontMax =
      size_t{2} * kChunkEvents;  // a longer front is scattered again
  static constexpr size_t kPrefetchAhead = 4;
  static constexpr size_t kCompactAbove = 64;
  static constexpr size_t kChunksPerBlock = 64;

  static constexpr int kLevels = (64 + kDigitBits - 1) / kDigitBits;
  static constexpr int kDigits = 1 << kDigitBits;

  struct Chunk {
    Chunk* next;
    std::array<Event, kChunkEvents> events;
  };
  // A stack of chunks; all but the top one are full.
  struct Bucket {
    Chunk* top = nullptr;
    uint32_t top_size = 0;
  };
  struct Level {
    uint64_t used = 0;  // bit d: bucket d is not empty
    std::array<Bucket, kDigits> buckets;
  };

  // Unsigned with the order of int64, so that digits work for times before zero.
  static constexpr uint64_t Bits(int64_t time) { return static_cast<uint64_t>(time) ^ kOrdinary; }
  static constexpr std::array<uint8_t, 64> kLevelOfBit = [] {
    std::array<uint8_t, 64> level{};
    for (int i = 0; i < 64; ++i) level[i] = static_cast<uint8_t>(i / kDigitBits);
    return level;
  }();
  // The level of the highest digit that is set in `difference` != 0.
  static int LevelOf(uint64_t difference) { return kLevelOfBit[63 - std::countl_zero(difference)]; }
  static int DigitOf(uint64_t bits, int level) {
    return static_cast<int>(bits >> (level * kDigitBits)) & (kDigits - 1);
  }

  void Insert(const Event& event) {
    const uint64_t bits = Bits(event.time);
    if (bits > horizon_) {
      const int level = LevelOf(bits ^ horizon_);
      AddToBucket(level, DigitOf(bits, level), event);
    } else {
      InsertInFront(event);
    }
  }

  void AddToBucket(int level, int digit, const Event& event) {
    Level& l = levels_[level];
    Bucket& bucket = l.buckets[digit];
    if (bucket.top == nullptr) {
      l.used |= uint64_t{1} << digit;
      levels_used_ |= uint32_t{1} << level;
      AddChunk(bucket);
    } else if (bucket.top_size == kChunkEvents) {
      AddChunk(bucket);
    }
    bucket.top->events[bucket.top_size++] = event;
  }

  void AddChunk(Bucket& bucket) {
    if (free_ == nullptr) AllocateBlock();
    Chunk* chunk = free_;
    free_ = chunk->next;
    chunk->next = bucket.top;
    bucket.top = chunk;
    bucket.top_size = 0;
  }
  void FreeChunk(Chunk* chunk) {
    chunk->next = free_;
    free_ = chunk;
  }

  void AllocateBlock();
  Bucket TakeBucket(int level, int digit);
  template <typename F>
  void Drain(Bucket bucket, F f);
  void InsertInFront(const Event& event);
  void ScatterFront();
  bool Refill(int64_t limit);
  void TakeFirst();
  void Compact();

  uint64_t horizon_ = 0;
  size_t head_ = 0;           // front_[head_ ..] is pending
  std::vector<Event> front_;  // sorted
  size_t stored_ = 0;
  uint64_t ordinary_count_ = 0;
  uint32_t keyed_count_ = 0;
  uint32_t levels_used_ = 0;  // bit l: levels_[l].used != 0
  Chunk* free_ = nullptr;
  IdSet cancelled_;
  std::array<Level, kLevels> levels_;
  std::vector<std::unique_ptr<Chunk[]>> blocks_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_ENGINE_EVENT_QUEUE_H_
