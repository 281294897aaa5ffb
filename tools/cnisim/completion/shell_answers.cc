#include "tools/cnisim/completion/shell_answers.h"

#include <fmt/format.h>

#include <span>

#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

// printf repeats its format for each argument.
std::string PrintLines(std::span<const std::string> lines) {
  if (lines.empty()) return ":";
  std::string text = "printf '%s\\n'";
  for (const std::string& line : lines) text += " " + ShellQuoted(line);
  return text;
}

std::string PrintChoice(const ValueChoice& choice) {
  std::vector<std::string> lines = choice.words;
  if (choice.kind == ValueChoice::Kind::kFolders) lines.emplace_back("@folders");
  if (choice.kind == ValueChoice::Kind::kFiles) {
    std::string files = "@files";
    for (const std::string& extension : choice.extensions) files += " " + extension;
    lines.push_back(std::move(files));
  }
  return PrintLines(lines);
}

// One `case` of a function.
class Cases {
 public:
  Cases(std::string_view function, std::string_view subject)
      : text_(fmt::format("{}() {{\n  case \"{}\" in\n", function, subject)) {}

  void Add(std::string_view pattern, std::string_view action) {
    text_ += fmt::format("    {}) {} ;;\n", pattern, action);
  }
  std::string Done(std::string_view otherwise) {
    return text_ + fmt::format("    *) {} ;;\n  esac\n}}\n", otherwise);
  }

 private:
  std::string text_;
};

std::string PatternOf(const TreeVerb& verb, const TreeOption& option) {
  std::string pattern;
  for (const std::string& name : option.names) {
    if (!pattern.empty()) pattern += '|';
    pattern += ShellQuoted(verb.path + " " + name);
  }
  return pattern;
}

}  // namespace

std::string ShellAnswers(const TreeVerb& root) {
  Cases verbs("__cnisim_verbs", "$1");
  Cases options("__cnisim_options", "$1");
  Cases takes("__cnisim_takes", "$1 $2");
  Cases values("__cnisim_value", "$1 $2");
  Cases arguments("__cnisim_argument", "$1 $2");
  for (const TreeVerb* verb : AllVerbs(root)) {
    std::vector<std::string> names;
    for (const TreeVerb& below : verb->verbs) names.push_back(below.name + "\t" + below.help);
    if (!names.empty()) verbs.Add(ShellQuoted(verb->path), PrintLines(names));
    names.clear();
    for (const TreeOption& option : verb->options) {
      for (const std::string& name : option.names) names.push_back(name + "\t" + option.help);
      if (!option.takes_value) continue;
      takes.Add(PatternOf(*verb, option), "return 0");
      if (option.value.kind != ValueChoice::Kind::kAnything) {
        values.Add(PatternOf(*verb, option), PrintChoice(option.value));
      }
    }
    options.Add(ShellQuoted(verb->path), PrintLines(names));
    for (size_t n = 0; n < verb->arguments.size(); ++n) {
      const TreeArgument& argument = verb->arguments[n];
      if (argument.value.kind == ValueChoice::Kind::kAnything) continue;
      const std::string nth = ShellQuoted(fmt::format("{} {}", verb->path, n));
      arguments.Add(argument.repeats ? ShellQuoted(verb->path + " ") + "*" : nth,
                    PrintChoice(argument.value));
    }
  }
  return verbs.Done(":") + options.Done(":") + takes.Done("return 1") + values.Done(":") +
         arguments.Done(":");
}

}  // namespace cnisim
