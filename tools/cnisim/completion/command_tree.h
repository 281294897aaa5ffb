// The verbs of the command line as data: what can stand at each place, for shells' completion.
#ifndef CNISIM_TOOLS_CNISIM_COMPLETION_COMMAND_TREE_H_
#define CNISIM_TOOLS_CNISIM_COMPLETION_COMMAND_TREE_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace cnisim {

// What may be written as a value.
struct ValueChoice {
  enum class Kind { kAnything, kWords, kFiles, kFolders };

  Kind kind = Kind::kAnything;
  std::vector<std::string> words;       // also beside files
  std::vector<std::string> extensions;  // of files, without the point; empty: any file
};

struct TreeOption {
  std::vector<std::string> names;  // "-o", "--output"
  std::string help;                // one line
  bool takes_value = false;
  ValueChoice value;
};

struct TreeArgument {
  std::string name;  // "FILE"
  bool repeats = false;
  ValueChoice value;
};

struct TreeVerb {
  std::string path;  // "cnisim catalog maxpods"
  std::string name;
  std::string help;
  std::vector<TreeOption> options;
  std::vector<TreeArgument> arguments;
  std::vector<TreeVerb> verbs;
};

// Throws std::logic_error if an option or argument takes a value of a kind that nobody has told:
// ValueOf() in command_tree.cc.
TreeVerb CommandTreeOf(const CLI::App& root);

// The verb and all below it, each before its own.
std::vector<const TreeVerb*> AllVerbs(const TreeVerb& root);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_COMPLETION_COMMAND_TREE_H_
