#include "sim/scenario/suggest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace cnisim {
namespace {

// A list of more words than this reads worse than none.
constexpr size_t kMaxListed = 12;
// Nothing that a scenario names is longer; bounds the work for absurd input.
constexpr size_t kMaxWord = 100;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

int EditDistance(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<int> before(width), last(width), row(width);
  for (size_t j = 0; j < width; ++j) last[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j < width; ++j) {
      const int substitute = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitute});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<std::string_view> Nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > kMaxWord) return std::nullopt;
  const std::string wanted = Lower(word);
  std::optional<std::string_view> best;
  int best_distance = 0;
  for (const std::string_view candidate : candidates) {
    if (candidate == word) continue;
    const int distance = EditDistance(wanted, Lower(candidate));
    const int limit = static_cast<int>(std::max(word.size(), candidate.size()) / 3);
    if (distance > limit && distance > 0) continue;
    if (!best || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates) {
  if (const auto nearest = Nearest(word, candidates)) {
    return fmt::format("did you mean '{}'?", *nearest);
  }
  if (candidates.empty() || candidates.size() > kMaxListed) return "";
  return fmt::format("expected {}{}", candidates.size() == 1 ? "" : "one of ",
                     fmt::join(candidates, ", "));
}

}  // namespace cnisim
