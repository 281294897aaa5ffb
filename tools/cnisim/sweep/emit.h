// What runs a sweep on other engines, as text to be submitted: each part by `cnisim sweep --shard`,
// then `cnisim merge`. Both can be submitted again after a failure; what is done is not done again.
#ifndef CNISIM_TOOLS_CNISIM_SWEEP_EMIT_H_
#define CNISIM_TOOLS_CNISIM_SWEEP_EMIT_H_

#include <string>
#include <vector>

#include "tools/cnisim/base/exit_code.h"
#include "tools/cnisim/sweep/sweep_job.h"

namespace cnisim {

struct EmitOptions {
  std::string engine;  // "slurm" or "kubernetes"
  std::string image;   // for Kubernetes; empty: cnisim:VERSION
  int shards = 0;      // 0: one a cell
  std::string seeds;   // options of the command, to be given again
  std::vector<std::string> sets;
  std::vector<std::string> vary;
};

// A bash script that submits an array job and, after it, the merge. `sweep.files.front()` is what
// the command named.
std::string SlurmScript(const EmitOptions& options, const LoadedSweep& sweep, int shards);
// A ConfigMap with the sweep's files, a claim of storage for the results and an Indexed Job, whose
// last shard to end merges. Fails, with code "usage", if the files are too large for a ConfigMap.
Result<std::string> KubernetesManifest(const EmitOptions& options, const LoadedSweep& sweep,
                                       int shards);

// Prints one of them.
ExitCode Emit(const EmitOptions& options, const LoadedSweep& sweep, size_t jobs);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_SWEEP_EMIT_H_
