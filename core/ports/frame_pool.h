// Recycles coroutine frames, so that flows which start and end all the time do not allocate.
//
// Per thread, free lists by size class of 64 bytes up to 2 KiB; larger frames go to the heap.
// Memory returns to the heap when the thread ends. O(1). Under AddressSanitizer every frame is a
// heap block of its own, so that use after free is seen.
#ifndef CNISIM_CORE_PORTS_FRAME_POOL_H_
#define CNISIM_CORE_PORTS_FRAME_POOL_H_

#include <cstddef>

namespace cnisim {

class FramePool {
 public:
  static void* Allocate(size_t size);
  static void Free(void* frame, size_t size);
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_FRAME_POOL_H_
