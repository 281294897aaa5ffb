// A network policy agent that answers at once.
#ifndef CNISIM_CORE_CNI_TESTING_FAKE_POLICY_AGENT_H_
#define CNISIM_CORE_CNI_TESTING_FAKE_POLICY_AGENT_H_

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/rpc/cni_backend.pb.h"
#include "core/rpc/rpc_channel.h"

namespace cnisim {

class FakePolicyAgent final : public RpcChannel {
 public:
  Task<Status> Connect(Duration) override {
    if (down) co_return Fail("connect", "the network policy agent does not answer");
    co_return Status();
  }
  Task<RpcStatus> Call(std::string_view method, std::string_view bytes,
                       std::string* reply) override {
    if (fails) co_return RpcStatus{StatusCode::kUnknown, "no policy for this pod"};
    // The reply messages, and the pod's fields of the requests, are the same.
    rpc::EnforceNpRequest request;
    if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      co_return RpcStatus{StatusCode::kInternal, "the request cannot be decoded"};
    }
    calls.push_back(fmt::format("{}({}/{},{},{})", method.substr(method.rfind('/') + 1),
                                request.k8s_pod_namespace(), request.k8s_pod_name(),
                                request.network_policy_mode(), request.interfacecount()));
    rpc::EnforceNpReply answer;
    answer.set_success(!refuses);
    *reply = answer.SerializeAsString();
    co_return RpcStatus();
  }

  bool down = false;
  bool fails = false;
  bool refuses = false;
  std::vector<std::string> calls;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_TESTING_FAKE_POLICY_AGENT_H_
