#include "core/ports/frame_pool.h"

#include <array>
#include <new>

namespace cnisim {
namespace {

constexpr size_t kClassBytes = 64;
constexpr size_t kClasses = 32;

#if defined(__SANITIZE_ADDRESS__)
#define CNISIM_POOL_FRAMES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CNISIM_POOL_FRAMES 0
#endif
#endif
#ifndef CNISIM_POOL_FRAMES
#define CNISIM_POOL_FRAMES 1
#endif

struct FreeFrame {
  FreeFrame* next;
};

struct FreeLists {
  std::array<FreeFrame*, kClasses> heads{};

  ~FreeLists() {
    for (FreeFrame*& head : heads) {
      while (head != nullptr) {
        FreeFrame* next = head->next;
        ::operator delete(head);
        head = next;
      }
    }
  }
};

thread_local FreeLists free_lists;

size_t ClassOf(size_t size) { return (size - 1) / kClassBytes; }

}  // namespace

void* FramePool::Allocate(size_t size) {
  const size_t c = ClassOf(size);
  if (!CNISIM_POOL_FRAMES || c >= kClasses) return ::operator new(size);
  FreeFrame*& head = free_lists.heads[c];
  if (head == nullptr) return ::operator new((c + 1) * kClassBytes);
  FreeFrame* frame = head;
  head = frame->next;
  return frame;
}

void FramePool::Free(void* frame, size_t size) {
  const size_t c = ClassOf(size);
  if (!CNISIM_POOL_FRAMES || c >= kClasses) {
    ::operator delete(frame);
    return;
  }
  free_lists.heads[c] = new (frame) FreeFrame{free_lists.heads[c]};
}

}  // namespace cnisim
