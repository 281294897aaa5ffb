// One function a verb: adds its options to a sub-command and returns what runs it. Results go to
// standard output, everything else to standard error.
#ifndef CNISIM_TOOLS_CNISIM_BASE_COMMANDS_H_
#define CNISIM_TOOLS_CNISIM_BASE_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "core/ports/result.h"
#include "tools/cnisim/base/exit_code.h"

namespace cnisim {

using Command = std::function<ExitCode()>;

Command AddRun(CLI::App& app);
Command AddValidate(CLI::App& app);
Command AddTest(CLI::App& app);
Command AddSweep(CLI::App& app);
Command AddMerge(CLI::App& app);
Command AddQuery(CLI::App& app);
Command AddInspect(CLI::App& app);
Command AddCompare(CLI::App& app);
Command AddImport(CLI::App& app);
Command AddTrace(CLI::App& app);
Command AddCalibrate(CLI::App& app);
Command AddCatalog(CLI::App& app);
Command AddSchema(CLI::App& app);
Command AddCompletion(CLI::App& app);
Command AddHelp(CLI::App& app);
Command AddVersion(CLI::App& app);

// Tell it on standard error: "cnisim VERB: ..." (the message begins with the verb), "cnisim: ...".
ExitCode UsageError(std::string_view message);
ExitCode RuntimeError(std::string_view message);
// One of the two, by the error's code.
ExitCode ErrorOf(std::string_view verb, const Error& error);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_COMMANDS_H_
