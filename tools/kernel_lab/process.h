// Runs a command and waits for it.
#ifndef CNISIM_TOOLS_KERNEL_LAB_PROCESS_H_
#define CNISIM_TOOLS_KERNEL_LAB_PROCESS_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/ports/result.h"
#include "core/routing/render_command.h"

namespace cnisim {

inline constexpr std::string_view kCommandFailed = "CommandFailed";

// What it printed. kCommandFailed with its complaint and the command if it cannot be started or
// ends otherwise than with 0. The words are not seen by a shell; the language is C.
// A terminal's signals do not reach it.
Result<std::string> RunCommand(const Command& command);
// Stops at the first that fails.
Status RunCommands(const std::vector<Command>& commands);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_PROCESS_H_
