// What an import tells besides the scenario: what the files do not say, where they contradict one
// another, and what they say that a scenario cannot have. Each once, in the order of the scenario.
#ifndef CNISIM_SIM_IMPORT_NOTES_H_
#define CNISIM_SIM_IMPORT_NOTES_H_

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace cnisim {

class Notes {
 public:
  // The comment that stands where the value is: "  # not known from these files: ...; assumed ...".
  std::string Unknown(std::string_view what, std::string_view assumed) {
    std::string text = fmt::format("{}; assumed {}", what, assumed);
    std::string comment = "  # not known from these files: " + text;
    Add(unknown_, std::move(text));
    return comment;
  }
  void Contradiction(std::string text) { Add(contradictions_, std::move(text)); }
  void LeftOut(std::string text) { Add(left_out_, std::move(text)); }

  const std::vector<std::string>& unknown() const { return unknown_; }
  const std::vector<std::string>& contradictions() const { return contradictions_; }
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  static void Add(std::vector<std::string>& list, std::string text) {
    if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
  }

  std::vector<std::string> unknown_;
  std::vector<std::string> contradictions_;
  std::vector<std::string> left_out_;
};

// "1 node", "2 nodes"
inline std::string CountOf(size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

// "a, b, c and 17 more"
inline std::string SomeOf(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::string text;
  for (size_t i = 0; i < names.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_NOTES_H_
