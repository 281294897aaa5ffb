#include "core/rpc/local_channel.h"

#include <coroutine>
#include <utility>

namespace cnisim {
namespace {

RpcStatus Refused() { return {StatusCode::kUnavailable, "connection refused"}; }
RpcStatus Reset() { return {StatusCode::kUnavailable, "connection reset by peer"}; }

}  // namespace

// Waits for a handler, or for the end of the connection.
class [[nodiscard]] LocalChannel::PendingCall final : public Timer {
 public:
  PendingCall(LocalChannel& channel, Task<RpcStatus> handler)
      : channel_(channel), handler_(std::move(handler)) {
    channel_.pending_.push_back(this);
  }
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  ~PendingCall() {
    std::erase(channel_.pending_, this);
    if (clock_ != nullptr && waiter_) clock_->CancelTimer(timer_);
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    waiter_ = caller;
    return std::move(handler_).operator co_await().await_suspend(caller);
  }
  RpcStatus await_resume() { return clock_ != nullptr ? Reset() : handler_.TakeValue(); }

  void Abort(Clock& clock) {
    handler_ = Task<RpcStatus>();
    clock_ = &clock;
    timer_ = clock.StartTimer(clock.Now(), *this);
  }

  void Fire() override { std::exchange(waiter_, nullptr).resume(); }

 private:
  LocalChannel& channel_;
  Task<RpcStatus> handler_;
  std::coroutine_handle<> waiter_;
  Clock* clock_ = nullptr;  // once aborted
  TimerId timer_ = 0;
};

void LocalChannel::Disconnect(Clock& clock) {
  backend_ = nullptr;
  for (PendingCall* call : std::exchange(pending_, {})) call->Abort(clock);
}

Task<Status> LocalChannel::Connect(Duration) {
  if (backend_ == nullptr) co_return Fail("connect", "connection refused");
  co_return Status();
}

Task<RpcStatus> LocalChannel::Call(std::string_view method, std::string_view request,
                                   std::string* reply) {
  if (backend_ == nullptr) co_return Refused();
  co_return co_await PendingCall(*this, backend_->Handle(method, request, reply));
}

}  // namespace cnisim
