#include "results/results_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "results/embedded_sql.h"
#include "results/own_file.h"

namespace cnisim {
namespace {

constexpr const char* kBusy = "busy";

// What a signal handler may look at: never freed, and listed only while the name stands.
struct Unfinished {
  std::atomic<bool> taken{false};
  std::atomic<bool> listed{false};
  size_t length = 0;
  std::array<char, PATH_MAX> name;
  std::atomic<int> scratch_begin{1};
  std::atomic<int> scratch_end{1};
};
Unfinished g_unfinished;

bool List(const std::string& partial) {
  Unfinished& u = g_unfinished;
  if (partial.size() >= u.name.size() || u.taken.exchange(true)) return false;
  u.length = partial.copy(u.name.data(), u.name.size() - 1);
  u.name[u.length] = '\0';
  u.scratch_begin = u.scratch_end = 1;
  u.listed = true;
  return true;
}

void Unlist() {
  g_unfinished.listed = false;
  g_unfinished.taken = false;
}

tl::unexpected<Error> Bad(const std::string& path, std::string_view what) {
  return Fail("results", fmt::format("{}: {}", path, what));
}

tl::unexpected<Error> Refuse(const std::string& path, std::string_view what) {
  return Fail("usage", fmt::format("{}: {}", path, what));
}

bool Exists(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0;
}

// "x.db" gives "x-2.db".
std::string Numbered(const std::string& path, int n) {
  const std::filesystem::path whole(path);
  return (whole.parent_path() /
          fmt::format("{}-{}{}", whole.stem().string(), n, whole.extension().string()))
      .string();
}

// Opens and locks `path`. Whoever held it may have renamed it in between: then it is another file.
Result<int> LockFile(const std::string& path) {
  for (;;) {
    const Result<int> fd = OpenOwnFile(path);
    if (!fd) return fd;
    if (::flock(*fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(*fd);
      if (error != EWOULDBLOCK) return Bad(path, std::strerror(error));
      return Fail(kBusy, fmt::format("{}: another cnisim is writing it", path));
    }
    struct stat held, named;
    if (::fstat(*fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
      return fd;
    }
    ::close(*fd);
  }
}

// Like rename(2), but fails with EEXIST rather than replace a file.
int RenameToNew(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // Not every file system knows the flag.
  if (Exists(to)) {
    errno = EEXIST;
    return -1;
  }
  return ::rename(from, to);
}

}  // namespace

ResultsFile::ResultsFile(std::string path, std::string target, bool overwrite)
    : path_(std::move(path)),
      target_(std::move(target)),
      partial_(target_ + ".partial"),
      overwrite_(overwrite) {}

ResultsFile::ResultsFile(ResultsFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      partial_(std::move(other.partial_)),
      overwrite_(other.overwrite_),
      lock_(std::exchange(other.lock_, -1)),
      listed_(std::exchange(other.listed_, false)),
      database_(std::move(other.database_)) {
  other.database_.reset();
}

ResultsFile::~ResultsFile() {
  database_.reset();
  if (lock_ >= 0) {
    ::unlink(partial_.c_str());
    ::close(lock_);
  }
  if (listed_) Unlist();
}

Result<ResultsFile> ResultsFile::Open(ResultsFile file) {
  const Result<int> lock = LockFile(file.partial_);
  if (!lock) return tl::unexpected(lock.error());
  file.lock_ = *lock;
  file.listed_ = List(file.partial_);
  Result<Database> database = Database::Create(file.partial_);
  if (!database) return tl::unexpected(database.error());
  file.database_ = std::move(*database);
  return file;
}

Result<ResultsFile> ResultsFile::Create(const std::string& path, bool overwrite) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return Bad(path, "it is a folder");
  std::string target = path;
  if (Exists(path)) {
    if (!overwrite) {
      return Bad(path, "it exists; --overwrite replaces it, another --db leaves it");
    }
    if (std::filesystem::is_symlink(path, error)) {
      target = std::filesystem::canonical(path, error).string();
      if (error) return Refuse(path, "it is a link that leads nowhere");
    }
    if (!IsOwnFile(target)) {
      return Refuse(path, "it is not a cnisim results file; --overwrite replaces only those");
    }
  }
  return Open(ResultsFile(path, std::move(target), overwrite));
}

Result<ResultsFile> ResultsFile::CreateNew(const std::string& stem) {
  const std::string first = stem + ".db";
  for (int n = 1;; ++n) {
    const std::string name = n == 1 ? first : Numbered(first, n);
    if (Exists(name)) continue;
    Result<ResultsFile> file = Open(ResultsFile(name, name, /*overwrite=*/false));
    if (file || file.error().code != kBusy) return file;
  }
}

std::string ResultsFile::ScratchName(int n) const {
  if (listed_) {
    int end = g_unfinished.scratch_end;
    while (end <= n && !g_unfinished.scratch_end.compare_exchange_weak(end, n + 1)) {
    }
  }
  return fmt::format("{}.{}", partial_, n);
}

void ResultsFile::DropScratch(int n) {
  ::unlink(ScratchName(n).c_str());
  if (listed_) g_unfinished.scratch_begin = n + 1;
}

Result<std::string> ResultsFile::Publish(bool may_replace) {
  if (Status s = database_->Execute(IndexesSql()); !s) return tl::unexpected(s.error());
  if (Status s = database_->Close(); !s) return tl::unexpected(s.error());
  database_.reset();
  if (::fsync(lock_) != 0) return Bad(partial_, std::strerror(errno));
  // Looked at again: the run may have taken days.
  const bool replace = overwrite_ && may_replace && IsOwnFile(target_);
  std::string name = path_;
  int renamed = replace ? ::rename(partial_.c_str(), target_.c_str())
                        : RenameToNew(partial_.c_str(), target_.c_str());
  for (int n = 2; renamed != 0 && errno == EEXIST; ++n) {
    name = Numbered(target_, n);
    renamed = RenameToNew(partial_.c_str(), name.c_str());
  }
  if (renamed != 0) return Bad(name, std::strerror(errno));
  if (std::exchange(listed_, false)) Unlist();
  ::close(std::exchange(lock_, -1));
  return name;
}

void RemoveUnfinishedFiles() noexcept {
  const Unfinished& u = g_unfinished;
  if (!u.listed) return;
  ::unlink(u.name.data());
  std::array<char, PATH_MAX + 16> name = {};
  std::memcpy(name.data(), u.name.data(), u.length);
  name[u.length] = '.';
  for (int n = u.scratch_begin; n < u.scratch_end; ++n) {
    *std::to_chars(&name[u.length + 1], &name.back(), n).ptr = '\0';
    ::unlink(name.data());
  }
}

}  // namespace cnisim
