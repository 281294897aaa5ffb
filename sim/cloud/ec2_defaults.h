// The EC2 actions that the agent uses, and the default throttle and latency of each; the figures
// and their sources are in ec2_defaults.inc.
#ifndef CNISIM_SIM_CLOUD_EC2_DEFAULTS_H_
#define CNISIM_SIM_CLOUD_EC2_DEFAULTS_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sim/cloud/spec.h"
#include "sim/engine/distribution.h"

namespace cnisim {

enum class Ec2Action : uint8_t {
#define CNISIM_EC2_ACTION(name, ...) k##name,
#include "sim/cloud/ec2_defaults.inc"
#undef CNISIM_EC2_ACTION
};

inline constexpr size_t kEc2ActionCount = 0
#define CNISIM_EC2_ACTION(name, ...) +1
#include "sim/cloud/ec2_defaults.inc"
#undef CNISIM_EC2_ACTION
    ;

template <typename T>
using PerEc2Action = std::array<T, kEc2ActionCount>;

struct Ec2ActionInfo {
  Ec2Action action;
  std::string_view name;  // as the EC2 API Reference spells it
  BucketSpec throttle;
  std::string_view throttle_source;
  std::chrono::milliseconds p50;
  std::chrono::milliseconds p99;
  std::chrono::milliseconds low;  // of the p50
  std::chrono::milliseconds high;
  std::string_view latency_source;

  Distribution Latency() const { return *Distribution::Lognormal(p50, p99); }
};

// In the order of the enum.
std::span<const Ec2ActionInfo, kEc2ActionCount> AllEc2Actions();
std::optional<Ec2Action> FindEc2Action(std::string_view name);
std::string_view NameOf(Ec2Action action);

// A request over the limit is refused before any work: an assumption, no published figure.
Distribution ThrottledAnswerLatency();

// The HTTP client's time-out of one attempt (aws-sdk-go-v2 as amazon-vpc-cni-k8s v1.23.1 sets it).
inline constexpr Duration kHttpTimeout = std::chrono::seconds(10);

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_EC2_DEFAULTS_H_
