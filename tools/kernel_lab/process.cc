#include "tools/kernel_lab/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace cnisim {
namespace {

// A file in memory, which, unlike a pipe, no output can fill.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("cnisim", MFD_CLOEXEC)) {}
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(fd_); }

  int fd() const { return fd_; }
  std::string Read() const {
    std::string text;
    char buffer[4096];
    for (off_t at = 0;;) {
      const ssize_t count = pread(fd_, buffer, sizeof buffer, at);
      if (count <= 0) return text;
      text.append(buffer, static_cast<size_t>(count));
      at += count;
    }
  }

 private:
  int fd_;
};

}  // namespace

Result<std::string> RunCommand(const Command& command) {
  const MemoryFile out;
  const MemoryFile complaint;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out.fd(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, complaint.fd(), STDERR_FILENO);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::vector<char*> environment;
  char language[] = "LC_ALL=C";
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, "LC_ALL=", 7) != 0) environment.push_back(*variable);
  }
  environment.push_back(language);
  environment.push_back(nullptr);
  // In a group of its own: Ctrl-C is for whoever waits, who may have to clean up.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int failed =
      posix_spawnp(&pid, words[0], &files, &attributes, words.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  const auto fail = [&](const std::string& complaint) {
    return Fail(std::string(kCommandFailed),
                fmt::format("{} ({})", complaint, RenderCommandLine(command)));
  };
  if (failed != 0) return fail(std::strerror(failed));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return fail(complaint.Read() + out.Read());
  return out.Read();
}

Status RunCommands(const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    if (auto done = RunCommand(command); !done) return tl::unexpected(std::move(done.error()));
  }
  return {};
}

}  // namespace cnisim
