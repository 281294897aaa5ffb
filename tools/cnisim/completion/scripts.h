// Completion scripts of the shells, each self-contained: everything that it offers is in it.
#ifndef CNISIM_TOOLS_CNISIM_COMPLETION_SCRIPTS_H_
#define CNISIM_TOOLS_CNISIM_COMPLETION_SCRIPTS_H_

#include <string>

#include "tools/cnisim/completion/command_tree.h"

namespace cnisim {

// For `source`, or a file in /etc/bash_completion.d. Needs nothing of the bash-completion package.
std::string BashScript(const TreeVerb& root);
// For a file _cnisim in a folder of $fpath, or `source` after compinit.
std::string ZshScript(const TreeVerb& root);
// For `source`, or a file in ~/.config/fish/completions.
std::string FishScript(const TreeVerb& root);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_COMPLETION_SCRIPTS_H_
