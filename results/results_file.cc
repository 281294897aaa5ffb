#include "results/results_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "results/embedded_sql.h"

namespace cnisim {
namespace {

constexpr std::string_view kExists = "it exists; --overwrite replaces it, another --db leaves it";

tl::unexpected<Error> Bad(const std::string& path, std::string_view what) {
  return Fail("results", fmt::format("{}: {}", path, what));
}

bool Exists(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0;
}

// Opens and locks `path`. Whoever held it may have renamed it in between: then it is another file.
Result<int> LockFile(const std::string& path) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return Bad(path, std::strerror(errno));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(fd);
      if (error == EWOULDBLOCK) return Bad(path, "another cnisim is writing it");
      return Bad(path, std::strerror(error));
    }
    struct stat held, named;
    if (::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
      return fd;
    }
    ::close(fd);
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

std::string FreeDatabaseName(const std::string& stem) {
  std::string name = stem + ".db";
  for (int n = 2; Exists(name); ++n) name = fmt::format("{}-{}.db", stem, n);
  return name;
}

ResultsFile::ResultsFile(std::string path, bool overwrite)
    : path_(std::move(path)), partial_(path_ + ".partial"), overwrite_(overwrite) {}

ResultsFile::ResultsFile(ResultsFile&& other) noexcept
    : path_(std::move(other.path_)),
      partial_(std::move(other.partial_)),
      overwrite_(other.overwrite_),
      lock_(std::exchange(other.lock_, -1)),
      database_(std::move(other.database_)) {
  other.database_.reset();
}

ResultsFile::~ResultsFile() {
  database_.reset();
  if (lock_ < 0) return;
  ::unlink(partial_.c_str());
  ::close(lock_);
}

Result<ResultsFile> ResultsFile::Create(const std::string& path, bool overwrite) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return Bad(path, "it is a folder");
  if (!overwrite && Exists(path)) return Bad(path, kExists);
  ResultsFile file(path, overwrite);
  const Result<int> lock = LockFile(file.partial_);
  if (!lock) return tl::unexpected(lock.error());
  file.lock_ = *lock;
  Result<Database> database = Database::Create(file.partial_);
  if (!database) return tl::unexpected(database.error());
  file.database_ = std::move(*database);
  return file;
}

Status ResultsFile::Publish() {
  if (Status s = database_->Execute(IndexesSql()); !s) return s;
  if (Status s = database_->Close(); !s) return s;
  database_.reset();
  if (::fsync(lock_) != 0) return Bad(partial_, std::strerror(errno));
  const int renamed = overwrite_ ? ::rename(partial_.c_str(), path_.c_str())
                                 : RenameToNew(partial_.c_str(), path_.c_str());
  if (renamed != 0) return Bad(path_, errno == EEXIST ? kExists : std::strerror(errno));
  ::close(std::exchange(lock_, -1));
  return {};
}

}  // namespace cnisim
