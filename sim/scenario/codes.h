// The codes of everything that users are told about a scenario or a run, each with an explanation.
//
// A Code can only be made of a text that codes.inc has: one that nothing explains does not compile.
#ifndef CNISIM_SIM_SCENARIO_CODES_H_
#define CNISIM_SIM_SCENARIO_CODES_H_

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string_view>

namespace cnisim {

enum class ToldAs : uint8_t { kError, kWarning, kInfo, kFinding };
std::string_view NameOf(ToldAs told_as);  // "error", ...

struct CodeInfo {
  std::string_view code;
  ToldAs told_as = ToldAs::kError;
  std::string_view summary;  // one line
  std::string_view explanation;
};

// As codes.inc has them.
std::span<const CodeInfo> AllCodes();
// Also of quirk-missedDelsLeak, which is quirk-NAME. nullptr if there is no such code.
const CodeInfo* FindCode(std::string_view code);

class Code {
 public:
  // Implicit, so that codes are written as texts.
  consteval Code(const char* text) : text_(text) {  // NOLINT(google-explicit-constructor)
    if (std::ranges::find(kTexts, std::string_view(text)) == std::end(kTexts)) {
      throw "codes.inc lacks it";
    }
  }
  // Of a text that comes from elsewhere. Throws std::logic_error if there is no such code.
  static Code Of(std::string_view text);

  std::string_view text() const { return text_; }

 private:
  struct Known {};
  Code(std::string_view text, Known) : text_(text) {}

  static constexpr std::string_view kTexts[] = {
#define CNISIM_CODE(code, told_as, summary, explanation) code,
#include "sim/scenario/codes.inc"
#undef CNISIM_CODE
  };

  std::string_view text_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_CODES_H_
