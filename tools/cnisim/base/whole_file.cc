#include "tools/cnisim/base/whole_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace cnisim {
namespace {

namespace fs = std::filesystem;

// Standard output or error if `path` is what one of them writes to.
std::FILE* StandardStream(const std::string& path) {
  struct stat named, open;
  if (::stat(path.c_str(), &named) != 0) return nullptr;
  for (std::FILE* stream : {stdout, stderr}) {
    const bool same = ::fstat(::fileno(stream), &open) == 0 && open.st_dev == named.st_dev &&
                      open.st_ino == named.st_ino;
    if (same) return stream;
  }
  return nullptr;
}

bool IsDevice(const std::string& path) {
  std::error_code error;
  return fs::is_character_file(path, error);
}

tl::unexpected<Error> CannotWrite(const std::string& path, int error) {
  return Fail("cannot-write", fmt::format("{}: {}", path, std::strerror(error)));
}

bool WriteAll(std::FILE* file, std::string_view bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
}

}  // namespace

Status CheckWritable(const std::string& path) {
  const auto refuse = [&](std::string_view what) {
    return Fail("usage", fmt::format("{}: {}", path, what));
  };
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (StandardStream(path) != nullptr) return {};
  if (!fs::exists(status)) {
    if (fs::is_symlink(path, error)) return refuse("it is a link that leads nowhere");
  } else {
    if (fs::is_directory(status)) return refuse("it is a folder");
    if (!fs::is_regular_file(status) && !IsDevice(path)) return refuse("it is no regular file");
    if (::access(path.c_str(), W_OK) != 0) return CannotWrite(path, errno);
    if (IsDevice(path)) return {};
  }
  // It is written beside its place and then renamed.
  fs::path folder = fs::is_symlink(path, error) ? fs::canonical(path, error) : fs::path(path);
  folder = folder.parent_path();
  if (folder.empty()) folder = ".";
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return CannotWrite(path, errno);
  return {};
}

Status WriteWholeFile(const std::string& path, std::string_view bytes) {
  if (std::FILE* stream = StandardStream(path)) {
    return WriteAll(stream, bytes) ? Status() : CannotWrite(path, errno);
  }
  const bool device = IsDevice(path);
  std::error_code error;
  const std::string target =
      fs::is_symlink(path, error) ? fs::canonical(path, error).string() : path;
  const std::string partial = device ? path : fmt::format("{}.{}.partial", target, ::getpid());
  const auto fail = [&] {
    const int number = errno;
    if (!device) std::remove(partial.c_str());
    return CannotWrite(path, number);
  };
  std::FILE* file = std::fopen(partial.c_str(), device ? "w" : "wx");  // x: new, no link followed
  if (file == nullptr) return CannotWrite(path, errno);
  const bool written = WriteAll(file, bytes);
  if (std::fclose(file) != 0 || !written) return fail();
  if (!device && std::rename(partial.c_str(), target.c_str()) != 0) return fail();
  return {};
}

}  // namespace cnisim
