// A channel straight into a backend of the same process.
#ifndef CNISIM_CORE_RPC_LOCAL_CHANNEL_H_
#define CNISIM_CORE_RPC_LOCAL_CHANNEL_H_

#include <string>
#include <string_view>

#include "core/rpc/backend.h"
#include "core/rpc/rpc_channel.h"

namespace cnisim {

class LocalChannel final : public RpcChannel {
 public:
  // While there is no backend, calls fail as on a socket that nobody listens on. The backend must
  // outlive calls that are under way.
  void set_backend(Backend* backend) { backend_ = backend; }

  Task<Status> Connect(Duration) override {
    if (backend_ == nullptr) co_return Fail("connect", "connection refused");
    co_return Status();
  }
  Task<RpcStatus> Call(std::string_view method, std::string_view request,
                       std::string* reply) override {
    if (backend_ == nullptr) {
      co_return RpcStatus{StatusCode::kUnavailable, "connection refused"};
    }
    co_return co_await backend_->Handle(method, request, reply);
  }

 private:
  Backend* backend_ = nullptr;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_RPC_LOCAL_CHANNEL_H_
