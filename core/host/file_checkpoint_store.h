// The checkpoint as a file on the node's disk (RS-1, RS-2).
//
// Every change writes the whole state to a new file beside the old one, syncs it and renames it
// over the old one. So whenever the process is killed or a step fails, the file holds either the
// state before the change or the one after it, complete; a step that fails also removes the new
// file and is reported. A killed process may leave a `<name>.tmp*` behind, which nobody reads. The
// directory is not synced: after a power failure a node boots anew and its pods are gone anyway.
//
// Blocking, one system call after another; the agent waits, as the real one does, because ADD and
// DEL may only be answered when the checkpoint is on disk (SN-1).
// Format and steps: amazon-vpc-cni-k8s v1.23.1, pkg/ipamd/datastore (checkpoint.go).
#ifndef CNISIM_CORE_HOST_FILE_CHECKPOINT_STORE_H_
#define CNISIM_CORE_HOST_FILE_CHECKPOINT_STORE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/file_ops.h"
#include "core/ports/checkpoint_store.h"
#include "core/ports/civil_time.h"
#include "core/ports/result.h"

namespace cnisim {

// Where a network card's checkpoint is, given that of card 0 (NC-2): "ipam.json" becomes
// "ipam-nic-1.json".
std::string CheckpointPath(std::string_view base, int network_card);

class FileCheckpointStore final : public CheckpointStore {
 public:
  static constexpr std::string_view kErrorCode = "CheckpointFile";

  // `files` must outlive the store.
  FileCheckpointStore(std::string path, CivilEpoch epoch, FileOps& files)
      : path_(std::move(path)), epoch_(epoch), files_(files) {}

  Result<std::optional<std::vector<Allocation>>> Load() override;
  Status Save(const AllocationChange& change, const AllocationSource& all) override;
  Status Rewrite(const AllocationSource& all) override;

 private:
  // 0 or -errno; `step` names the one that failed.
  int Replace(std::string_view content, std::string_view& step);
  int WriteAll(int fd, std::string_view content);

  std::string path_;
  CivilEpoch epoch_;
  FileOps& files_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_HOST_FILE_CHECKPOINT_STORE_H_
