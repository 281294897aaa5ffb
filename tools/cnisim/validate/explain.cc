#include "tools/cnisim/validate/explain.h"

#include <fmt/format.h>

#include "sim/scenario/codes.h"
#include "sim/scenario/suggest.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/table.h"
#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

constexpr size_t kWidth = 100;

std::string_view Meaning(ToldAs told_as) {
  switch (told_as) {
    case ToldAs::kError:
      return "an error: the scenario is refused";
    case ToldAs::kWarning:
      return "a warning: the scenario can be run";
    case ToldAs::kInfo:
      return "an info, which only `validate` tells";
    case ToldAs::kFinding:
      return "a finding of a run";
  }
  return "";
}

}  // namespace

ExitCode Explain(const std::string& code, OutputFormat format) {
  Table table;
  table.columns = {"code", "kind", "summary"};
  if (code.empty()) {
    for (const CodeInfo& info : AllCodes()) {
      table.rows.push_back({info.code, NameOf(info.told_as), info.summary});
    }
    fmt::print("{}", Format(table, format));
    return ExitCode::kOk;
  }
  const CodeInfo* info = FindCode(code);
  if (info == nullptr) {
    std::vector<std::string_view> names;
    for (const CodeInfo& known : AllCodes()) names.push_back(known.code);
    const auto near = Nearest(code, names);
    return UsageError(fmt::format(
        "validate: nothing is told by the code '{}'; {}", code,
        near ? fmt::format("did you mean '{}'?", *near) : "`cnisim validate --explain` lists all"));
  }
  if (format != OutputFormat::kTable) {
    table.columns.emplace_back("explanation");
    table.rows.push_back({code, NameOf(info->told_as), info->summary, info->explanation});
    fmt::print("{}", Format(table, format));
    return ExitCode::kOk;
  }
  fmt::print("{}: {} ({})\n\n{}\n", code, info->summary, Meaning(info->told_as),
             Wrapped(info->explanation, kWidth));
  return ExitCode::kOk;
}

}  // namespace cnisim
