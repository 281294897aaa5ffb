#include "sim/scenario/yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>

#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

using Type = SchemaRead::Type;

SchemaRead ReadAs(Type type, double low = 0, double high = 0, std::string low_text = "",
                  std::string high_text = "") {
  SchemaRead read;
  read.type = type;
  read.low = low;
  read.high = high;
  read.low_text = std::move(low_text);
  read.high_text = std::move(high_text);
  return read;
}

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsDnsLabel(std::string_view text) {
  return !text.empty() && text.size() <= kMaxDnsLabel && text.front() != '-' &&
         text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; });
}

// The nearest DNS label to what was written.
std::string AsDnsLabel(std::string_view text) {
  std::string label;
  for (const char c : text.substr(0, kMaxDnsLabel)) {
    label += IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : IsLower(c) || IsDigit(c) ? c : '-';
  }
  while (label.starts_with('-')) label.erase(0, 1);
  while (label.ends_with('-')) label.pop_back();
  return label;
}

// What YAML 1.1 or 1.2 takes for something other than a string.
bool LooksTyped(std::string_view text) {
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) return true;
  }
  return ParseNumber(text).has_value();
}

bool IsWhole(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, IsDigit);
}

double InSeconds(Duration d) { return std::chrono::duration<double>(d).count(); }

std::string LabelOf(std::string_view key, std::string_view what) {
  return fmt::format("'{}' of {}", key, what);
}

std::string Missing(std::string_view label) { return fmt::format("{} is missing", label); }

}  // namespace

bool Field::Noted(SchemaRead read) {
  if (schema_) schema_.note->Note(std::move(read));
  return static_cast<bool>(schema_);
}

size_t Field::NoteWords(std::span<const std::string_view> names) {
  SchemaRead read = ReadAs(Type::kWords);
  read.words.assign(names.begin(), names.end());
  Noted(std::move(read));
  const int ways = static_cast<int>(names.size()) + 1;
  return static_cast<size_t>(schema_.recorder->Decide(schema_.note, "word", ways));
}

void Field::DescribeAs(const char* name) {
  if (!schema_) return;
  schema_.note->shared = name;
  schema_.note = schema_.recorder->Shared(name);
}

const YamlNode* Field::node() const {
  static const YamlNode kNothing;
  return schema_ ? &kNothing : node_;
}

bool Field::Is(std::string_view word) const {
  if (schema_) {
    SchemaRead read = ReadAs(Type::kWords);
    read.words.emplace_back(word);
    schema_.note->Note(std::move(read));
    return false;
  }
  return present() && node_->kind == YamlNode::Kind::kScalar && node_->text == word;
}

Field& Field::Required() {
  if (schema_) {
    ++schema_.note->required;
    return *this;
  }
  if (!present()) {
    if (node_ == nullptr || node_->from_flag) {
      Error("missing-key", Missing(label_));
    } else {
      Error("missing-value", fmt::format("{} has no value", label_));
    }
    node_ = nullptr;
    silent_ = true;
  }
  return *this;
}

void Field::Error(Code code, std::string message, std::string suggestion) {
  if (!silent_) diagnostics_->Error(where_, code, std::move(message), std::move(suggestion));
}

void Field::Error(Code code, std::string message, std::string_view written,
                  std::span<const std::string_view> candidates) {
  Error(code, std::move(message), DidYouMean(written, candidates));
}

void Field::WrongType(std::string_view wanted) {
  Error("wrong-type", fmt::format("{} must be {}, not {}", label_, wanted, Describe(*node_)));
}

const YamlNode* Field::Scalar(std::string_view wanted) {
  if (node_ == nullptr) return nullptr;
  if (node_->is_null()) {
    if (!node_->from_flag) Error("missing-value", fmt::format("{} has no value", label_));
    return nullptr;
  }
  if (node_->kind != YamlNode::Kind::kScalar) {
    WrongType(wanted);
    return nullptr;
  }
  return node_;
}

std::optional<std::string> Field::Text() {
  if (Noted(ReadAs(Type::kText))) return std::nullopt;
  const YamlNode* scalar = Scalar("text");
  return scalar ? std::optional(scalar->text) : std::nullopt;
}

std::optional<std::string> Field::String() {
  if (Noted(ReadAs(Type::kString))) return std::nullopt;
  const YamlNode* scalar = Scalar("a string");
  if (scalar == nullptr) return std::nullopt;
  if (scalar->text.empty()) {
    Error("bad-value", fmt::format("{} is empty", label_));
    return std::nullopt;
  }
  if (!scalar->quoted && !scalar->from_flag && LooksTyped(scalar->text)) {
    Error("wrong-type", fmt::format("{} must be a string, not {}", label_, Describe(*scalar)),
          fmt::format("did you mean \"{}\", in quotes?", scalar->text));
    return std::nullopt;
  }
  return scalar->text;
}

