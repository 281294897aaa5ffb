// The EC2 API's front door: HTTP requests on their way there and back, throttled by the account's
// token buckets.
//
// A request reaches EC2 after half of its sampled latency. There, in that order: it takes a token
// of its action's bucket or is refused (RequestLimitExceeded, answered faster); an injected failure
// strikes; its effect happens. The answer arrives after the other half, or the caller's HTTP client
// gives up after 10 s (RequestTimeout) while the effect still happens. A request outlives its
// sender: once sent it takes effect and is told to the observer even if nobody waits for it.
//
// Latencies are drawn by (node, action, number of the request), so no node's draws shift another's.
// O(1) a request.
#ifndef CNISIM_SIM_CLOUD_EC2_ENDPOINT_H_
#define CNISIM_SIM_CLOUD_EC2_ENDPOINT_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/ec2_api.h"
#include "core/ports/result.h"
#include "core/ports/task.h"
#include "sim/cloud/cloud_context.h"
#include "sim/cloud/ec2_defaults.h"
#include "sim/cloud/fault_plan.h"
#include "sim/cloud/token_bucket.h"
#include "sim/engine/one_shot.h"

namespace cnisim {

inline constexpr std::string_view kRequestTimeout = "RequestTimeout";

// Who sends requests: one instance, or the control plane. An instance's lives as long as it does
// and outlives the agents that run there one after the other.
struct Ec2Caller {
  uint64_t entity_hash = 0;
  EntityId node = kNoEntity;  // as the observer knows it; none: the control plane
  PerEc2Action<uint32_t> requests{};
};

class Ec2Endpoint {
 public:
  Ec2Endpoint(CloudContext& context, const Ec2Spec& overrides);

  // Sends one request. `effect` returns a Result<T>; it runs at most once, when the request is
  // there. `answer` is completed when the answer is back.
  template <typename T, typename Effect>
  void Send(Ec2Caller& caller, Ec2Action action, Effect effect, OneShot<Result<T>> answer) {
    Request request = MakeRequest(caller, action);
    context_.simulation.Spawn(Carry<T, Effect>(request, std::move(effect), std::move(answer)));
  }

  // The SDK's jitter before retry number `retry` (1, 2, ...) of the caller's last request of the
  // action, in [0, 1).
  double RetryJitter(const Ec2Caller& caller, Ec2Action action) const;

  void SetActionEntities(const PerEc2Action<EntityId>& entities) { entities_ = entities; }
  // Off, every request is let through and takes no token.
  void SetThrottling(bool on) { throttling_ = on; }
  FaultPlan& faults() { return faults_; }

  bool TokensValid() const;

 private:
  struct Request {
    Ec2Action action = Ec2Action::kCreateNetworkInterface;
    EntityId node = kNoEntity;
    TimePoint sent;
    Duration latency{};
    Duration refusal_latency{};
    bool told = false;
  };

  static Error Timeout() { return {std::string(kRequestTimeout), "no answer within 10 s"}; }
  Request MakeRequest(Ec2Caller& caller, Ec2Action action) const;
  // A token or an injected failure, at the moment of arrival.
  Status Admit(Ec2Action action);
  void TellAnswer(const Request& request, const Error* error) const;

  template <typename T, typename Effect>
  Result<T> Arrive(Ec2Action action, Effect& effect) {
    const Status admitted = Admit(action);
    if (!admitted) return tl::unexpected<Error>(admitted.error());
    return effect();
  }

  template <typename T, typename Effect>
  Task<void> Carry(Request request, Effect effect, OneShot<Result<T>> answer) {
    Simulation& simulation = context_.simulation;
    const TimePoint deadline = request.sent + kHttpTimeout;
    const TimePoint arrival = request.sent + request.latency / 2;
    if (arrival > deadline) {
      co_await simulation.SleepUntil(deadline);
      Result<T> none = tl::unexpected<Error>(Timeout());
      TellAnswer(request, &none.error());
      answer.Complete(std::move(none));
      co_await simulation.SleepUntil(arrival);
      Arrive<T>(request.action, effect);
      co_return;
    }
    co_await simulation.SleepUntil(arrival);
    Result<T> result = Arrive<T>(request.action, effect);
    TimePoint back = request.sent + request.latency;
    if (!result && result.error().code == ec2_error::kRequestLimitExceeded) {
      back = arrival + request.refusal_latency / 2;
    }
    if (back > deadline) result = tl::unexpected<Error>(Timeout());
    co_await simulation.SleepUntil(std::min(back, deadline));
    TellAnswer(request, result ? nullptr : &result.error());
    answer.Complete(std::move(result));
  }

  CloudContext& context_;
  PerEc2Action<Distribution> latency_;
  Distribution refusal_latency_;
  std::vector<TokenBucket> buckets_;  // by action
  PerEc2Action<EntityId> entities_;
  FaultPlan faults_;
  bool throttling_ = true;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_EC2_ENDPOINT_H_
