#include "results/own_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "results/database.h"

namespace cnisim {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "SQLite format 3\0"sv;
constexpr size_t kIdAt = 68;

tl::unexpected<Error> Bad(const std::string& path, std::string_view what) {
  return Fail("results", fmt::format("{}: {}", path, what));
}

}  // namespace

bool IsOwnFile(int fd) {
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (info.st_size == 0) return true;
  std::array<unsigned char, kIdAt + 4> header;
  if (::pread(fd, header.data(), header.size(), 0) != static_cast<ssize_t>(header.size())) {
    return false;
  }
  uint32_t id = 0;
  for (size_t i = kIdAt; i < header.size(); ++i) id = id << 8 | header[i];
  return std::memcmp(header.data(), kMagic.data(), kMagic.size()) == 0 &&
         id == static_cast<uint32_t>(kApplicationId);
}

bool IsOwnFile(const std::string& path) {
  // Opening a device may do something, opening a pipe may wait: only a regular file is opened.
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  const bool own = IsOwnFile(fd);
  ::close(fd);
  return own;
}

Result<int> OpenOwnFile(const std::string& path) {
  constexpr std::string_view kForeign = "something else than an unfinished results file is there";
  const int created = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (created >= 0) return created;
  if (errno != EEXIST) return Bad(path, std::strerror(errno));
  struct stat info;
  // What has a second name is somebody else's too.
  const bool there = ::lstat(path.c_str(), &info) == 0;
  if (there && (!S_ISREG(info.st_mode) || info.st_nlink > 1)) return Bad(path, kForeign);
  const int fd = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return Bad(path, errno == ELOOP ? kForeign : std::strerror(errno));
  if (IsOwnFile(fd)) return fd;
  ::close(fd);
  return Bad(path, kForeign);
}

}  // namespace cnisim
