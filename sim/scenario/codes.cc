#include "sim/scenario/codes.h"

#include <string>

namespace cnisim {
namespace {

constexpr std::string_view kQuirkPrefix = "quirk-";
constexpr std::string_view kAnyQuirk = "quirk-NAME";

constexpr CodeInfo kCodes[] = {
#define CNISIM_CODE(code, told_as, summary, explanation) \
  {code, ToldAs::told_as, summary, explanation},
#include "sim/scenario/codes.inc"
#undef CNISIM_CODE
};

}  // namespace

std::string_view NameOf(ToldAs told_as) {
  switch (told_as) {
    case ToldAs::kError:
      return "error";
    case ToldAs::kWarning:
      return "warning";
    case ToldAs::kInfo:
      return "info";
    case ToldAs::kFinding:
      return "finding";
  }
  return "";
}

std::span<const CodeInfo> AllCodes() { return kCodes; }

const CodeInfo* FindCode(std::string_view code) {
  if (code.starts_with(kQuirkPrefix)) code = kAnyQuirk;
  const auto* const found = std::ranges::find(kCodes, code, &CodeInfo::code);
  return found == std::end(kCodes) ? nullptr : found;
}

Code Code::Of(std::string_view text) {
  const CodeInfo* info = FindCode(text);
  if (info == nullptr) throw std::logic_error("codes.inc lacks " + std::string(text));
  return {info->code, Known{}};
}

}  // namespace cnisim
