#include "core/rpc/rpc_channel.h"

#include <fmt/format.h>

namespace cnisim {

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "OK";
    case StatusCode::kUnknown:
      return "Unknown";
    case StatusCode::kResourceExhausted:
      return "ResourceExhausted";
    case StatusCode::kFailedPrecondition:
      return "FailedPrecondition";
    case StatusCode::kUnimplemented:
      return "Unimplemented";
    case StatusCode::kInternal:
      return "Internal";
    case StatusCode::kUnavailable:
      return "Unavailable";
  }
  return "Unknown";
}

std::string RpcStatus::ToString() const {
  return fmt::format("rpc error: code = {} desc = {}", StatusCodeName(code), message);
}

}  // namespace cnisim
