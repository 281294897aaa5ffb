#include "sim/scenario/file_reader.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace cnisim {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 30;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

tl::unexpected<Error> CannotRead(const char* reason) {
  return Fail("cannot-read", std::string("cannot be read: ") + reason);
}

}  // namespace

Result<std::string> ReadFile(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) return CannotRead(std::strerror(errno));
  std::string text;
  std::array<char, 65536> buffer;
  size_t n;
  while ((n = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0) {
    text.append(buffer.data(), n);
    if (text.size() > kMaxBytes) return CannotRead("it is larger than 1 GiB");
  }
  if (std::ferror(file.get()) != 0) return CannotRead(std::strerror(errno));
  return text;
}

}  // namespace cnisim
