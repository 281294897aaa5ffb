#include "core/ports/frame_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace cnisim {
namespace {

struct Frame {
  unsigned char* memory;
  size_t size;
  unsigned char mark;
};

Frame Take(size_t size, unsigned char mark) {
  auto* memory = static_cast<unsigned char*>(FramePool::Allocate(size));
  std::memset(memory, mark, size);
  return {memory, size, mark};
}

bool Intact(const Frame& frame) {
  return std::all_of(frame.memory, frame.memory + frame.size,
                     [&](unsigned char byte) { return byte == frame.mark; });
}

// Frames of all sizes around the classes and beyond the pooled ones, taken and given back in a
// scrambled order: none overlaps another, and all are aligned.
TEST(FramePool, FramesNeverOverlap) {
  std::vector<Frame> frames;
  uint64_t state = 1;
  for (int round = 0; round < 20000; ++round) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t draw = state >> 33;
    if (frames.size() < 40 || draw % 2 == 0) {
      const size_t size = 1 + draw / 2 % 2200;
      frames.push_back(Take(size, static_cast<unsigned char>(round)));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(frames.back().memory) % alignof(std::max_align_t), 0u);
    } else {
      std::swap(frames[draw / 2 % frames.size()], frames.back());
      ASSERT_TRUE(Intact(frames.back()));
      FramePool::Free(frames.back().memory, frames.back().size);
      frames.pop_back();
    }
  }
  for (const Frame& frame : frames) {
    EXPECT_TRUE(Intact(frame));
    FramePool::Free(frame.memory, frame.size);
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__has_feature)
TEST(FramePool, AFreedFrameIsUsedAgain) {
  void* first = FramePool::Allocate(100);
  FramePool::Free(first, 100);
  void* second = FramePool::Allocate(128);  // of the same class
  EXPECT_EQ(first, second);
  FramePool::Free(second, 128);
}
#endif

// A frame may end its life on another thread, and threads end with full lists.
TEST(FramePool, EveryThreadHasListsOfItsOwn) {
  void* handed_over = FramePool::Allocate(100);
  std::thread other([handed_over] {
    void* own = FramePool::Allocate(100);
    EXPECT_NE(own, handed_over);
    FramePool::Free(own, 100);
    FramePool::Free(handed_over, 100);
  });
  other.join();
  void* mine = FramePool::Allocate(100);
  FramePool::Free(mine, 100);
}

}  // namespace
}  // namespace cnisim
