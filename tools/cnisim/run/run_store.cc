#include "tools/cnisim/run/run_store.h"

#include <string>
#include <utility>

namespace cnisim {

Result<Database*> OneFileStore::Open(size_t job) {
  if (alone_) return &file_.database();
  const std::lock_guard lock(mutex_);
  Result<Database> created = Database::Create(file_.ScratchName(ScratchNumber(job)));
  if (!created) return tl::unexpected(created.error());
  return &open_.emplace(job, std::move(*created)).first->second;
}

Status OneFileStore::Close(size_t job, RowsAre rows) {
  if (alone_) return {};
  std::unique_lock lock(mutex_);
  auto node = open_.extract(job);
  lock.unlock();
  if (node.empty() || rows == RowsAre::kBad) return {};
  return node.mapped().Close();
}

Status OneFileStore::Collect(size_t job, bool good) {
  if (alone_) return {};
  const std::string scratch = file_.ScratchName(ScratchNumber(job));
  Status merged;
  if (good) merged = MergeInto(file_.database(), {&scratch, 1});
  file_.DropScratch(ScratchNumber(job));
  return merged;
}

}  // namespace cnisim
