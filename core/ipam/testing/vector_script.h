// What scripts of conformance vectors have in common: the files' format, the words of a line, and
// how an answer is compared with what is expected. The format is described in
// core/ipam/vectors/README.md.
#ifndef CNISIM_CORE_IPAM_TESTING_VECTOR_SCRIPT_H_
#define CNISIM_CORE_IPAM_TESTING_VECTOR_SCRIPT_H_

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/net/ip.h"
#include "core/ports/result.h"

namespace cnisim {

struct VectorLine {
  int number = 0;
  std::string command;                  // without expectation and comment
  std::optional<std::string> expected;  // nullopt: anything but an error
};

struct VectorCase {
  std::string file;
  std::string id;
  std::string title;
  std::string after;  // the case whose lines come first; may be empty
  int line = 0;
  std::vector<VectorLine> lines;
};

// All cases of a file, or what is wrong with it as "file:line: ...".
Result<std::vector<VectorCase>> ParseVectors(const std::string& file, const std::string& text);

// The cases of all *.txt files of a directory, in the order of their names.
struct Vectors {
  std::vector<VectorCase> cases;
  std::vector<std::string> problems;

  // nullptr if there is none of that id.
  const VectorCase* Find(const std::string& id) const;
};
// `directory` is relative to `source`; so are the files' names.
Vectors ReadVectors(const std::filesystem::path& source, const std::string& directory);

// --- Lines ---

// What a line cannot mean; thrown by the functions below, reported with file and line.
struct Malformed {
  std::string what;
};

std::vector<std::string> Words(const std::string& text);
int ToInt(const std::string& text);
IpCidr ToCidr(const std::string& text);
// "none" for no items.
template <typename List>
std::string ListText(const List& items) {
  return items.empty() ? "none" : fmt::format("{}", fmt::join(items, ","));
}

// The words after the command: plain ones, then NAME=VALUE. All must be used.
class ScriptArguments {
 public:
  explicit ScriptArguments(std::vector<std::string> words) : words_(std::move(words)) {}

  std::string Word(const char* what);
  bool Flag(const std::string& name) { return std::erase(words_, name) > 0; }
  std::optional<std::string> Option(const std::string& name);
  std::string Text(const std::string& name) { return Option(name).value_or(""); }
  int Int(const std::string& name, std::optional<int> fallback = std::nullopt);
  // All that is left.
  std::vector<std::string> Rest() { return std::exchange(words_, {}); }
  bool empty() const { return words_.empty(); }
  void ExpectEnd() const;

 private:
  std::vector<std::string> words_;
};

// Expected words are the first of the answer, or name=value words that occur somewhere in it.
bool MatchesWords(const std::string& answer, const std::string& expected);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_TESTING_VECTOR_SCRIPT_H_
