// Which quirks of the real agent are replicated: all, unless told otherwise.
//
// The list, with what each does and what a repaired agent does instead, is quirks.inc. Two are not
// in it because nothing here can show them: that AWS_EC2_ENDPOINT applies to instance metadata only
// (there are no endpoints), and that the clean-up of leftover prefixes (PX-3) stops where another
// thread has assigned one meanwhile (there is one thread).
#ifndef CNISIM_CORE_IPAM_QUIRKS_H_
#define CNISIM_CORE_IPAM_QUIRKS_H_

#include <span>
#include <string_view>

namespace cnisim {

struct Quirks {
#define CNISIM_QUIRK(name, rule, what) bool name = true;
#include "core/ipam/quirks.inc"
#undef CNISIM_QUIRK
};

// One of them.
using Quirk = bool Quirks::*;

struct QuirkInfo {
  std::string_view name;
  std::string_view rule;
  std::string_view what;
  Quirk member;
};

std::span<const QuirkInfo> AllQuirks();
// Every quirk repaired.
Quirks AllRepaired();

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_QUIRKS_H_
