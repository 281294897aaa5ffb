// One value handed from whoever completes an operation to the one coroutine that waits for it.
//
//   OneShot<Response> reply;                       // copies share one state
//   simulation.Call(at, [reply]() mutable { reply.Complete(Response()); });
//   Response response = co_await reply.Wait();
//
// Completing and waiting may come in either order, each once. A flow that is destroyed while it
// waits simply never receives the value, and the state lives until the last copy is gone, so the
// completer may outlive the waiter and the other way round. A state that is never completed never
// resumes its waiter.
//
// Complete resumes the waiter before it returns: make it the last thing that an event does.
// Single-threaded. O(1); memory comes from the frame pool.
#ifndef CNISIM_SIM_ENGINE_ONE_SHOT_H_
#define CNISIM_SIM_ENGINE_ONE_SHOT_H_

#include <cassert>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/ports/frame_pool.h"

namespace cnisim {

template <typename T>
class OneShot {
 public:
  OneShot() : state_(new State) {}
  OneShot(const OneShot& other) : state_(other.state_) { ++state_->references; }
  OneShot(OneShot&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  OneShot& operator=(OneShot other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~OneShot() {
    if (state_ != nullptr && --state_->references == 0) delete state_;
  }

  void Complete(T value) {
    assert(!state_->completed);
    state_->completed = true;
    state_->value.emplace(std::move(value));
    if (const auto waiter = std::exchange(state_->waiter, nullptr)) waiter.resume();
  }
  bool completed() const { return state_->completed; }

  class [[nodiscard]] Awaiter;
  Awaiter Wait() { return Awaiter(*this); }

 private:
  struct State {
    static void* operator new(size_t size) { return FramePool::Allocate(size); }
    static void operator delete(void* state, size_t size) { FramePool::Free(state, size); }

    std::optional<T> value;
    std::coroutine_handle<> waiter;
    uint32_t references = 1;
    bool completed = false;
  };

  State* state_;
};

template <typename T>
class [[nodiscard]] OneShot<T>::Awaiter {
 public:
  explicit Awaiter(OneShot one_shot) : one_shot_(std::move(one_shot)) {}
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;
  ~Awaiter() { one_shot_.state_->waiter = nullptr; }

  bool await_ready() const noexcept { return one_shot_.state_->completed; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    assert(!one_shot_.state_->waiter);
    one_shot_.state_->waiter = waiter;
  }
  T await_resume() {
    T value = std::move(*one_shot_.state_->value);
    one_shot_.state_->value.reset();
    return value;
  }

 private:
  OneShot one_shot_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_ENGINE_ONE_SHOT_H_
