#include "sim/import/imported_names.h"

#include <fmt/format.h>

namespace cnisim {

std::string AsDnsLabel(std::string_view text, size_t longest) {
  std::string label;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') {
      label += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      label += c;
    } else if (!label.empty()) {
      label += '-';
    }
  }
  if (label.size() > longest) label.resize(longest);
  while (label.ends_with('-')) label.pop_back();
  return label.empty() ? "unnamed" : label;
}

std::string UniqueNames::Take(std::initializer_list<std::string> candidates) {
  constexpr size_t kRoom = 57;  // of 63, for a dash and a number
  std::string last;
  for (const std::string& candidate : candidates) {
    if (candidate.empty()) continue;
    if (taken_.insert(candidate).second) return candidate;
    last = candidate.substr(0, kRoom);
  }
  for (int n = 2;; ++n) {
    std::string name = fmt::format("{}-{}", last, n);
    if (taken_.insert(name).second) return name;
  }
}

}  // namespace cnisim
