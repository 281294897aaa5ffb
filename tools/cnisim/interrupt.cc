#include "tools/cnisim/interrupt.h"

#include <csignal>

namespace cnisim {
namespace {

std::atomic<bool> g_stop{false};
std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // so a signal handler may set them

extern "C" void HandleSignal(int signal) {
  if (g_interrupted.exchange(true)) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  g_stop = true;
}

}  // namespace

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = HandleSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return g_interrupted; }
const std::atomic<bool>& StopFlag() { return g_stop; }
void RequestStop() { g_stop = true; }

}  // namespace cnisim