bool IsName(std::string_view text, size_t longest) {
  const auto alphanumeric = [](char c) { return IsLower(c) || IsUpper(c) || IsDigit(c); };
  return !text.empty() && text.size() <= longest && alphanumeric(text.front()) &&
         alphanumeric(text.back()) && std::ranges::all_of(text, [&](char c) {
           return alphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

std::optional<std::string> Field::DnsLabel() {
  if (Noted(ReadAs(Type::kDnsLabel))) return std::nullopt;
  std::optional<std::string> text = String();
  if (!text || IsDnsLabel(*text)) return text;
  const std::string near = AsDnsLabel(*text);
  Error("bad-name",
        fmt::format("{} must have only a-z, 0-9 and '-', a letter or digit at both ends, and at "
                    "most {} characters, not {}",
                    label_, kMaxDnsLabel, Describe(*node_)),
        near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  return std::nullopt;
}

std::optional<std::string> Field::Name() {
  if (Noted(ReadAs(Type::kName))) return std::nullopt;
  std::optional<std::string> text = String();
  if (!text) return std::nullopt;
  if (IsName(*text, kMaxDnsLabel)) return text;
  Error("bad-name",
        fmt::format("{} must have only letters, digits, '-', '_' and '.', a letter or digit at "
                    "both ends, and at most {} characters, not {}",
                    label_, kMaxDnsLabel, Describe(*node_)));
  return std::nullopt;
}

std::optional<bool> Field::Bool() {
  if (Noted(ReadAs(Type::kBool))) return std::nullopt;
  const YamlNode* scalar = Scalar("true or false");
  if (scalar == nullptr) return std::nullopt;
  if (!scalar->quoted) {
    if (scalar->text == "true") return true;
    if (scalar->text == "false") return false;
  }
  const std::string_view text = scalar->text;
  std::string suggestion;
  for (const std::string_view yes : {"true", "True", "TRUE", "yes", "Yes", "on", "On", "1"}) {
    if (text == yes) suggestion = "did you mean 'true'?";
  }
  for (const std::string_view no : {"false", "False", "FALSE", "no", "No", "off", "Off", "0"}) {
    if (text == no) suggestion = "did you mean 'false'?";
  }
  Error("wrong-type", fmt::format("{} must be true or false, not {}", label_, Describe(*scalar)),
        suggestion);
  return std::nullopt;
}

std::optional<int64_t> Field::Int64(int64_t min, int64_t max) {
  if (Noted(ReadAs(Type::kInteger, static_cast<double>(min), static_cast<double>(max),
                   fmt::format("{}", min), fmt::format("{}", max))))
    return std::nullopt;
  const std::string wanted = fmt::format("a whole number from {} to {}", min, max);
  const YamlNode* scalar = Scalar(wanted);
  if (scalar == nullptr) return std::nullopt;
  const std::optional<int64_t> value = ParseInteger(scalar->text);
  if (!value || scalar->quoted) {
    Error(IsWhole(scalar->text) && !scalar->quoted ? Code("out-of-range") : Code("wrong-type"),
          fmt::format("{} must be {}, not {}", label_, wanted, Describe(*scalar)),
          value ? fmt::format("did you mean {}, without quotes?", *value) : "");
    return std::nullopt;
  }
  if (*value < min || *value > max) {
    Error("out-of-range", fmt::format("{} must be {}, not {}", label_, wanted, *value));
    return std::nullopt;
  }
  return value;
}

std::optional<uint64_t> Field::Unsigned64() {
  if (Noted(ReadAs(Type::kUnsigned64))) return std::nullopt;
  const std::string_view wanted = "a whole number from 0 to 18446744073709551615";
  const YamlNode* scalar = Scalar(wanted);
  if (scalar == nullptr) return std::nullopt;
  uint64_t value = 0;
  const std::string& text = scalar->text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error == std::errc() && end == text.data() + text.size() && !leading_zero &&
      !scalar->quoted) {
    return value;
  }
  Error(IsWhole(text) && !scalar->quoted ? Code("out-of-range") : Code("wrong-type"),
        fmt::format("{} must be {}, not {}", label_, wanted, Describe(*scalar)));
  return std::nullopt;
}

std::optional<double> Field::Number(double min, double max) {
  if (Noted(ReadAs(Type::kNumber, min, max, fmt::format("{}", min), fmt::format("{}", max))))
    return std::nullopt;
  const std::string wanted = fmt::format("a number from {} to {}", min, max);
  const YamlNode* scalar = Scalar(wanted);
  if (scalar == nullptr) return std::nullopt;
  const std::optional<double> value = ParseNumber(scalar->text);
  if (!value || scalar->quoted) {
    WrongType(wanted);
    return std::nullopt;
  }
  if (*value < min || *value > max) {
    Error("out-of-range", fmt::format("{} must be {}, not {}", label_, wanted, Describe(*scalar)));
    return std::nullopt;
  }
  return value;
}

std::optional<Ipv4Cidr> Field::Cidr() {
  if (Noted(ReadAs(Type::kCidr))) return std::nullopt;
  const YamlNode* scalar = Scalar("an IPv4 block such as 10.0.0.0/16");
  if (scalar == nullptr) return std::nullopt;
  const std::optional<Ipv4Cidr> cidr = Ipv4Cidr::Parse(scalar->text);
  if (cidr) return cidr;
  // The usual slip: an address inside the block instead of its first.
  const std::string_view text = scalar->text;
  const size_t slash = text.find('/');
  const std::optional<Ipv4Address> address = Ipv4Address::Parse(text.substr(0, slash));
  std::optional<int64_t> length;
  if (slash != std::string_view::npos) length = ParseInteger(text.substr(slash + 1));
  if (address && length && *length >= 0 && *length <= 32) {
    const Ipv4Cidr masked(*address, static_cast<int>(*length));
    Error("bad-cidr",
          fmt::format("{} is {}, which is inside a block, not the start of one", label_,
                      Describe(*scalar)),
          fmt::format("did you mean '{}'?", masked.ToString()));
  } else {
    Error("bad-cidr", fmt::format("{} must be an IPv4 block such as 10.0.0.0/16, not {}", label_,
                                  Describe(*scalar)));
  }
  return std::nullopt;
}

template <typename T>
std::optional<T> Field::Parsed(Quantity<T> (*parse)(std::string_view), std::string_view wanted) {
  const YamlNode* scalar = Scalar(wanted);
  if (scalar == nullptr) return std::nullopt;
  Quantity<T> value = parse(scalar->text);
  if (value) return *std::move(value);
  Error("bad-quantity", fmt::format("{}: {} {}", label_, Describe(*scalar), value.error().message),
        value.error().suggestion);
  return std::nullopt;
}

std::optional<Duration> Field::Time(Duration min, Duration max) {
  if (Noted(ReadAs(Type::kDuration, InSeconds(min), InSeconds(max), FormatDuration(min),
                   FormatDuration(max))))
    return std::nullopt;
  const std::optional<Duration> value = Parsed(&ParseDuration, "a duration such as 30s");
  if (value && (*value < min || *value > max)) {
    Error("out-of-range", fmt::format("{} must be from {} to {}, not {}", label_,
                                      FormatDuration(min), FormatDuration(max), node_->text));
    return std::nullopt;
  }
  return value;
}

std::optional<double> Field::Rate(double min, double max) {
  if (Noted(ReadAs(Type::kRate, min, max, fmt::format("{}/s", min), fmt::format("{}/s", max))))
    return std::nullopt;
  const std::optional<double> value = Parsed(&ParseRate, "a rate such as 20/s");
  if (value && (*value < min || *value > max)) {
    Error("out-of-range",
          fmt::format("{} must be from {}/s to {}/s, not {}", label_, min, max, node_->text));
    return std::nullopt;
  }
  return value;
}

std::optional<int64_t> Field::CpuMilli() {
  if (Noted(ReadAs(Type::kCpu))) return std::nullopt;
  return Parsed(&ParseCpuMilli, "an amount of CPU such as 500m");
}

std::optional<int64_t> Field::MemoryMib() {
  if (Noted(ReadAs(Type::kMemory))) return std::nullopt;
  return Parsed(&ParseMemoryMib, "an amount of memory such as 500Mi");
}

std::optional<int64_t> Field::Bytes(int64_t min, int64_t max) {
  if (Noted(ReadAs(Type::kBytes, static_cast<double>(min), static_cast<double>(max),
                   fmt::format("{}", min), fmt::format("{}", max))))
    return std::nullopt;
  const std::optional<int64_t> value = Parsed(&ParseBytes, "a size such as 900 or 8Ki");
  if (value && (*value < min || *value > max)) {
    Error("out-of-range",
          fmt::format("{} must be from {} to {} bytes, not {}", label_, min, max, node_->text));
    return std::nullopt;
  }
  return value;
}

MapReader Field::Map(std::string what) {
  return MapReader(node_, where_, std::move(what), *diagnostics_, silent_, schema_);
}

std::vector<Field> Field::List(std::string_view item) {
  std::vector<Field> fields;
  if (schema_) {
    if (schema_.note->items == nullptr) schema_.note->items = std::make_unique<SchemaNote>();
    const SchemaPlace place{schema_.recorder, schema_.note->items.get()};
    fields.emplace_back(nullptr, where_, fmt::format("{} 1", item), *diagnostics_, true, place);
    return fields;
  }
  if (!present()) return fields;
  if (node_->kind != YamlNode::Kind::kList) {
    WrongType("a list");
    return fields;
  }
  for (size_t i = 0; i < node_->items.size(); ++i) {
    const YamlNode& node = node_->items[i];
    fields.emplace_back(&node, node.where, fmt::format("{} {}", item, i + 1), *diagnostics_);
  }
  return fields;
}

MapReader::MapReader(const YamlNode* node, Location where, std::string what,
                     Diagnostics& diagnostics, bool silent, SchemaPlace schema)
    : node_(node),
      where_(where),
      what_(std::move(what)),
      diagnostics_(&diagnostics),
      silent_(silent),
      schema_(schema) {
  if (schema_) {
    schema_.note->is_mapping = true;
    ++schema_.note->visits;
    return;
  }
  if (node_ == nullptr || node_->is_null()) return;
  if (node_->kind == YamlNode::Kind::kMapping) return;
  silent_ = true;
  diagnostics_->Error(where_, "wrong-type",
                      fmt::format("{} must be a mapping, not {}", what_, Describe(*node_)));
}

Field MapReader::Get(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
  const std::string label = LabelOf(key, what_);
  if (schema_) {
    const SchemaPlace place{schema_.recorder, schema_.note->Child(key)};
    return Field(nullptr, where_, label, *diagnostics_, true, place);
  }
  const YamlNode* value = node_ == nullptr ? nullptr : node_->Find(key);
  return Field(value, value == nullptr ? where_ : value->where, label, *diagnostics_, silent_);
}

bool MapReader::Has(std::string_view key) const {
  if (schema_) return schema_.Decide(fmt::format("has {}", key).c_str());
  return node_ != nullptr && node_->Find(key) != nullptr;
}

std::string_view MapReader::LoneKey(std::span<const std::string_view> keys) {
  if (schema_) {
    const int ways = static_cast<int>(keys.size()) + 1;
    const int way = schema_.recorder->Decide(schema_.note, "lone key", ways);
    return way == 0 ? std::string_view() : keys[static_cast<size_t>(way) - 1];
  }
  if (written().size() != 1) return {};
  const auto it = std::ranges::find(keys, written().front().key);
  return it == keys.end() ? std::string_view() : *it;
}

void MapReader::KeysAreOf(std::span<const std::string_view> keys) {
  if (!schema_) return;
  schema_.note->any_key = false;
  for (const std::string_view key : keys) schema_.note->Child(key)->Note(ReadAs(Type::kText));
}

void MapReader::Misplaced(std::string_view key, std::string why) {
  if (schema_ || !Has(key)) return;
  const auto entry = std::ranges::find(written(), key, &YamlEntry::key);
  diagnostics_->Error(entry->where, "misplaced-key",
                      fmt::format("key '{}' in {} {}", key, what_, why));
  known_.push_back(key);
}

bool MapReader::OnlyOne(std::initializer_list<std::string_view> keys) {
  std::vector<Field> present;
  std::string names;
  for (const std::string_view key : keys) {
    if (!names.empty()) names += key == *(keys.end() - 1) ? " and " : ", ";
    names += fmt::format("'{}'", key);
    if (Field field = Get(key); field.present()) present.push_back(std::move(field));
  }
  if (schema_) ++schema_.note->one_of[{keys.begin(), keys.end()}];
  if (present.empty() && !silent_) {
    diagnostics_->Error(where_, "missing-key", fmt::format("{} needs one of {}", what_, names));
  } else if (present.size() > 1) {
    present[1].Error("conflicting-keys", fmt::format("{} needs only one of {}", what_, names));
  }
  return present.size() == 1;
}

void MapReader::Done() {
  for (const YamlEntry& entry : written()) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    YamlNode key;
    key.kind = YamlNode::Kind::kScalar;
    key.text = entry.key;
    diagnostics_->Error(entry.where, "unknown-key",
                        fmt::format("unknown key {} in {}", Describe(key), what_),
                        DidYouMean(entry.key, known_));
    // The key that was meant is not missing as well.
    if (const auto meant = Nearest(entry.key, known_)) {
      diagnostics_->Retract(where_, "missing-key", Missing(LabelOf(*meant, what_)));
    }
  }
}

const std::vector<YamlEntry>& MapReader::entries() const {
  static const std::vector<YamlEntry> kAny{{"*", {}, {}}};
  if (!schema_ || !schema_.note->keys.empty()) return written();
  schema_.note->any_key = true;
  return kAny;
}

const std::vector<YamlEntry>& MapReader::written() const {
  static const std::vector<YamlEntry> kNone;
  return node_ == nullptr ? kNone : node_->entries;
}

}  // namespace cnisim
