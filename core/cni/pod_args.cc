#include "core/cni/pod_args.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace cnisim {
namespace {

constexpr std::array<std::pair<std::string_view, std::string PodArgs::*>, 4> kFields{{
    {"K8S_POD_NAMESPACE", &PodArgs::pod_namespace},
    {"K8S_POD_NAME", &PodArgs::pod_name},
    {"K8S_POD_INFRA_CONTAINER_ID", &PodArgs::infra_container_id},
    {"K8S_POD_UID", &PodArgs::pod_uid},
}};

std::optional<bool> ParseFlag(std::string_view text) {
  const auto is = [&](std::string_view word) {
    return std::ranges::equal(text, word, {}, [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  };
  if (is("1") || is("true")) return true;
  if (is("0") || is("false")) return false;
  return std::nullopt;
}

// What stands before the next `separator`, and the rest after it.
std::string_view Take(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

}  // namespace

CniResult<PodArgs> ParsePodArgs(std::string_view text) {
  PodArgs args;
  bool ignore_unknown = false;
  std::string unknown;
  // A ';' at the end is followed by an empty pair, which is invalid.
  for (bool more = !text.empty(); more;) {
    more = text.find(';') != text.npos;
    const std::string_view pair = Take(text, ';');
    std::string_view value = pair;
    const std::string_view key = Take(value, '=');
    if (std::ranges::count(pair, '=') != 1) {
      return CniFail(fmt::format("ARGS: invalid pair \"{}\"", pair));
    }
    if (key == "IgnoreUnknown") {
      const std::optional<bool> flag = ParseFlag(value);
      if (!flag) return CniFail(fmt::format("ARGS: error parsing value of pair \"{}\"", pair));
      ignore_unknown = *flag;
      continue;
    }
    const auto* field = std::ranges::find(kFields, key, [](const auto& f) { return f.first; });
    if (field == kFields.end()) {
      unknown += fmt::format("{}\"{}\"", unknown.empty() ? "" : " ", pair);
    } else {
      args.*field->second = value;
    }
  }
  if (!unknown.empty() && !ignore_unknown) {
    return CniFail(fmt::format("ARGS: unknown args [{}]", unknown));
  }
  return args;
}

}  // namespace cnisim
