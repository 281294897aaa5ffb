#include "core/host/file_ops.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cnisim {
namespace {

template <typename Number>
Number OrError(Number result) {
  return result < 0 ? -errno : result;
}

// Tries again as long as a signal interrupts.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return OrError(result);
}

}  // namespace

int PosixFileOps::MakeTemporary(std::string& path) {
  return Uninterrupted([&] { return mkostemp(path.data(), O_CLOEXEC); });
}

long PosixFileOps::Write(int fd, std::string_view data) {
  return Uninterrupted([&] { return write(fd, data.data(), data.size()); });
}

int PosixFileOps::Sync(int fd) {
  return Uninterrupted([&] { return fsync(fd); });
}

// Not tried again: Linux has given the descriptor back whatever close says.
int PosixFileOps::Close(int fd) { return OrError(close(fd)); }

int PosixFileOps::Rename(const std::string& from, const std::string& to) {
  return OrError(std::rename(from.c_str(), to.c_str()));
}

int PosixFileOps::Remove(const std::string& path) { return OrError(unlink(path.c_str())); }

int PosixFileOps::Read(const std::string& path, std::string& data) {
  const int fd = Uninterrupted([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (fd < 0) return fd;
  data.clear();
  char buffer[1 << 16];
  ssize_t n = 0;
  while ((n = Uninterrupted([&] { return read(fd, buffer, sizeof buffer); })) > 0) {
    data.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return static_cast<int>(n);
}

}  // namespace cnisim
