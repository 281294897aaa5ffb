#include "tools/cnisim/format/format_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario_schema.h"
#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

using Type = SchemaRead::Type;

constexpr size_t kWidth = 100;
// Mappings with more keys than that which catalogues explain are told as a list of names.
constexpr size_t kManyKeys = 12;

constexpr const char* kIntroduction[] = {
    "A scenario is one YAML document. The keys below are all that it may have; (required) are "
    "those "
    "that it must have, the others have the default that is told, if there is one. A value of "
    "another type, a number out of range, an unknown key or an unknown name is refused with its "
    "place; `cnisim validate` also tells what a valid scenario will hardly do.",
    "A <duration> is 90s, 1h30m or 250ms, a <rate> 20/s or 5/m, <cpu> 500m or 2, <memory> 500Mi or "
    "2Gi, <bytes> 900 or 8Ki. A <label> has a-z, 0-9 and '-', a <name> also capitals, '_' and '.'. "
    "<distribution>, <throttle> and <cost> stand at the end.",
    "`cnisim schema scenario` prints the same as JSON Schema for editors; `--set KEY=VALUE` "
    "changes "
    "any of these values without editing.",
};

std::string RangeOf(const SchemaRead& read) {
  return read.low_text.empty() ? "" : fmt::format(" {} to {}", read.low_text, read.high_text);
}

std::string TypeText(const SchemaRead& read) {
  switch (read.type) {
    case Type::kText:
      return "text";
    case Type::kString:
      return "string";
    case Type::kDnsLabel:
      return "<label>";
    case Type::kName:
      return "<name>";
    case Type::kBool:
      return "true or false";
    case Type::kUnsigned64:
      return "whole number from 0";
    case Type::kInteger:
      return "whole number" + RangeOf(read);
    case Type::kNumber:
      return "number" + RangeOf(read);
    case Type::kCidr:
      return "IPv4 block";
    case Type::kDuration:
      return "<duration>";
    case Type::kRate:
      return "<rate>";
    case Type::kCpu:
      return "<cpu>";
    case Type::kMemory:
      return "<memory>";
    case Type::kBytes:
      return "<bytes>" + RangeOf(read);
    case Type::kWords:
      return fmt::format("{}", fmt::join(read.words, " | "));
  }
  return "";
}

std::string TypesText(const SchemaNote& note) {
  if (!note.shared.empty()) return "<" + note.shared + ">";
  std::vector<std::string> ways;
  for (const SchemaRead& read : note.reads) ways.push_back(TypeText(read));
  if (note.items != nullptr) {
    const bool plain = !note.items->reads.empty() && !note.items->is_mapping;
    ways.push_back(plain ? "list of " + TypesText(*note.items) : "list of mappings");
  }
  if (note.is_mapping) ways.emplace_back("mapping");
  return fmt::format("{}", fmt::join(ways, ", or "));
}

struct Entry {
  size_t depth = 0;
  std::string key;
  std::string type;
  std::string help;
};

class Entries {
 public:
  Entries() {
    for (const SchemaHelp& line : AllSchemaHelp()) own_.insert(line.path);
    const ScenarioSchema schema = TheScenarioSchema();
    AddKeys(*schema.root, "", 0);
    for (const auto& [name, note] : *schema.shared) {
      const std::string path = "(" + name + ")";
      entries_.push_back({0, "<" + name + ">", TypesText(*note), note->help});
      AddKeys(*note, path, 1);
    }
  }
  const std::vector<Entry>& all() const { return entries_; }

 private:
  void AddKeys(const SchemaNote& note, const std::string& path, size_t depth) {
    const auto path_of = [&](const std::string& key) {
      return path.empty() ? key : path + "." + key;
    };
    const bool of_catalogue =
        note.keys.size() > kManyKeys && std::ranges::none_of(note.keys, [&](const auto& key) {
          return own_.contains(path_of(key.first));
        });
    if (of_catalogue) {
      std::set<std::string> types;
      std::vector<std::string> names;
      for (const auto& [key, child] : note.keys) {
        names.push_back(key);
        types.insert(WithoutRange(*child));
      }
      entries_.push_back({depth, "KEY", fmt::format("{}", fmt::join(types, ", or ")),
                          fmt::format("KEY is one of {}", fmt::join(names, ", "))});
      return;
    }
    for (const auto& [key, child] : note.keys) {
      const bool required = note.visits > 0 && child->required == note.visits;
      std::string help = child->help;
      if (required) help += " (required)";
      if (!child->default_text.empty()) help += fmt::format(" (default: {})", child->default_text);
      entries_.push_back({depth, key == "*" ? "KEY" : key, TypesText(*child), std::move(help)});
      AddKeys(*child, path_of(key), depth + 1);
    }
    if (note.items != nullptr) AddKeys(*note.items, path + "[]", depth);
  }

  static std::string WithoutRange(const SchemaNote& note) {
    if (note.reads.size() == 1 && note.reads.front().type == Type::kNumber) return "number";
    return TypesText(note);
  }

  std::vector<Entry> entries_;
  std::set<std::string_view> own_;  // paths that schema_help.inc explains
};

// Text in roff: a backslash, and a point or quote at a line's start, mean something there.
std::string Roff(std::string_view text) {
  std::string roff;
  for (const char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else {
      if (roff.empty() && (c == '.' || c == '\'')) roff += "\\&";
      roff += c;
    }
  }
  return roff;
}

}  // namespace

std::string ScenarioPage() {
  std::string page = "The format of scenarios\n";
  for (const char* paragraph : kIntroduction) page += "\n" + Wrapped(paragraph, kWidth) + "\n";
  const Entries entries;
  for (const Entry& entry : entries.all()) {
    if (entry.depth == 0) page += "\n";
    const std::string indent(entry.depth * 2, ' ');
    page += Wrapped(fmt::format("{}: {}", entry.key, entry.type), kWidth, indent.size()) + "\n";
    if (!entry.help.empty()) page += Wrapped(entry.help, kWidth, indent.size() + 6) + "\n";
  }
  return page;
}

std::string ScenarioManPage() {
  std::string page = ".TH CNISIM\\-SCENARIO 5 \"\" \"cnisim " CNISIM_VERSION
                     "\" \"File formats\"\n.ad l\n.SH NAME\n"
                     "cnisim\\-scenario \\- what cnisim simulates\n.SH DESCRIPTION\n";
  for (const char* paragraph : kIntroduction) page += Roff(paragraph) + "\n.PP\n";
  page += ".SH KEYS\n";
  size_t depth = 0;
  const Entries entries;
  for (const Entry& entry : entries.all()) {
    for (; depth < entry.depth; ++depth) page += ".RS 4\n";
    for (; depth > entry.depth; --depth) page += ".RE\n";
    page += fmt::format(".TP\n\\fB{}\\fR: {}\n", Roff(entry.key), Roff(entry.type));
    page += (entry.help.empty() ? "\\&" : Roff(entry.help)) + "\n";
  }
  for (; depth > 0; --depth) page += ".RE\n";
  page +=
      ".SH SEE ALSO\n`cnisim validate \\-\\-help`, `cnisim schema scenario`, `cnisim catalog`\n";
  return page;
}

}  // namespace cnisim
