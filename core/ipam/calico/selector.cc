#include "core/ipam/calico/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "core/ipam/calico/errors.h"

namespace cnisim {
namespace {

using Predicate = std::function<bool(const Labels&)>;

bool IsLabelCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_./-").find(c) != std::string_view::npos;
}

// Recursive descent; each method leaves pos_ behind what it has read. nullptr is a failure, with
// pos_ near the place.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { SkipSpace(); }

  Predicate Or() {
    Predicate left = And();
    while (left && Accept("||")) {
      Predicate right = And();
      if (!right) return nullptr;
      left = [l = std::move(left), r = std::move(right)](const Labels& labels) {
        return l(labels) || r(labels);
      };
    }
    return left;
  }
  bool at_end() const { return pos_ == text_.size(); }
  size_t position() const { return pos_; }

 private:
  void SkipSpace() {
    while (pos_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[pos_]))) ++pos_;
  }
  bool Accept(std::string_view token) {
    if (!text_.substr(pos_).starts_with(token)) return false;
    pos_ += token.size();
    SkipSpace();
    return true;
  }

  Predicate And() {
    Predicate left = Term();
    while (left && Accept("&&")) {
      Predicate right = Term();
      if (!right) return nullptr;
      left = [l = std::move(left), r = std::move(right)](const Labels& labels) {
        return l(labels) && r(labels);
      };
    }
    return left;
  }
  Predicate Term() {
    if (Accept("!")) {
      Predicate inner = Term();
      if (!inner) return nullptr;
      return [i = std::move(inner)](const Labels& labels) { return !i(labels); };
    }
    if (Accept("(")) {
      Predicate inner = Or();
      return inner && Accept(")") ? inner : nullptr;
    }
    const std::string label = Label();
    if (label.empty()) return nullptr;
    if (Accept("(")) return Call(label);
    return Comparison(label);
  }
  Predicate Call(const std::string& function) {
    if (function == "has") {
      const std::string label = Label();
      if (label.empty() || !Accept(")")) return nullptr;
      return [label](const Labels& labels) { return labels.contains(label); };
    }
    if (function != "all" || !Accept(")")) return nullptr;
    return [](const Labels&) { return true; };
  }
  Predicate Comparison(const std::string& label) {
    struct Test {
      std::string_view word, second_word;
      bool (*holds)(std::string_view has, std::string_view value);
    };
    static constexpr Test kTests[] = {
        {"==", "", [](std::string_view has, std::string_view v) { return has == v; }},
        {"contains", "",
         [](std::string_view has, std::string_view v) { return has.find(v) != has.npos; }},
        {"starts", "with",
         [](std::string_view has, std::string_view v) { return has.starts_with(v); }},
        {"ends", "with", [](std::string_view has, std::string_view v) { return has.ends_with(v); }},
    };
    if (Accept("!=")) {
      const std::optional<std::string> value = Value();
      if (!value) return nullptr;
      return Negated(Among(label, std::vector{*value}));
    }
    if (Accept("not")) return Accept("in") ? Negated(Among(label, Values())) : nullptr;
    if (Accept("in")) return Among(label, Values());
    for (const Test& test : kTests) {
      if (!Accept(test.word)) continue;
      if (!Accept(test.second_word)) return nullptr;
      const std::optional<std::string> value = Value();
      if (!value) return nullptr;
      return [label, value = *value, holds = test.holds](const Labels& labels) {
        const auto it = labels.find(label);
        return it != labels.end() && holds(it->second, value);
      };
    }
    return nullptr;
  }

  static Predicate Among(const std::string& label, std::optional<std::vector<std::string>> values) {
    if (!values) return nullptr;
    return [label, values = *std::move(values)](const Labels& labels) {
      const auto it = labels.find(label);
      return it != labels.end() && std::ranges::find(values, it->second) != values.end();
    };
  }
  static Predicate Negated(Predicate inner) {
    if (!inner) return nullptr;
    return [i = std::move(inner)](const Labels& labels) { return !i(labels); };
  }

  std::string Label() {
    const size_t begin = pos_;
    while (pos_ < text_.size() && IsLabelCharacter(text_[pos_])) ++pos_;
    std::string label(text_.substr(begin, pos_ - begin));
    SkipSpace();
    return label;
  }
  std::optional<std::string> Value() {
    if (at_end() || (text_[pos_] != '"' && text_[pos_] != '\'')) return std::nullopt;
    const size_t end = text_.find(text_[pos_], pos_ + 1);
    if (end == text_.npos) return std::nullopt;
    std::string value(text_.substr(pos_ + 1, end - pos_ - 1));
    pos_ = end + 1;
    SkipSpace();
    return value;
  }
  // {"a", "b"}; may be empty.
  std::optional<std::vector<std::string>> Values() {
    if (!Accept("{")) return std::nullopt;
    std::vector<std::string> values;
    if (Accept("}")) return values;
    do {
      std::optional<std::string> value = Value();
      if (!value) return std::nullopt;
      values.push_back(*std::move(value));
    } while (Accept(","));
    if (!Accept("}")) return std::nullopt;
    return values;
  }

  std::string_view text_;
  size_t pos_ = 0;
};

}  // namespace

Result<Selector> Selector::Parse(std::string_view text) {
  Selector selector;
  selector.text_ = text;
  Parser parser(text);
  if (parser.at_end()) return selector;
  Predicate root = parser.Or();
  if (!root || !parser.at_end()) {
    return Fail(std::string(calico_error::kInvalidSelector),
                fmt::format("selector '{}' makes no sense from character {} on", text,
                            parser.position() + 1));
  }
  selector.matches_ = std::move(root);
  return selector;
}

}  // namespace cnisim
