// Task<T>: a lazy coroutine, the form of every core flow that waits.
//
//   Task<Result<int>> Fetch();                     // body starts when awaited
//   Result<int> r = co_await Fetch();              // resumes here when Fetch returns
//   Task<void> loop = Loop();  loop.Start();       // the owner of a top-level flow
//
// Invariants
//  - A Task owns its frame. Destroying a Task that has not finished destroys the frame, and with it
//    every Task and awaiter that it is waiting on: this is how a process is killed. Awaiters must
//    therefore deregister themselves in their destructor.
//  - A task is awaited or started at most once.
//  - Errors are values; an exception that leaves a task body ends the program.
//  - Single-threaded: a task is resumed only by the thread that started it.
// Awaiting transfers control symmetrically, so chains of any length use constant stack. Frames come
// from a free list (frame_pool.h): steady-state flows do not allocate.
//
// GCC 12 destroys some temporaries twice when a braced aggregate is written inside a co_await
// expression, or both operands of ?: are co_await expressions; build requests in a named local
// first, and branch with if.
#ifndef CNISIM_CORE_PORTS_TASK_H_
#define CNISIM_CORE_PORTS_TASK_H_

#include <cassert>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "core/ports/frame_pool.h"

namespace cnisim {

template <typename T>
class Task;

namespace task_internal {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() { std::terminate(); }

  static void* operator new(size_t size) { return FramePool::Allocate(size); }
  static void operator delete(void* frame, size_t size) { FramePool::Free(frame, size); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T TakeValue() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void TakeValue() {}
};

}  // namespace task_internal

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = task_internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { Destroy(); }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  bool done() const { return handle_ && handle_.done(); }

  // Runs a top-level task up to its first wait. The caller keeps it alive until done().
  void Start() {
    assert(handle_ && !handle_.done());
    handle_.resume();
  }

  // The value of a task that is done(); at most once.
  T TakeValue() {
    assert(done());
    return handle_.promise().TakeValue();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle handle;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) const noexcept {
        handle.promise().continuation = caller;
        return handle;
      }
      T await_resume() const { return handle.promise().TakeValue(); }
    };
    assert(handle_);
    return Awaiter{handle_};
  }

 private:
  void Destroy() {
    if (handle_) handle_.destroy();
    handle_ = nullptr;
  }

  Handle handle_;
};

namespace task_internal {

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace task_internal
}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_TASK_H_
