#include "tools/cnisim/sweep/part_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace cnisim {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> Bad(const std::string& path, int error) {
  return Fail("results", fmt::format("{}: {}", path, std::strerror(error)));
}

// The first bytes of a file: definitions are short.
std::string ReadStart(int fd) {
  std::array<char, 256> buffer;
  const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), 0);
  return std::string(buffer.data(), n > 0 ? static_cast<size_t>(n) : 0);
}

}  // namespace

PartFolder::PartFolder(PartFolder&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      planned_(std::move(other.planned_)) {}

PartFolder::~PartFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<PartFolder> PartFolder::Open(const std::string& results_file, const std::string& definition,
                                    IfThere if_there) {
  PartFolder folder(results_file + ".parts");
  if (::mkdir(folder.path_.c_str(), 0777) != 0 && errno != EEXIST) return Bad(folder.path_, errno);
  const std::string name = folder.path_ + "/sweep";
  folder.lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (folder.lock_ < 0) return Bad(name, errno);
  if (::flock(folder.lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Bad(name, errno);
    return Fail("busy", fmt::format("{}: another cnisim is working on this sweep", folder.path_));
  }
  const std::string line = definition + '\n';
  const std::string there = ReadStart(folder.lock_);
  if (!there.empty() && if_there == IfThere::kRefuse) {
    return Fail("usage", fmt::format("{}: an unfinished sweep is there; --resume goes on with it, "
                                     "--overwrite begins anew",
                                     folder.path_));
  }
  if (!there.empty() && there != line && if_there == IfThere::kGoOn) {
    return Fail("usage", fmt::format("{}: the unfinished sweep there is another one (its "
                                     "scenario, settings, seeds or cnisim differ); --overwrite "
                                     "begins anew",
                                     folder.path_));
  }
  if (if_there == IfThere::kBeginAnew) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder.path_, error)) {
      const std::string file = entry.path().filename().string();
      if (file.starts_with("run-")) fs::remove(entry.path(), error);
    }
  }
  if (there != line) {
    if (::ftruncate(folder.lock_, 0) != 0) return Bad(name, errno);
    const ssize_t n = ::pwrite(folder.lock_, line.data(), line.size(), 0);
    if (n != static_cast<ssize_t>(line.size())) return Bad(name, n < 0 ? errno : ENOSPC);
  }
  return folder;
}

std::string PartFolder::NameOf(size_t job) const { return fmt::format("{}/run-{}.db", path_, job); }

bool PartFolder::IsDone(size_t job) const {
  struct stat info;
  return ::lstat(NameOf(job).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Result<Database*> PartFolder::Open(size_t job) {
  const std::string name = NameOf(planned_[job]) + ".partial";
  ::unlink(name.c_str());
  Result<Database> created = Database::Create(name);
  if (!created) return tl::unexpected(created.error());
  const std::lock_guard lock(mutex_);
  return &open_.emplace(job, std::move(*created)).first->second;
}

Status PartFolder::Close(size_t job, RowsAre rows) {
  std::unique_lock lock(mutex_);
  auto node = open_.extract(job);
  lock.unlock();
  if (node.empty()) return {};
  const std::string name = NameOf(planned_[job]);
  const std::string partial = name + ".partial";
  Status closed = node.mapped().Close();
  if (rows != RowsAre::kWhole || !closed) {
    ::unlink(partial.c_str());
    return closed;
  }
  if (::rename(partial.c_str(), name.c_str()) != 0) return Bad(name, errno);
  return {};
}

void PartFolder::Remove(size_t jobs) {
  for (size_t i = 0; i < jobs; ++i) {
    ::unlink(NameOf(i).c_str());
    ::unlink((NameOf(i) + ".partial").c_str());
  }
  ::unlink((path_ + "/sweep").c_str());
  ::rmdir(path_.c_str());
}

}  // namespace cnisim
