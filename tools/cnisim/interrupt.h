// Ctrl-C: the first one asks runs to end after their current event, the second kills.
#ifndef CNISIM_TOOLS_CNISIM_INTERRUPT_H_
#define CNISIM_TOOLS_CNISIM_INTERRUPT_H_

#include <atomic>

namespace cnisim {

// SIGINT and SIGTERM.
void CatchInterrupts();
bool Interrupted();

// Set by the first Ctrl-C or by RequestStop; runs watch it.
const std::atomic<bool>& StopFlag();
// Nothing that still runs is worth finishing: the results cannot be written.
void RequestStop();

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_INTERRUPT_H_
