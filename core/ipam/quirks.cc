#include "core/ipam/quirks.h"

namespace cnisim {
namespace {

constexpr QuirkInfo kQuirks[] = {
#define CNISIM_QUIRK(name, rule, what) {#name, rule, what, &Quirks::name},
#include "core/ipam/quirks.inc"
#undef CNISIM_QUIRK
};

}  // namespace

std::span<const QuirkInfo> AllQuirks() { return kQuirks; }

Quirks AllRepaired() {
  Quirks quirks;
  for (const QuirkInfo& quirk : kQuirks) quirks.*quirk.member = false;
  return quirks;
}

}  // namespace cnisim
