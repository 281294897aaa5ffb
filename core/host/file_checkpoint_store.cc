#include "core/host/file_checkpoint_store.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "core/ipam/checkpoint_json.h"

namespace cnisim {
namespace {

tl::unexpected<Error> FileError(std::string_view step, const std::string& path, int error) {
  return Fail(std::string(FileCheckpointStore::kErrorCode),
              fmt::format("{} {}: {}", step, path, std::generic_category().message(-error)));
}

}  // namespace

std::string CheckpointPath(std::string_view base, int network_card) {
  if (network_card == 0) return std::string(base);
  constexpr std::string_view kSuffix = ".json";
  if (base.ends_with(kSuffix)) base.remove_suffix(kSuffix.size());
  return fmt::format("{}-nic-{}{}", base, network_card, kSuffix);
}

Result<std::optional<std::vector<Allocation>>> FileCheckpointStore::Load() {
  std::string content;
  const int result = files_.Read(path_, content);
  if (result == -ENOENT) return std::nullopt;
  if (result < 0) return FileError("read", path_, result);
  Result<std::vector<Allocation>> allocations = ParseCheckpoint(content, epoch_);
  if (!allocations) {
    return Fail(allocations.error().code,
                fmt::format("{}: {}", path_, allocations.error().message));
  }
  return *std::move(allocations);
}

Status FileCheckpointStore::Save(const AllocationChange&, const AllocationSource& all) {
  return Rewrite(all);
}

Status FileCheckpointStore::Rewrite(const AllocationSource& all) {
  std::string_view step;
  const int result = Replace(FormatCheckpoint(all.AllAllocations(), epoch_), step);
  if (result < 0) return FileError(step, path_, result);
  return {};
}

int FileCheckpointStore::Replace(std::string_view content, std::string_view& step) {
  std::string temporary = path_ + ".tmpXXXXXX";
  step = "make a temporary file for";
  const int fd = files_.MakeTemporary(temporary);
  if (fd < 0) return fd;

  step = "write";
  int result = WriteAll(fd, content);
  if (result == 0) {
    step = "sync";
    result = files_.Sync(fd);
  }
  const int closed = files_.Close(fd);
  if (result == 0 && closed < 0) {
    step = "close";
    result = closed;
  }
  if (result == 0) {
    step = "rename over";
    result = files_.Rename(temporary, path_);
  }
  if (result < 0) files_.Remove(temporary);
  return result;
}

int FileCheckpointStore::WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const long written = files_.Write(fd, content);
    if (written < 0) return static_cast<int>(written);
    if (written == 0) return -EIO;  // no progress and no reason
    content.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace cnisim
