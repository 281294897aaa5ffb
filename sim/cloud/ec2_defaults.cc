#include "sim/cloud/ec2_defaults.h"

namespace cnisim {
namespace {

using std::chrono::milliseconds;

constexpr std::array<Ec2ActionInfo, kEc2ActionCount> kActions{{
#define CNISIM_EC2_ACTION(name, bucket, refill, throttle_source, p50, p99, low, high, source) \
  {Ec2Action::k##name,                                                                        \
   #name,                                                                                     \
   {bucket, refill},                                                                          \
   throttle_source,                                                                           \
   milliseconds(p50),                                                                         \
   milliseconds(p99),                                                                         \
   milliseconds(low),                                                                         \
   milliseconds(high),                                                                        \
   source},
#include "sim/cloud/ec2_defaults.inc"
#undef CNISIM_EC2_ACTION
}};

}  // namespace

std::span<const Ec2ActionInfo, kEc2ActionCount> AllEc2Actions() { return kActions; }

std::optional<Ec2Action> FindEc2Action(std::string_view name) {
  for (const Ec2ActionInfo& info : kActions) {
    if (info.name == name) return info.action;
  }
  return std::nullopt;
}

std::string_view NameOf(Ec2Action action) { return kActions[static_cast<size_t>(action)].name; }

Distribution ThrottledAnswerLatency() {
  return *Distribution::Lognormal(milliseconds(40), milliseconds(150));
}

}  // namespace cnisim
