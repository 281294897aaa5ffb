// YAML text as a tree of values that know where they were written.
//
// One document; anchors, aliases and merge keys (<<) are resolved, so users of the tree see plain
// mappings, lists and scalars. A mapping has no key twice. Aliases and nesting are limited, so a
// small hostile file cannot become a large tree.
#ifndef CNISIM_SIM_SCENARIO_YAML_TREE_H_
#define CNISIM_SIM_SCENARIO_YAML_TREE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/diagnostic.h"

namespace cnisim {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMapping };

  Kind kind = Kind::kNull;
  Location where;  // of an absent value: its key's
  std::string text;
  bool quoted = false;     // a string, whatever it looks like
  bool from_flag = false;  // given with --set: takes the type that is wanted
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // as written

  bool is_null() const { return kind == Kind::kNull; }
  // nullptr if there is no such key.
  const YamlNode* Find(std::string_view key) const;
  YamlNode* Find(std::string_view key);
};

struct YamlEntry {
  std::string key;
  Location where;
  YamlNode value;
};

// "a list", "a mapping", "the string "x"", "the number 5", "'x'", "nothing": for messages.
std::string Describe(const YamlNode& node);

inline constexpr int kMaxYamlDepth = 64;
inline constexpr size_t kMaxYamlNodes = 100'000;
inline constexpr size_t kMaxYamlBytes = size_t{4} << 20;

// nullopt after an error has been told to `diagnostics`. An empty document is a null node.
std::optional<YamlNode> ParseYaml(std::string_view text, int source, Diagnostics& diagnostics);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_YAML_TREE_H_
