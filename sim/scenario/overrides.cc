#include "sim/scenario/overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/scenario/quantities.h"
#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

constexpr std::array<std::string_view, 4> kRootKeys{"apiVersion", "kind", "metadata", "spec"};

struct Step {
  std::string text;
  bool element = false;  // [text], of a list
};

// nullopt if the path is malformed.
std::optional<std::vector<Step>> ParsePath(std::string_view path) {
  std::vector<Step> steps;
  std::string key;
  bool key_expected = true;
  const auto in_constants = [&] {
    return steps.size() <= 2 && !steps.empty() && steps.back().text == "constants" &&
           (steps.size() == 1 || steps[0].text == "spec");
  };
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '\\' && i + 1 < path.size()) {
      key += path[++i];
    } else if (c == '.' && !in_constants()) {
      if (key_expected && key.empty()) return std::nullopt;
      if (!key.empty()) steps.push_back({std::exchange(key, {})});
      key_expected = true;
    } else if (c == '[') {
      if (!key.empty()) steps.push_back({std::exchange(key, {})});
      const size_t close = path.find(']', i);
      if (close == std::string_view::npos || close == i + 1 || steps.empty()) return std::nullopt;
      steps.push_back({std::string(path.substr(i + 1, close - i - 1)), true});
      i = close;
      if (i + 1 < path.size() && path[i + 1] != '.' && path[i + 1] != '[') return std::nullopt;
      key_expected = false;
    } else {
      key += c;
    }
  }
  if (!key.empty()) {
    steps.push_back({std::move(key)});
  } else if (key_expected) {
    return std::nullopt;
  }
  return steps;
}

void MarkAsFlag(YamlNode& node, Location where) {
  node.from_flag = true;
  node.where = where;
  for (YamlNode& item : node.items) MarkAsFlag(item, where);
  for (YamlEntry& entry : node.entries) {
    entry.where = where;
    MarkAsFlag(entry.value, where);
  }
}

class Override {
 public:
  Override(std::string_view path, Diagnostics& diagnostics)
      : path_(path),
        where_{diagnostics.AddSource(fmt::format("--set {}", path)), 0, 0},
        diagnostics_(diagnostics) {}

  void Apply(std::string_view value, YamlNode& document) {
    std::optional<std::vector<Step>> steps = ParsePath(path_);
    if (!steps) {
      Error("is not a path such as spec.seed or nodeGroups[workers].maxSize");
      return;
    }
    if (std::ranges::find(kRootKeys, steps->front().text) == kRootKeys.end()) {
      steps->insert(steps->begin(), Step{"spec"});
    }
    std::optional<YamlNode> replacement = Value(value);
    if (!replacement) return;
    YamlNode* place = &document;
    for (const Step& step : *steps) {
      place = step.element ? Element(*place, step.text) : Child(*place, step.text);
      if (place == nullptr) return;
    }
    *place = *std::move(replacement);
  }

 private:
  void Error(std::string message, std::string suggestion = "") {
    diagnostics_.Error(where_, "bad-set", std::move(message), std::move(suggestion));
  }

  std::optional<YamlNode> Value(std::string_view text) {
    YamlNode node;
    const bool yaml = !text.empty() && std::string_view("{[\"'").find(text[0]) != text.npos;
    if (yaml) {
      // The parser's lines and columns mean nothing to somebody typing a flag.
      Diagnostics parse_errors("");
      std::optional<YamlNode> parsed = ParseYaml(text, 0, parse_errors);
      if (!parsed || parse_errors.has_errors()) {
        Error(parse_errors.Errors().front().message);
        return std::nullopt;
      }
      node = *std::move(parsed);
    } else if (text != "null") {
      node.kind = YamlNode::Kind::kScalar;
      node.text = text;
    }
    MarkAsFlag(node, where_);
    return node;
  }

  YamlNode* Child(YamlNode& parent, const std::string& key) {
    if (parent.is_null()) parent.kind = YamlNode::Kind::kMapping;
    if (parent.kind == YamlNode::Kind::kList) {
      Error(fmt::format("'{}' is looked for in a list", key),
            "choose an element by [INDEX] or [NAME]");
      return nullptr;
    }
    if (parent.kind != YamlNode::Kind::kMapping) {
      Error(fmt::format("'{}' is looked for in {}, which is no mapping", key, Describe(parent)));
      return nullptr;
    }
    if (YamlNode* found = parent.Find(key)) return found;
    YamlEntry entry{key, where_, {}};
    entry.value.where = where_;
    parent.entries.push_back(std::move(entry));
    return &parent.entries.back().value;
  }

  YamlNode* Element(YamlNode& parent, const std::string& which) {
    if (parent.kind != YamlNode::Kind::kList) {
      Error(fmt::format("[{}] is looked for in {}, which is no list", which, Describe(parent)));
      return nullptr;
    }
    if (const std::optional<int64_t> index = ParseInteger(which)) {
      if (*index >= 0 && *index < static_cast<int64_t>(parent.items.size())) {
        return &parent.items[static_cast<size_t>(*index)];
      }
      Error(fmt::format("[{}] is outside the list, which has {} element{}", which,
                        parent.items.size(), parent.items.size() == 1 ? "" : "s"));
      return nullptr;
    }
    std::vector<std::string_view> names;
    for (YamlNode& item : parent.items) {
      const YamlNode* name = item.Find("name");
      if (name == nullptr || name->kind != YamlNode::Kind::kScalar) continue;
      if (name->text == which) return &item;
      names.push_back(name->text);
    }
    Error(fmt::format("no element of the list is named '{}'", which), DidYouMean(which, names));
    return nullptr;
  }

  std::string path_;
  Location where_;
  Diagnostics& diagnostics_;
};

}  // namespace

void ApplyOverride(const std::string& assignment, YamlNode& document, Diagnostics& diagnostics) {
  const size_t equals = assignment.find('=');
  Override change(std::string_view(assignment).substr(0, equals), diagnostics);
  if (equals == std::string::npos) {
    diagnostics.Error({diagnostics.AddSource(fmt::format("--set {}", assignment)), 0, 0}, "bad-set",
                      "has no value", "write KEY=VALUE");
    return;
  }
  change.Apply(std::string_view(assignment).substr(equals + 1), document);
}

}  // namespace cnisim
