// Valid scenarios, spoilt at random: loading gives a scenario or located errors, never a crash.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "sim/engine/random.h"
#include "sim/scenario/file_reader.h"
#include "sim/scenario/loader.h"

namespace cnisim {
namespace {

const std::filesystem::path kDirectory =
    std::filesystem::path(CNISIM_SOURCE_DIR) / "sim/scenario/testdata/valid";

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size() - 1);
    lines.push_back(text.substr(start, end + 1 - start));
    start = end + 1;
  }
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

// One small change; `random` decides which and where.
std::string Mutated(std::string text, RandomStream& random) {
  constexpr std::string_view kSnippets[] = {"{",     "}",    "[",    "]",   ":",
                                            ": ",    "- ",   "\"",   "'",   "#",
                                            "&a ",   "*a",   "!",    "|\n", ">\n",
                                            "? ",    "<<: ", "\t",   "\n",  "---\n",
                                            "...\n", "%",    "null", "-1",  "99999999999999999999",
                                            "1e309", "\xff", "\x00", "0",   "true",
                                            "~",     ",",    "\\",   "@",   "`"};
  const size_t at = random.NextBelow(text.size());
  switch (random.NextBelow(7)) {
    case 0:
      text.erase(at, 1 + random.NextBelow(8));
      break;
    case 1:
      text[at] = static_cast<char>(text[at] ^ (1 << random.NextBelow(8)));
      break;
    case 2:
      text[at] = static_cast<char>(random.NextBelow(256));
      break;
    case 3:
      text.insert(at, kSnippets[random.NextBelow(std::size(kSnippets))]);
      break;
    case 4:
      text.resize(at);
      break;
    case 5: {
      std::vector<std::string> lines = Lines(text);
      const size_t line = random.NextBelow(lines.size());
      if (random.Bernoulli(0.5)) {
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line));
      } else {
        const std::string copy = lines[line];
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(random.NextBelow(lines.size())),
                     copy);
      }
      text = Joined(lines);
      break;
    }
    default: {
      std::vector<std::string> lines = Lines(text);
      std::swap(lines[random.NextBelow(lines.size())], lines[random.NextBelow(lines.size())]);
      text = Joined(lines);
    }
  }
  return text.empty() ? " " : text;
}

void ExpectScenarioOrLocatedErrors(const std::string& text) {
  const LoadResult result = LoadScenarioText(text, "fuzzed.yaml", kDirectory);
  if (result) {
    // Whatever was accepted is a scenario in its own right.
    const LoadResult again = LoadScenarioText(result->resolved_yaml, "resolved", kDirectory);
    ASSERT_TRUE(again) << text << again.error()[0].ToString();
    EXPECT_EQ(again->resolved_yaml, result->resolved_yaml) << text;
    return;
  }
  ASSERT_FALSE(result.error().empty());
  EXPECT_LE(result.error().size(), Diagnostics::kMaxReported + 1);
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const Diagnostic& diagnostic : result.error()) {
    EXPECT_FALSE(diagnostic.file.empty());
    EXPECT_FALSE(diagnostic.code.empty());
    EXPECT_FALSE(diagnostic.message.empty());
    EXPECT_EQ(diagnostic.ToString().find('\n'), std::string::npos) << diagnostic.ToString();
    if (diagnostic.file != "fuzzed.yaml") continue;
    EXPECT_TRUE(diagnostic.line >= 0 && diagnostic.line <= lines + 1) << diagnostic.ToString();
    // Only a file without a document has nothing to point at.
    if (diagnostic.line == 0) {
      EXPECT_TRUE(diagnostic.code == "empty-file" || diagnostic.code == "more-errors")
          << diagnostic.ToString();
    }
  }
}

TEST(LoaderFuzz, SpoiltScenariosLoadOrSayWhy) {
  constexpr int kCasesPerFile = 1'500;
  for (const auto* name : {"everything", "calico", "traces", "traffic"}) {
    const std::string valid = ReadFile(kDirectory / (std::string(name) + ".yaml")).value();
    RandomStream random(1, name, "fuzz");
    for (int i = 0; i < kCasesPerFile; ++i) {
      std::string text = valid;
      for (uint64_t n = 1 + random.NextBelow(3); n > 0; --n)
        text = Mutated(std::move(text), random);
      ExpectScenarioOrLocatedErrors(text);
      if (HasFatalFailure()) return;
    }
  }
}

// Every beginning of a valid file, as of an interrupted download.
TEST(LoaderFuzz, TruncatedScenariosLoadOrSayWhy) {
  const std::string valid = ReadFile(kDirectory / "everything.yaml").value();
  for (size_t n = 0; n < valid.size(); n += 3) ExpectScenarioOrLocatedErrors(valid.substr(0, n));
}

// The same bytes give the same words.
TEST(LoaderFuzz, IsDeterministic) {
  const std::string valid = ReadFile(kDirectory / "everything.yaml").value();
  RandomStream random(2, "everything", "fuzz");
  for (int i = 0; i < 100; ++i) {
    const std::string text = Mutated(valid, random);
    const LoadResult a = LoadScenarioText(text, "x", kDirectory);
    const LoadResult b = LoadScenarioText(text, "x", kDirectory);
    ASSERT_EQ(a.has_value(), b.has_value());
    if (a) {
      EXPECT_EQ(a->resolved_yaml, b->resolved_yaml);
    } else {
      ASSERT_EQ(a.error().size(), b.error().size());
      for (size_t k = 0; k < a.error().size(); ++k) {
        EXPECT_EQ(a.error()[k].ToString(), b.error()[k].ToString());
      }
    }
  }
}

}  // namespace
}  // namespace cnisim
