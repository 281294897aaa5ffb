#include <fmt/format.h>

#include "tools/cnisim/completion/scripts.h"

namespace cnisim {
namespace {

// Succeeds where PATH is the verb so far, and N arguments (or any number) have been given to it.
constexpr const char* kHead = R"sh(# fish completion of cnisim, from `cnisim completion fish`

function __cnisim_at
    set -l tokens (commandline -opc)
    set -l at cnisim
    set -l count 0
    set -l value 0
    for token in $tokens[2..-1]
        if test $value = 1
            set value 0
        else if string match -q -- '-*' $token
            if contains -- "$at $token" $__cnisim_takes
                set value 1
            end
        else if contains -- "$at $token" $__cnisim_verbs
            set at "$at $token"
        else
            set count (math $count + 1)
        end
    end
    test "$at" = "$argv[1]"; and begin
        test (builtin count $argv) = 1; or test $count = $argv[2]
    end
end

complete -c cnisim -f
)sh";

std::string Quoted(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return fmt::format("'{}'", escaped);
}

// What -a takes: words, and commands that print more.
std::string Choices(const ValueChoice& choice) {
  std::vector<std::string> parts = choice.words;
  if (choice.kind == ValueChoice::Kind::kFolders) {
    parts.emplace_back("(__fish_complete_directories)");
  }
  for (const std::string& extension : choice.extensions) {
    parts.push_back(fmt::format("(__fish_complete_suffix .{})", extension));
  }
  return Quoted(fmt::format("{}", fmt::join(parts, " ")));
}

std::string Condition(const TreeVerb& verb, std::string_view more = "") {
  return fmt::format("complete -c cnisim -n \"__cnisim_at '{}'{}\"", verb.path, more);
}

std::string OptionLine(const TreeVerb& verb, const TreeOption& option) {
  std::string line = Condition(verb);
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    line += fmt::format(" -{} {}", is_long ? "l" : "s", name.substr(is_long ? 2 : 1));
  }
  if (option.takes_value) line += " -x";
  if (option.value.kind != ValueChoice::Kind::kAnything) {
    line += fmt::format(" -a {}", Choices(option.value));
  }
  return fmt::format("{} -d {}\n", line, Quoted(option.help));
}

}  // namespace

std::string FishScript(const TreeVerb& root) {
  std::string takes = "set -g __cnisim_takes";
  std::string verbs = "set -g __cnisim_verbs";
  std::string lines;
  for (const TreeVerb* verb : AllVerbs(root)) {
    for (const TreeVerb& below : verb->verbs) {
      verbs += fmt::format(" {}", Quoted(below.path));
      lines += fmt::format("{} -a {} -d {}\n", Condition(*verb), below.name, Quoted(below.help));
    }
    for (const TreeOption& option : verb->options) {
      lines += OptionLine(*verb, option);
      if (!option.takes_value) continue;
      for (const std::string& name : option.names) {
        takes += fmt::format(" {}", Quoted(fmt::format("{} {}", verb->path, name)));
      }
    }
    for (size_t n = 0; n < verb->arguments.size(); ++n) {
      const TreeArgument& argument = verb->arguments[n];
      if (argument.value.kind == ValueChoice::Kind::kAnything) continue;
      const std::string nth = argument.repeats ? "" : fmt::format(" {}", n);
      lines += fmt::format("{} -a {}\n", Condition(*verb, nth), Choices(argument.value));
    }
  }
  return fmt::format("{}{}\n{}\n{}", kHead, takes, verbs, lines);
}

}  // namespace cnisim
