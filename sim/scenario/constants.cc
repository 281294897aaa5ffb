#include "sim/scenario/constants.h"

#include <array>
#include <chrono>

namespace cnisim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Distribution Fixed(Duration value) { return Distribution::Fixed(value).value(); }
Distribution Uniform(Duration min, Duration max) { return Distribution::Uniform(min, max).value(); }
Distribution Lognormal(Duration p50, Duration p99) {
  return Distribution::Lognormal(p50, p99).value();
}

}  // namespace

Constants::Constants() {
#define CNISIM_DURATION(member, name, value, low, high, source) member = value;
#define CNISIM_NUMBER(member, name, value, low, high, unit, source) member = value;
#include "sim/scenario/constants.inc"
#undef CNISIM_DURATION
#undef CNISIM_NUMBER
}

std::span<const ConstantInfo> AllConstants() {
  static const ConstantInfo kConstants[] = {
#define CNISIM_DURATION(member, name, value, low, high, source) \
  {name, &Constants::member, nullptr, ToSeconds(low), ToSeconds(high), "s", source},
#define CNISIM_NUMBER(member, name, value, low, high, unit, source) \
  {name, nullptr, &Constants::member, low, high, unit, source},
#include "sim/scenario/constants.inc"
#undef CNISIM_DURATION
#undef CNISIM_NUMBER
  };
  return kConstants;
}

}  // namespace cnisim
