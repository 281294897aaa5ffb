// A channel straight into a backend of the same process.
//
// The backend may die while calls are under way (Disconnect), as a server does whose process is
// killed: its handlers end where they are, and the callers learn that the connection is gone.
#ifndef CNISIM_CORE_RPC_LOCAL_CHANNEL_H_
#define CNISIM_CORE_RPC_LOCAL_CHANNEL_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/ports/clock.h"
#include "core/rpc/backend.h"
#include "core/rpc/rpc_channel.h"

namespace cnisim {

class LocalChannel final : public RpcChannel {
 public:
  LocalChannel() = default;
  LocalChannel(const LocalChannel&) = delete;
  LocalChannel& operator=(const LocalChannel&) = delete;

  // While there is no backend, calls fail as on a socket that nobody listens on. The backend must
  // outlive calls that are under way.
  void set_backend(Backend* backend) { backend_ = backend; }
  // Ends all handlers and forgets the backend. Callers go on, with kUnavailable, from a timer of
  // `clock` that is due now.
  void Disconnect(Clock& clock);

  Task<Status> Connect(Duration limit) override;
  Task<RpcStatus> Call(std::string_view method, std::string_view request,
                       std::string* reply) override;

 private:
  class PendingCall;

  Backend* backend_ = nullptr;
  std::vector<PendingCall*> pending_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_RPC_LOCAL_CHANNEL_H_
