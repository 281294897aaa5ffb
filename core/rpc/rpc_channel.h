// Unary remote calls as the plugin makes them and the agent answers them: a method, request bytes,
// a status, reply bytes. gRPC's vocabulary without its transport.
//
// Status codes and method paths: gRPC (grpc/status, "/package.Service/Method"). As with gRPC, a
// call whose status is not OK has no reply.
#ifndef CNISIM_CORE_RPC_RPC_CHANNEL_H_
#define CNISIM_CORE_RPC_RPC_CHANNEL_H_

#include <string>
#include <string_view>

#include "core/ports/clock.h"
#include "core/ports/result.h"
#include "core/ports/task.h"

namespace cnisim {

enum class StatusCode {
  kOk = 0,
  kUnknown = 2,  // what Go's server makes of any error without a code
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
};

std::string_view StatusCodeName(StatusCode code);

struct [[nodiscard]] RpcStatus {
  StatusCode code = StatusCode::kOk;
  std::string message;

  bool ok() const { return code == StatusCode::kOk; }
  // As Go clients print it: "rpc error: code = Unknown desc = ...".
  std::string ToString() const;

  friend bool operator==(const RpcStatus&, const RpcStatus&) = default;
};

namespace rpc_method {
inline constexpr std::string_view kAddNetwork = "/rpc.CNIBackend/AddNetwork";
inline constexpr std::string_view kDelNetwork = "/rpc.CNIBackend/DelNetwork";
inline constexpr std::string_view kGetNetworkPolicyConfigs =
    "/rpc.ConfigServerBackend/GetNetworkPolicyConfigs";
inline constexpr std::string_view kEnforceNpToPod = "/rpc.NPBackend/EnforceNpToPod";
inline constexpr std::string_view kDeletePodNp = "/rpc.NPBackend/DeletePodNp";
}  // namespace rpc_method

// The message of DelNetwork's error for a pod without address: the plugin looks for it.
inline constexpr std::string_view kUnknownPodError = "datastore: unknown pod";

// gRPC's default limit on a received message.
inline constexpr size_t kMaxMessageBytes = 4 << 20;

class RpcChannel {
 public:
  virtual ~RpcChannel() = default;

  // Waits until the other side accepts, `limit` at most. Need not be called: a call connects by
  // itself, and fails with kUnavailable if nobody is there.
  virtual Task<Status> Connect(Duration limit) = 0;

  // `request` and `reply` must live until the call is done.
  virtual Task<RpcStatus> Call(std::string_view method, std::string_view request,
                               std::string* reply) = 0;
};

// A typed call over `channel`. Both messages must live until the call is done.
template <typename Request, typename Reply>
Task<RpcStatus> Call(RpcChannel& channel, std::string_view method, const Request& request,
                     Reply* reply) {
  const std::string bytes = request.SerializeAsString();
  std::string answer;
  RpcStatus status = co_await channel.Call(method, bytes, &answer);
  if (status.ok() && !reply->ParseFromString(answer)) {
    status.code = StatusCode::kInternal;
    status.message = "the reply cannot be decoded";
  }
  co_return status;
}

}  // namespace cnisim

#endif  // CNISIM_CORE_RPC_RPC_CHANNEL_H_
