#include "tools/cnisim/base/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <new>
#include <string_view>

#include "results/results_file.h"
#include "tools/cnisim/base/exit_code.h"

namespace cnisim {
namespace {

std::atomic<bool> g_stop{false};
std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // so a signal handler may set them

// Needs neither memory nor locks.
void Write(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

[[noreturn]] void EndNow(ExitCode code) {
  RemoveUnfinishedFiles();
  ::_exit(static_cast<int>(code));
}

extern "C" void HandleSignal(int) {
  const int error = errno;
  if (g_interrupted.exchange(true)) EndNow(ExitCode::kInterrupted);
  g_stop = true;
  Write("\ncnisim: interrupted; writing what there is (once more ends it at once)\n");
  errno = error;
}

void OutOfMemory() {
  Write("cnisim: out of memory; a smaller scenario or fewer --jobs need less\n");
  EndNow(ExitCode::kRuntimeError);
}

}  // namespace

void PrepareProcess() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    // Results that nobody can get are an error: a closed standard output stays unwritable. The
    // lowest free descriptor is this one.
    ::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
  std::signal(SIGXFSZ, SIG_IGN);
  std::set_new_handler(OutOfMemory);
}

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = HandleSignal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    ::sigaction(signal, nullptr, &before);
    if (signal == SIGHUP && before.sa_handler == SIG_IGN) continue;
    ::sigaction(signal, &action, nullptr);
  }
}

bool Interrupted() { return g_interrupted; }
const std::atomic<bool>& StopFlag() { return g_stop; }
void RequestStop() { g_stop = true; }

}  // namespace cnisim
