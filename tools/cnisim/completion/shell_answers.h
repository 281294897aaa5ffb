// The command tree as functions of a shell, in what bash, zsh and any POSIX shell have in common.
//
//   __cnisim_verbs PATH             NAME<tab>HELP of each verb at PATH ("cnisim catalog")
//   __cnisim_options PATH           NAME<tab>HELP of each option
//   __cnisim_takes PATH OPTION      succeeds if the option takes a value
//   __cnisim_value PATH OPTION      what it may be
//   __cnisim_argument PATH N        what argument N, from 0, may be
// Values are words, one a line; a line "@files yaml yml" stands for such files, "@folders" for
// folders.
#ifndef CNISIM_TOOLS_CNISIM_COMPLETION_SHELL_ANSWERS_H_
#define CNISIM_TOOLS_CNISIM_COMPLETION_SHELL_ANSWERS_H_

#include <string>
#include <string_view>

#include "tools/cnisim/completion/command_tree.h"

namespace cnisim {

std::string ShellAnswers(const TreeVerb& root);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_COMPLETION_SHELL_ANSWERS_H_
