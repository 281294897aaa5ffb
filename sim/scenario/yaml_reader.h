// Typed readers over a YamlNode tree: each checks one value, says what is wrong with it, and notes
// which keys a mapping may have.
//
//   MapReader workload(node, "workload 'api'", diagnostics);
//   spec.replicas = workload.Get("replicas").Required().Int(0, 1000).value_or(0);
//   workload.Done();  // reports keys that nobody asked for
//
// Given a SchemaRecorder they note what they ask for instead (schema_note.h).
//
// A reader of a missing or wrong value returns nullopt after telling `diagnostics`, so reading goes
// on and finds every independent mistake.
#ifndef CNISIM_SIM_SCENARIO_YAML_READER_H_
#define CNISIM_SIM_SCENARIO_YAML_READER_H_

#include <fmt/format.h>

#include <concepts>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/net/ipv4.h"
#include "sim/scenario/diagnostic.h"
#include "sim/scenario/quantities.h"
#include "sim/scenario/schema_note.h"
#include "sim/scenario/yaml_tree.h"

namespace cnisim {

class MapReader;

inline constexpr size_t kMaxDnsLabel = 63;  // RFC 1123

// Letters, digits, '-', '_' and '.', a letter or digit at both ends, at most `longest` characters.
bool IsName(std::string_view text, size_t longest);

// Where what is read is noted; null: it is read.
struct SchemaPlace {
  SchemaRecorder* recorder = nullptr;
  SchemaNote* note = nullptr;

  explicit operator bool() const { return recorder != nullptr; }
  bool Decide(const char* question) const { return recorder->Decide(note, question, 2) == 1; }
};

// One value. `label` names it in messages: "'replicas' of workload 'api'".
class Field {
 public:
  // `silent`: of something already reported, so nothing more is said about it.
  Field(const YamlNode* node, Location where, std::string label, Diagnostics& diagnostics,
        bool silent = false, SchemaPlace schema = {})
      : node_(node),
        where_(where),
        label_(std::move(label)),
        diagnostics_(&diagnostics),
        silent_(silent),
        schema_(schema) {}

  // Reports an absent value; what would be inside it is then not missed as well.
  Field& Required();

  bool present() const {
    return schema_ ? schema_.Decide("present") : node_ != nullptr && !node_->is_null();
  }
  bool is_mapping() const {
    if (schema_) return schema_.Decide("mapping");
    return present() && node_->kind == YamlNode::Kind::kMapping;
  }
  // Is `word`, which a reader takes in the place of another type.
  bool Is(std::string_view word) const;
  // Values that are read alike are described once.
  void DescribeAs(const char* name);
  Location where() const { return where_; }
  const std::string& label() const { return label_; }

  // Text in any scalar's form: quoted, or plain whatever it looks like.
  std::optional<std::string> Text();
  // Text that YAML does not take for a number, a boolean or null; not empty.
  std::optional<std::string> String();
  // A DNS label, as Kubernetes names its objects (RFC 1123): a-z, 0-9 and '-', at most 63.
  std::optional<std::string> DnsLabel();
  // A name that may also have capitals, '_' and '.'.
  std::optional<std::string> Name();
  std::optional<bool> Bool();
  std::optional<uint64_t> Unsigned64();
  std::optional<double> Number(double min, double max);
  std::optional<Ipv4Cidr> Cidr();
  std::optional<Duration> Time(Duration min, Duration max);
  std::optional<double> Rate(double min, double max);
  std::optional<int64_t> CpuMilli();
  std::optional<int64_t> MemoryMib();
  std::optional<int64_t> Bytes(int64_t min, int64_t max);

  template <std::integral T>
  std::optional<T> Int(T min, T max) {
    const std::optional<int64_t> value = Int64(min, max);
    return value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt;
  }

  // One of a few words.
  template <typename T>
  std::optional<T> OneOf(std::initializer_list<std::pair<std::string_view, T>> words) {
    return OneOf<T>(std::span(words.begin(), words.size()));
  }
  template <typename T>
  std::optional<T> OneOf(std::span<const std::pair<std::string_view, T>> words) {
    std::vector<std::string_view> names;
    if (schema_) {
      for (const auto& [name, value] : words) names.push_back(name);
      const size_t chosen = NoteWords(names);
      return chosen == 0 ? std::nullopt : std::optional<T>(words[chosen - 1].second);
    }
    const std::optional<std::string> text = String();
    if (!text) return std::nullopt;
    for (const auto& [name, value] : words) {
      if (name == *text) return value;
      names.push_back(name);
    }
    Error("bad-value", fmt::format("{} cannot be {}", label_, Describe(*node_)), *text, names);
    return std::nullopt;
  }

  // An absent mapping reads as an empty one.
  MapReader Map(std::string what);
  // An absent list is empty. `item` names an element: "subnet".
  std::vector<Field> List(std::string_view item);

  // For checks that readers cannot make.
  void Error(Code code, std::string message, std::string suggestion = "");
  // With "did you mean" among `candidates`.
  void Error(Code code, std::string message, std::string_view written,
             std::span<const std::string_view> candidates);

  // Not null if the value is present.
  const YamlNode* node() const;

 private:
  // 0, or 1 and the index of the word that the recorder decides for.
  size_t NoteWords(std::span<const std::string_view> names);
  bool Noted(SchemaRead read);
  std::optional<int64_t> Int64(int64_t min, int64_t max);
  const YamlNode* Scalar(std::string_view wanted);
  void WrongType(std::string_view wanted);
  template <typename T>
  std::optional<T> Parsed(Quantity<T> (*parse)(std::string_view), std::string_view wanted);

  const YamlNode* node_;  // nullptr: absent
  Location where_;
  std::string label_;
  Diagnostics* diagnostics_;
  bool silent_;
  SchemaPlace schema_;
};

class MapReader {
 public:
  // A null or missing node reads as an empty mapping; anything but a mapping is reported, and then
  // nothing more about it.
  MapReader(const YamlNode* node, Location where, std::string what, Diagnostics& diagnostics,
            bool silent = false, SchemaPlace schema = {});

  // The key is allowed from now on.
  Field Get(std::string_view key);
  bool Has(std::string_view key) const;
  // Keys that this mapping cannot have as it is, but others of its sort can: `why` instead of
  // "unknown key" ("is for kind CronJob").
  void Misplaced(std::string_view key, std::string why);
  // The key that stands alone in the mapping if it is one of these; else empty.
  std::string_view LoneKey(std::span<const std::string_view> keys);
  // Of a mapping that is read by its entries: what its keys can be.
  void KeysAreOf(std::span<const std::string_view> keys);
  // Whether exactly one of the keys has a value; reports none and a second one.
  bool OnlyOne(std::initializer_list<std::string_view> keys);
  // Reports every other key.
  void Done();

  const std::string& what() const { return what_; }
  // "workload 3" becomes "workload 'api'" once its name is known.
  void Rename(std::string what) { what_ = std::move(what); }
  Location where() const { return where_; }
  // For mappings whose keys are the user's.
  const std::vector<YamlEntry>& entries() const;
  Diagnostics& diagnostics() { return *diagnostics_; }

 private:
  const std::vector<YamlEntry>& written() const;

  const YamlNode* node_;
  Location where_;
  std::string what_;
  Diagnostics* diagnostics_;
  bool silent_;
  SchemaPlace schema_;
  std::vector<std::string_view> known_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_YAML_READER_H_
