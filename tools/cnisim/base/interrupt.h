// How a process that writes results is stopped. The first Ctrl-C asks its runs to end after their
// current event, the second ends the process at once; neither leaves an unfinished file.
#ifndef CNISIM_TOOLS_CNISIM_BASE_INTERRUPT_H_
#define CNISIM_TOOLS_CNISIM_BASE_INTERRUPT_H_

#include <atomic>

namespace cnisim {

// Before anything else in main: 0, 1 and 2 are open files whatever the caller closed, a file that
// grows too large is an error like any other, and running out of memory ends the process with exit
// code 1 and a message.
void PrepareProcess();

// From here on SIGINT, SIGTERM and, unless it is ignored (nohup), SIGHUP are caught. Before, they
// end the process as they always do.
void CatchInterrupts();
bool Interrupted();

// Set by the first signal or by RequestStop; runs watch it.
const std::atomic<bool>& StopFlag();
// Nothing that still runs is worth finishing: the results cannot be written.
void RequestStop();

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_INTERRUPT_H_
