#include "tools/cnisim/format/json_schema.h"

#include <cmath>
#include <limits>

#include "sim/scenario/quantities.h"
#include "sim/scenario/scenario_schema.h"

namespace cnisim {
namespace {

using Type = SchemaRead::Type;

Json Pattern(const char* pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

Json AnyOf(Json first, Json second) {
  return {{"anyOf", Json::array({std::move(first), std::move(second)})}};
}

// A whole number as such.
Json Plain(double value) {
  if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<int64_t>(value);
  return value;
}

Json OfRead(const SchemaRead& read) {
  switch (read.type) {
    case Type::kText:
      return {{"type", {"string", "number", "boolean", "null"}}};
    case Type::kString:
      return {{"type", "string"}, {"minLength", 1}};
    case Type::kDnsLabel:
      return Pattern("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
    case Type::kName:
      return Pattern("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$");
    case Type::kBool:
      return {{"type", "boolean"}};
    case Type::kUnsigned64:
      return {
          {"type", "integer"}, {"minimum", 0}, {"maximum", std::numeric_limits<uint64_t>::max()}};
    case Type::kInteger:
      return {{"type", "integer"}, {"minimum", Plain(read.low)}, {"maximum", Plain(read.high)}};
    case Type::kNumber:
      return {{"type", "number"}, {"minimum", Plain(read.low)}, {"maximum", Plain(read.high)}};
    case Type::kCidr:
      return Pattern("^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$");
    case Type::kDuration:
      return AnyOf(Pattern("^(0|([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(d|h|m|s|ms|us|ns))+$"),
                   {{"const", 0}});
    case Type::kRate:
      return Pattern("^[0-9.]+([eE][+-]?[0-9]+)?/(s|m|h|d)$");
    case Type::kCpu:
      return AnyOf(Pattern("^[0-9.]+m?$"), {{"type", "number"}, {"minimum", 0}});
    case Type::kMemory:
    case Type::kBytes:
      return AnyOf(Pattern("^[0-9.]+([kKMGTPE]i?)?$"), {{"type", "number"}, {"minimum", 0}});
    case Type::kWords: {
      Json words = Json::array();
      for (const std::string& word : read.words) words.push_back(word);
      return {{"enum", std::move(words)}};
    }
  }
  return Json::object();
}

Json DefaultOf(const SchemaNote& note) {
  for (const SchemaRead& read : note.reads) {
    if (read.type == Type::kBool) return note.default_text == "true";
    if (read.type != Type::kInteger && read.type != Type::kNumber &&
        read.type != Type::kUnsigned64) {
      continue;
    }
    if (const auto number = ParseNumber(note.default_text)) return Plain(*number);
  }
  return note.default_text;
}

Json OfNote(const SchemaNote& note);

Json OfMapping(const SchemaNote& note) {
  Json properties = Json::object();
  Json required = Json::array();
  Json rest = false;
  for (const auto& [key, child] : note.keys) {
    if (key == "*") {
      rest = OfNote(*child);
    } else {
      properties[key] = OfNote(*child);
      // Of a value that is described elsewhere, this place cannot tell.
      if (note.visits > 0 && child->required == note.visits) required.push_back(key);
    }
  }
  Json mapping{{"type", "object"}};
  if (!properties.empty()) mapping["properties"] = std::move(properties);
  mapping["additionalProperties"] = std::move(rest);
  if (!required.empty()) mapping["required"] = std::move(required);
  Json choices = Json::array();
  for (const auto& [keys, times] : note.one_of) {
    if (times != note.visits) continue;
    Json one_of = Json::array();
    for (const std::string& key : keys) one_of.push_back({{"required", {key}}});
    choices.push_back({{"oneOf", std::move(one_of)}});
  }
  if (!choices.empty()) mapping["allOf"] = std::move(choices);
  return mapping;
}

Json OfNote(const SchemaNote& note) {
  Json ways = Json::array();
  if (!note.shared.empty()) {
    ways.push_back({{"$ref", "#/$defs/" + note.shared}});
  } else {
    for (const SchemaRead& read : note.reads) ways.push_back(OfRead(read));
    if (note.is_mapping) ways.push_back(OfMapping(note));
    if (note.items != nullptr) ways.push_back({{"type", "array"}, {"items", OfNote(*note.items)}});
  }
  Json schema = Json::object();
  if (!note.help.empty()) schema["description"] = note.help;
  if (!note.default_text.empty()) schema["default"] = DefaultOf(note);
  if (ways.size() == 1) {
    schema.update(ways.front());
  } else if (ways.size() > 1) {
    schema["anyOf"] = std::move(ways);
  }
  return schema;
}

}  // namespace

Json ScenarioJsonSchema() {
  const ScenarioSchema scenario = TheScenarioSchema();
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"$id", "https://cnisim.dev/v1alpha1/scenario.schema.json"},
              {"title", "A scenario of cnisim"}};
  schema.update(OfNote(*scenario.root));
  Json definitions = Json::object();
  for (const auto& [name, note] : *scenario.shared) definitions[name] = OfNote(*note);
  schema["$defs"] = std::move(definitions);
  return schema;
}

}  // namespace cnisim
