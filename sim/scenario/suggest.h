// "did you mean": the known word nearest to what a user wrote.
#ifndef CNISIM_SIM_SCENARIO_SUGGEST_H_
#define CNISIM_SIM_SCENARIO_SUGGEST_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cnisim {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (the optimal
// string alignment form of Damerau-Levenshtein). O(|a| |b|).
int EditDistance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, letter case aside; the first of equals. Nothing if more than a
// third of the longer word would have to change.
std::optional<std::string_view> Nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

// "did you mean 'x'?"; without a near word the candidates themselves if they are few; else empty.
std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_SUGGEST_H_
