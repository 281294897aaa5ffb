#include "core/ipam/calico/block.h"

#include <fmt/format.h>

#include <cassert>

#include "core/ipam/calico/fnv.h"

namespace cnisim {

AllocationBlock::AllocationBlock(Ipv4Cidr cidr, std::string host, TimePoint claimed_at,
                                 const std::vector<bool>& reserved)
    : cidr_(cidr),
      host_(std::move(host)),
      claimed_at_(claimed_at),
      sequence_(static_cast<uint64_t>(claimed_at.time_since_epoch().count())),
      slots_(cidr.size()) {
  assert(cidr.length() >= kMinBlockSize);
  for (int i = 0; i < size(); ++i) {
    slots_[i].reserved = !reserved.empty() && reserved[i];
    AppendFree(i);
  }
}

const AllocationOwner* AllocationBlock::OwnerOf(int ordinal) const {
  const int16_t index = slots_[ordinal].attribute;
  if (index == kNone || attributes_[index].released_at) return nullptr;
  return &attributes_[index].owner;
}

std::optional<TimePoint> AllocationBlock::ReleasedAt(int ordinal) const {
  const int16_t index = slots_[ordinal].attribute;
  if (index == kNone) return std::nullopt;
  return attributes_[index].released_at;
}

std::vector<int> AllocationBlock::FreeOrdinals() const {
  std::vector<int> ordinals;
  for (int16_t i = free_head_; i != kNone; i = slots_[i].next_free) ordinals.push_back(i);
  return ordinals;
}

std::optional<int> AllocationBlock::Assign(const AllocationOwner& owner) {
  if (available_ == 0) return std::nullopt;
  int16_t before = kNone;
  for (int16_t i = free_head_; slots_[i].reserved; i = slots_[i].next_free) before = i;
  return TakeFreeAfter(before, owner);
}

bool AllocationBlock::AssignOrdinal(int ordinal, const AllocationOwner& owner) {
  if (slots_[ordinal].attribute != kNone) return false;
  int16_t before = kNone;
  for (int16_t i = free_head_; i != ordinal; i = slots_[i].next_free) before = i;
  TakeFreeAfter(before, owner);
  return true;
}

int AllocationBlock::TakeFreeAfter(int16_t before, const AllocationOwner& owner) {
  const int16_t ordinal = before == kNone ? free_head_ : slots_[before].next_free;
  Slot& slot = slots_[ordinal];
  (before == kNone ? free_head_ : slots_[before].next_free) = slot.next_free;
  if (free_tail_ == ordinal) free_tail_ = before;
  slot.next_free = kNone;
  AddReference(slot, owner, std::nullopt);
  slot.sequence = sequence_;
  if (!slot.reserved) --available_;
  ++allocated_;
  if (!BelongsTo(owner.node)) ++borrowed_;
  return ordinal;
}

void AllocationBlock::Release(int ordinal, TimePoint now, bool cool) {
  assert(OwnerOf(ordinal) != nullptr);
  Slot& slot = slots_[ordinal];
  if (!BelongsTo(OwnerOf(ordinal)->node)) --borrowed_;
  --allocated_;
  if (cool) {
    const AllocationOwner owner = *OwnerOf(ordinal);
    DropReference(slot);
    AddReference(slot, owner, now);
    ++cooling_;
  } else {
    DropReference(slot);
    AppendFree(ordinal);
  }
}

std::vector<int> AllocationBlock::OrdinalsOf(std::string_view handle) const {
  const uint32_t hash = Fnv1(handle);
  std::vector<int> ordinals;
  for (int i = 0; i < size(); ++i) {
    if (slots_[i].handle_hash != hash) continue;
    const AllocationOwner* owner = OwnerOf(i);
    if (owner != nullptr && owner->handle == handle) ordinals.push_back(i);
  }
  return ordinals;
}

void AllocationBlock::Reclaim(int ordinal) {
  assert(IsCooling(ordinal));
  DropReference(slots_[ordinal]);
  --cooling_;
  AppendFree(ordinal);
}

void AllocationBlock::DropAffinity() {
  host_.reset();
  borrowed_ = allocated_;
}

void AllocationBlock::AddReference(Slot& slot, const AllocationOwner& owner,
                                   std::optional<TimePoint> released_at) {
  const uint32_t hash = Fnv1(owner.handle);
  slot.handle_hash = hash;
  for (const Slot& other : slots_) {
    if (other.attribute == kNone || other.handle_hash != hash) continue;
    Attribute& attribute = attributes_[other.attribute];
    if (attribute.released_at == released_at && attribute.owner == owner) {
      ++attribute.references;
      slot.attribute = other.attribute;
      return;
    }
  }
  if (unused_attributes_.empty()) {
    unused_attributes_.push_back(static_cast<int16_t>(attributes_.size()));
    attributes_.emplace_back();
  }
  slot.attribute = unused_attributes_.back();
  unused_attributes_.pop_back();
  attributes_[slot.attribute] = Attribute{owner, released_at, 1};
}

void AllocationBlock::DropReference(Slot& slot) {
  Attribute& attribute = attributes_[slot.attribute];
  if (--attribute.references == 0) {
    attribute = Attribute{};
    unused_attributes_.push_back(slot.attribute);
  }
  slot.attribute = kNone;
}

void AllocationBlock::AppendFree(int ordinal) {
  const auto i = static_cast<int16_t>(ordinal);
  (free_tail_ == kNone ? free_head_ : slots_[free_tail_].next_free) = i;
  free_tail_ = i;
  if (!slots_[i].reserved) ++available_;
}

std::vector<std::string> AllocationBlock::CheckInvariants() const {
  std::vector<std::string> violations;
  const auto report = [&](std::string text) {
    violations.push_back(fmt::format("block {}: {}", cidr_.ToString(), text));
  };
  std::vector<int> references(attributes_.size(), 0);
  std::vector<int> places(slots_.size(), 0);
  int allocated = 0, cooling = 0, borrowed = 0, available = 0;
  int16_t last = kNone;
  size_t steps = 0;
  for (int16_t i = free_head_; i != kNone; i = slots_[i].next_free) {
    if (++steps > slots_.size()) {
      report("the free list goes in a circle");
      return violations;
    }
    ++places[i];
    if (!slots_[i].reserved) ++available;
    last = i;
  }
  if (last != free_tail_) report("the free list does not end at its tail");
  for (int i = 0; i < size(); ++i) {
    const int16_t index = slots_[i].attribute;
    if (index != kNone) {
      ++places[i];
      ++references[index];
      if (attributes_[index].released_at) {
        ++cooling;
      } else {
        ++allocated;
        if (!BelongsTo(attributes_[index].owner.node)) ++borrowed;
      }
    }
    if (places[i] != 1) report(fmt::format("ordinal {} is in {} places", i, places[i]));
  }
  for (size_t i = 0; i < attributes_.size(); ++i) {
    if (attributes_[i].references != references[i]) {
      report(fmt::format("attribute {} counts {} holders, has {}", i, attributes_[i].references,
                         references[i]));
    }
    for (size_t j = 0; j < i; ++j) {
      if (references[i] > 0 && references[j] > 0 && attributes_[i].owner == attributes_[j].owner &&
          attributes_[i].released_at == attributes_[j].released_at) {
        report(fmt::format("attributes {} and {} are equal", j, i));
      }
    }
  }
  if (allocated != allocated_ || cooling != cooling_ || borrowed != borrowed_ ||
      available != available_) {
    report(fmt::format("counts allocated/cooling/borrowed/available {}/{}/{}/{}, has {}/{}/{}/{}",
                       allocated_, cooling_, borrowed_, available_, allocated, cooling, borrowed,
                       available));
  }
  return violations;
}

}  // namespace cnisim
