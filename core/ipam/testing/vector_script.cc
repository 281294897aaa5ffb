#include "core/ipam/testing/vector_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

namespace cnisim {

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

int ToInt(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Malformed{"'" + text + "' is not a number"};
  }
  return value;
}

IpCidr ToCidr(const std::string& text) {
  const auto cidr = IpCidr::Parse(text);
  if (!cidr) throw Malformed{"'" + text + "' is not a CIDR"};
  return *cidr;
}

// --- Files ---

Result<std::vector<VectorCase>> ParseVectors(const std::string& file, const std::string& text) {
  std::vector<VectorCase> cases;
  std::istringstream in(text);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const auto wrong = [&](const std::string& what) {
      return Fail("vectors", fmt::format("{}:{}: {}", file, number, what));
    };
    if (const size_t comment = line.find('#'); comment != std::string::npos) line.resize(comment);
    const std::vector<std::string> words = Words(line);
    if (words.empty()) continue;
    if (words.front() == "case") {
      const size_t open = line.find('"');
      const size_t close = line.rfind('"');
      if (words.size() < 3 || open == std::string::npos || close == open ||
          words[2].front() != '"') {
        return wrong("expected: case ID \"title\" [after ID]");
      }
      VectorCase& added = cases.emplace_back();
      added.file = file;
      added.id = words[1];
      added.line = number;
      added.title = line.substr(open + 1, close - open - 1);
      const std::vector<std::string> rest = Words(line.substr(close + 1));
      if (rest.size() == 2 && rest[0] == "after") {
        added.after = rest[1];
      } else if (!rest.empty()) {
        return wrong("expected after the title: after ID");
      }
      continue;
    }
    if (cases.empty()) return wrong("a command outside of any case");
    VectorLine& added = cases.back().lines.emplace_back();
    added.number = number;
    const size_t arrow = line.find("->");
    added.command = line.substr(0, arrow);
    if (arrow != std::string::npos) {
      added.expected = fmt::format("{}", fmt::join(Words(line.substr(arrow + 2)), " "));
      if (added.expected->empty()) return wrong("nothing is expected after ->");
    }
  }
  return cases;
}

const VectorCase* Vectors::Find(const std::string& id) const {
  const auto it = std::ranges::find(cases, id, &VectorCase::id);
  return it == cases.end() ? nullptr : &*it;
}

Vectors ReadVectors(const std::filesystem::path& source, const std::string& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(source / directory)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  Vectors read;
  std::set<std::string> ids;
  for (const std::filesystem::path& path : files) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    Result<std::vector<VectorCase>> cases =
        ParseVectors(path.lexically_relative(source).string(), text.str());
    if (!cases) {
      read.problems.push_back(cases.error().message);
      continue;
    }
    for (VectorCase& added : *cases) {
      if (!ids.insert(added.id).second) read.problems.push_back(added.id + " is there twice");
      if (!added.after.empty() && !ids.contains(added.after)) {
        read.problems.push_back(added.id + " follows no earlier case");
      }
      read.cases.push_back(std::move(added));
    }
  }
  return read;
}

// --- Lines ---

std::string ScriptArguments::Word(const char* what) {
  if (words_.empty() || words_.front().find('=') != std::string::npos) {
    throw Malformed{fmt::format("{} is missing", what)};
  }
  std::string word = std::move(words_.front());
  words_.erase(words_.begin());
  return word;
}

std::optional<std::string> ScriptArguments::Option(const std::string& name) {
  const auto it = std::ranges::find_if(
      words_, [&](const std::string& word) { return word.starts_with(name + "="); });
  if (it == words_.end()) return std::nullopt;
  std::string value = it->substr(name.size() + 1);
  words_.erase(it);
  return value;
}

int ScriptArguments::Int(const std::string& name, std::optional<int> fallback) {
  const std::optional<std::string> text = Option(name);
  if (text) return ToInt(*text);
  if (!fallback) throw Malformed{name + "= is missing"};
  return *fallback;
}

void ScriptArguments::ExpectEnd() const {
  if (!words_.empty()) throw Malformed{"'" + words_.front() + "' is not understood"};
}

bool MatchesWords(const std::string& answer, const std::string& expected) {
  const std::vector<std::string> got = Words(answer);
  const std::vector<std::string> want = Words(expected);
  if (want.front().find('=') != std::string::npos) {
    return std::ranges::all_of(
        want, [&](const std::string& word) { return std::ranges::find(got, word) != got.end(); });
  }
  return want.size() <= got.size() && std::equal(want.begin(), want.end(), got.begin());
}

}  // namespace cnisim
