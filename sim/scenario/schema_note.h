// What readers ask of a document, noted instead of answered: the readers are the schema.
//
// Readers (yaml_reader.h) that are given a SchemaRecorder read an imaginary document: every Get()
// becomes a key, every typed reading its type, range or words. Where a reader's way depends on the
// document (a key is there, a value is this word), the recorder decides; Explore() runs the readers
// again and again until every way out of every such decision has been taken once, each with the
// decisions that led to it. So nothing is described that is not read, and nothing read that is not
// described, but for ways that open only by a combination of independent decisions.
#ifndef CNISIM_SIM_SCENARIO_SCHEMA_NOTE_H_
#define CNISIM_SIM_SCENARIO_SCHEMA_NOTE_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cnisim {

// One way of reading a value.
struct SchemaRead {
  enum class Type {
    kText,      // any scalar
    kString,    // not empty, and nothing that YAML takes for a number, boolean or null
    kDnsLabel,  // RFC 1123
    kName,      // also capitals, '_' and '.'
    kBool,
    kUnsigned64,
    kInteger,
    kNumber,
    kCidr,
    kDuration,
    kRate,
    kCpu,
    kMemory,
    kBytes,
    kWords,
  };

  Type type = Type::kText;
  // Of kInteger, kNumber, kRate (a second) and kBytes; of kDuration in seconds.
  double low = 0;
  double high = 0;
  std::string low_text;  // as users write them; empty: no range
  std::string high_text;
  std::vector<std::string> words;

  friend bool operator==(const SchemaRead&, const SchemaRead&) = default;
};

struct SchemaNote {
  using Key = std::pair<std::string, std::unique_ptr<SchemaNote>>;

  // A value may be read in several ways: a duration or a mapping.
  std::vector<SchemaRead> reads;
  std::vector<Key> keys;  // of a mapping, in the order in which they are first asked for
  std::unique_ptr<SchemaNote> items;  // of a list
  bool is_mapping = false;
  bool any_key = false;      // a mapping whose keys are the user's; its values are as key "*"
  std::string shared;        // if not empty, it is as the shared note of that name
  std::string help;          // one line
  std::string default_text;  // as YAML; empty: none, or it depends on other values

  // How often a mapping was read, this key of it was required, and exactly one of these keys was.
  int visits = 0;
  int required = 0;
  std::map<std::vector<std::string>, int> one_of;

  SchemaNote* Child(std::string_view key);
  const SchemaNote* Find(std::string_view key) const;
  void Note(SchemaRead read);
};

class SchemaRecorder {
 public:
  SchemaNote& root() { return root_; }
  const std::map<std::string, std::unique_ptr<SchemaNote>>& shared() const { return shared_; }
  // The note of all values that are described as `name`.
  SchemaNote* Shared(const std::string& name);

  // 0 unless this pass is to explore another alternative.
  int Decide(const SchemaNote* note, const std::string& question, int alternatives);

  // Calls `read` once for each way through it.
  void Explore(const std::function<void(SchemaRecorder&)>& read);

 private:
  using Question = std::pair<const SchemaNote*, std::string>;
  using Decisions = std::map<Question, int>;

  SchemaNote root_;
  std::map<std::string, std::unique_ptr<SchemaNote>> shared_;
  Decisions decisions_;  // of this pass
  std::set<Question> known_;
  std::deque<Decisions> to_do_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_SCHEMA_NOTE_H_
