#include "sim/cloud/ec2_endpoint.h"

#include <fmt/format.h>

namespace cnisim {
namespace {

constexpr uint64_t kLatencyPurpose = HashName("ec2-latency");
constexpr uint64_t kRefusalPurpose = HashName("ec2-refusal-latency");
constexpr uint64_t kJitterPurpose = HashName("ec2-retry-jitter");

uint64_t Purpose(uint64_t base, Ec2Action action) {
  return HashMix(base ^ static_cast<uint64_t>(action));
}

}  // namespace

Ec2Endpoint::Ec2Endpoint(CloudContext& context, const Ec2Spec& overrides)
    : context_(context), refusal_latency_(ThrottledAnswerLatency()) {
  entities_.fill(kNoEntity);
  buckets_.reserve(kEc2ActionCount);
  for (const Ec2ActionInfo& info : AllEc2Actions()) {
    const std::string name(info.name);
    const auto latency = overrides.latency.find(name);
    latency_[static_cast<size_t>(info.action)] =
        latency != overrides.latency.end() ? latency->second : info.Latency();
    const auto throttle = overrides.throttles.find(name);
    const BucketSpec bucket =
        throttle != overrides.throttles.end() ? throttle->second : info.throttle;
    buckets_.emplace_back(bucket.bucket, bucket.refill_per_second, context.simulation.Now());
  }
}

Ec2Endpoint::Request Ec2Endpoint::MakeRequest(Ec2Caller& caller, Ec2Action action) const {
  const auto index = static_cast<size_t>(action);
  const uint64_t number = ++caller.requests[index];
  Request request;
  request.action = action;
  request.node = caller.node;
  request.sent = context_.simulation.Now();
  request.latency = SampleKeyed(latency_[index], context_.seed, caller.entity_hash,
                                Purpose(kLatencyPurpose, action), number);
  request.refusal_latency = SampleKeyed(refusal_latency_, context_.seed, caller.entity_hash,
                                        Purpose(kRefusalPurpose, action), number);
  request.told = context_.observer != nullptr;
  return request;
}

double Ec2Endpoint::RetryJitter(const Ec2Caller& caller, Ec2Action action) const {
  return UnitDouble(KeyedDraw(context_.seed, caller.entity_hash, Purpose(kJitterPurpose, action),
                              caller.requests[static_cast<size_t>(action)]));
}

Status Ec2Endpoint::Admit(Ec2Action action) {
  TokenBucket& bucket = buckets_[static_cast<size_t>(action)];
  if (throttling_ && !bucket.TryTake(context_.simulation.Now())) {
    return Fail(std::string(ec2_error::kRequestLimitExceeded),
                fmt::format("{}: request limit exceeded", NameOf(action)));
  }
  if (std::optional<Error> fault = faults_.Take(action)) {
    return tl::unexpected<Error>(*std::move(fault));
  }
  return {};
}

void Ec2Endpoint::TellAnswer(const Request& request, const Error* error) const {
  // Requests of the warm-up are not told, even if the answer comes after it.
  if (!request.told || context_.observer == nullptr) return;
  ApiAttempt attempt;
  attempt.action = entities_[static_cast<size_t>(request.action)];
  attempt.node = request.node;
  attempt.sent = request.sent;
  attempt.latency = context_.simulation.Now() - request.sent;
  if (error != nullptr) {
    attempt.outcome = error->code == ec2_error::kRequestLimitExceeded ? ApiOutcome::kThrottled
                                                                      : ApiOutcome::kFailed;
  }
  Observer& observer = *context_.observer;
  observer.OnApiAttempt(attempt);
  const TimePoint now = context_.simulation.Now();
  observer.OnCount(Metric::kEc2ApiCallsTotal, attempt.action, now, 1);
  if (attempt.outcome == ApiOutcome::kThrottled) {
    observer.OnCount(Metric::kEc2ApiThrottledTotal, attempt.action, now, 1);
  } else if (attempt.outcome == ApiOutcome::kFailed) {
    observer.OnCount(Metric::kEc2ApiFailedTotal, attempt.action, now, 1);
  }
  observer.OnSample(Metric::kEc2ApiAttemptSeconds, attempt.action, now, attempt.latency, false);
}

bool Ec2Endpoint::TokensValid() const {
  return std::all_of(buckets_.begin(), buckets_.end(),
                     [](const TokenBucket& bucket) { return bucket.Valid(); });
}

}  // namespace cnisim
